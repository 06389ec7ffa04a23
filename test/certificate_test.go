package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// A certificate is that of a server or of who issues others, with its private key.
type certificate struct {
	pem, private string
	digest       string // SHA-256 of the public key in hexadecimal, as in TLSA 3 1 1

	parsed *x509.Certificate
	key    *ecdsa.PrivateKey
}

// newCertificate makes a certificate of some hosts, with a new key, that signs itself.
func newCertificate(t *testing.T, hosts ...string) *certificate {
	t.Helper()
	return (*certificate)(nil).issue(t, hosts...)
}

// issue makes a certificate of some hosts, with a new key, that another one signs.
func (by *certificate) issue(t *testing.T, hosts ...string) *certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial := big.NewInt(time.Now().UnixNano())
	c := &certificate{key: key, parsed: &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: serial.String()}, DNSNames: hosts,
		NotAfter: time.Now().Add(time.Hour), IsCA: by == nil, BasicConstraintsValid: true,
	}}
	if by == nil {
		by = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c.parsed, by.parsed, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	if c.parsed, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c.pem, c.private, c.digest = pemText("CERTIFICATE", der), pemText("PRIVATE KEY", private), keyDigest(c.parsed)
	return c
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func keyDigest(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}
