package definition

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"path"
	"strings"
)

// How files with keys are read. Nothing of their content is in an error: it may be secret.

const beginPEM = "-----BEGIN "

var errNoKey = errors.New("it has no public key: write a file with one, or with a certificate, in PEM")

// publicKey returns the first public key in a text in PEM, which may be that of a certificate, with its kind: the
// SubjectPublicKeyInfo of RFC 5280 §4.1.2.7.
func publicKey(text string) (spki []byte, err error) {
	for rest := []byte(strings.TrimPrefix(text, "\ufeff")); ; { // as OpenSSL reads it
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

// makePublic returns the command that makes the public key of the private one in a file. OpenSSL does not read the keys
// of OpenSSH.
func makePublic(name, text string) string {
	public := cut(strings.TrimSuffix(name, path.Ext(name)) + ".pub.pem")
	if strings.Contains(text, beginPEM+"OPENSSH ") {
		return "ssh-keygen -e -m PKCS8 -f " + cut(name) + " >" + public
	}
	return "openssl pkey -in " + cut(name) + " -pubout -out " + public
}

// isKey reports whether the name of a file looks like a key that is written out, with another kind before it or none:
// that may be a private one, which no error quotes.
func isKey(name string) bool {
	const shortest = 40 // of 32 octets in base64 it is 43
	kind, key, isWritten := strings.Cut(name, ":")
	if !isWritten {
		key = kind
	}
	isOther := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("+/=", r)
	}
	return len(key) >= shortest && !strings.ContainsFunc(key, isOther)
}

// isPrivate reports whether a key is a private one.
func isPrivate(der []byte) bool {
	_, err := x509.ParsePKCS8PrivateKey(der)
	_, err1 := x509.ParsePKCS1PrivateKey(der)
	return err == nil || err1 == nil
}

var errPrivate = errors.New("it is a private key, which does not belong on a DNS server: " +
	"write the public one, of the file that openssl pkey -in FILE -pubout makes")

func ofCertificate(der []byte) ([]byte, error) {
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, errors.New("its certificate cannot be read: write a file with one in PEM")
	}
	return certificate.RawSubjectPublicKeyInfo, nil
}
