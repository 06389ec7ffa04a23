package lint

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
)

const (
	leastBits = 1024 // of an RSA key that verifiers take (RFC 8301 §3.2)
	goodBits  = 2048 // that signers should have
)

// shortBase64 is less than the octets of an RSA key of 2048 bits in base64, and more than those of one that is short.
const shortBase64 = 360

// dkimKey reports keys that no verifier can use, and several of a name. It does not quote them.
func dkimKey(p *pass) {
	fromReader(p)
	for text, records := range p.texts(dkim) {
		if !resemblesKey(text) {
			continue
		}
		if wrong := wrongKey(text); wrong != "" {
			p.reportEach(records, "DKIM", wrong)
		}
	}
	p.reportSecond(dkim, resemblesKey, "DKIM", "delete one of them, or write it at another selector")
}

func dkimKeyShort(p *pass) {
	for text, records := range p.texts(dkim) {
		key, ok := valueOf(text, "p")
		if !ok || len(key) > shortBase64 {
			continue
		}
		if bits, _ := rsaBits(key); bits >= leastBits && bits < goodBits {
			p.reportEach(records, "DKIM", fmt.Sprintf("an RSA key of %d bits is short: make one of %d", bits, goodBits))
		}
	}
}

// resemblesKey reports whether a text was meant to be a key. There are others at such names, as "dkim=all" (RFC 5617).
func resemblesKey(text string) bool {
	for t := range tagsOf(text) {
		switch strings.ToLower(t.name) {
		case "k", "p":
			return true
		case "v":
			return hasVersion(t.value, "DKIM")
		}
	}
	return false
}

// wrongKey says what is wrong with the record of a key (RFC 6376 §3.6.1), or "".
func wrongKey(text string) string {
	if repeated(text) != "" {
		return "a tag stands twice, and verifiers ignore the record: delete one"
	}
	if _, ok := valueOf(text, "v"); ok && !hasFirst(text, "DKIM1") {
		return `verifiers ignore it: write "v=DKIM1;" first`
	}
	key, ok := valueOf(text, "p")
	kind, hasKind := valueOf(text, "k")
	switch {
	case !ok:
		return "it has no key: write p=KEY, or p= if it is revoked"
	case key == "":
		return ""
	case !hasKind || kind == "rsa":
		return wrongRSA(key)
	case kind == "ed25519":
		return wrongEd25519(key)
	}
	return "k is no type of key that verifiers know: write k=rsa or k=ed25519"
}

func wrongRSA(key string) string {
	bits, isRSA := rsaBits(key)
	switch {
	case !isRSA:
		return "p is no RSA key in base64: write what \"openssl rsa -pubout\" prints between its first and last line"
	case bits < leastBits:
		return fmt.Sprintf("verifiers ignore an RSA key of %d bits: make one of %d", bits, goodBits)
	}
	return ""
}

// rsaBits returns the size of an RSA key, and whether it is one. Verifiers take both of its forms (erratum 3017 of RFC
// 6376).
func rsaBits(key string) (bits int, ok bool) {
	der, err := decode(key)
	if err != nil {
		return 0, false
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		public, err = x509.ParsePKCS1PublicKey(der)
	}
	if public, ok := public.(*rsa.PublicKey); ok && err == nil {
		return public.N.BitLen(), true
	}
	return 0, false
}

func wrongEd25519(key string) string {
	if octets, err := decode(key); err != nil || len(octets) != ed25519.PublicKeySize {
		return fmt.Sprintf("p is no Ed25519 key of %d octets in base64: write the last %d octets of its DER",
			ed25519.PublicKeySize, ed25519.PublicKeySize)
	}
	return ""
}

var withoutBlanks = strings.NewReplacer(" ", "", "\t", "")

// decode returns what is written in base64, in which there may be blanks (RFC 6376 §3.2).
func decode(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(withoutBlanks.Replace(text))
}
