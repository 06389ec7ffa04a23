package definition

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
)

// How files with keys are read. Nothing of their content is in an error: it may be secret.

const beginPEM = "-----BEGIN "

var errNoKey = errors.New("it has no public key: write a file with one, or with a certificate, in PEM")

// publicKey returns the first public key in a text in PEM, which may be that of a certificate, with its kind: the
// SubjectPublicKeyInfo of RFC 5280 §4.1.2.7.
func publicKey(text string) (spki []byte, err error) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errNoKey
		}
		switch block.Type {
		case "CERTIFICATE":
			return ofCertificate(block.Bytes)
		case "PUBLIC KEY":
			if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
				return nil, errNoKey
			}
			return block.Bytes, nil
		case "RSA PUBLIC KEY":
			return spkiOf(block.Bytes)
		}
	}
}

func ofCertificate(der []byte) ([]byte, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("its certificate cannot be read: write a file with one in PEM")
	}
	return certificate.RawSubjectPublicKeyInfo, nil
}
