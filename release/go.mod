module github.com/mxsrv/mxsrv/release

go 1.26.0
