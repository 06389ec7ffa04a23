package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// serveWeb is the command "web DIR": it serves the file DIR/HOST/PATH at https://HOST/PATH until the script ends, at
// 127.0.0.1:$HTTPS_PORT, with a certificate for each HOST that mxsrv trusts. A file of one word is what misbehaves.
func serveWeb(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	hosts, err := os.ReadDir(dir)
	ts.Check(err)
	var names []string
	for _, h := range hosts {
		names = append(names, h.Name())
	}
	cert, key := certify(ts, names)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := os.ReadFile(filepath.Join(dir, r.Host, filepath.FromSlash(r.URL.Path)))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		reply(w, r, string(text))
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	ts.Defer(server.Close)
	root := filepath.Join(ts.MkAbs("."), "root.pem")
	ts.Check(os.WriteFile(root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600))
	address, err := url.Parse(server.URL)
	ts.Check(err)
	ts.Setenv("HTTPS_PORT", address.Port())
	ts.Setenv("SSL_CERT_FILE", root)
}

// reply replies with a text, or as its one word says.
func reply(w http.ResponseWriter, r *http.Request, text string) {
	switch strings.TrimSpace(text) {
	case "redirect":
		http.Redirect(w, r, "https://mta-sts.ok.example.com"+r.URL.Path, http.StatusMovedPermanently)
	case "huge":
		w.Write([]byte("version: STSv1\nmode: none\nmax_age: 1\n" + strings.Repeat("\n", maxPublished)))
	case "html":
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("version: STSv1\nmode: none\nmax_age: 1\n"))
	case "hang":
		<-r.Context().Done()
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte(text))
	}
}

// certify returns a certificate for names, which vouches for itself, and its key.
func certify(ts *testscript.TestScript, names []string) ([]byte, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	ts.Check(err)
	return der, key
}
