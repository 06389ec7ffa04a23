module github.com/mxsrv/mxsrv/test/verifiers

go 1.26.0

require (
	blitiri.com.ar/go/spf v1.6.0
	github.com/emersion/go-msgauth v0.7.0
	github.com/emersion/go-webdav v0.4.0
)

require (
	github.com/emersion/go-vcard v0.0.0-20191221110513-5f81fa0d3cc7 // indirect
	golang.org/x/crypto v0.58.0 // indirect
)
