package definition

import (
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/miekg/dns"
)

// dkim reads: dkim SELECTOR KEY It is the public key of a signer (RFC 6376 §3.6.1).
func (p *policies) dkim(s Statement) {
	const keys Name = "_domainkey."
	selector := s.Words[1]
	name, err := ParseName(selector, keys)
	switch {
	case err != nil:
		p.errs.add(s.Pos, NameInvalid, "selector %v", err)
		return
	case selector == "@" || isAbsolute(selector):
		p.errs.add(s.Pos, NameInvalid, "selector %q: write a name like s2026a, without a final dot", selector)
		return
	case strings.Contains(strings.ToLower(selector), "_domainkey"):
		p.errs.add(s.Pos, NameInvalid, "selector %q: write what stands before _domainkey", selector)
		return
	}
	if text, ok := p.dkimText(s, s.Words[2]); ok {
		p.text(s, strings.TrimSuffix(string(name), "."), text)
	}
}

// dkimText returns the text of the record with a key.
func (p *policies) dkimText(s Statement, key string) (text string, ok bool) {
	kind, encoded, isWritten := strings.Cut(key, ":")
	var err error
	switch {
	case key == "revoked":
		return "v=DKIM1; p=", true
	case isWritten && kind == "rsa":
		text, err = rsaText(encoded)
	case isWritten && kind == "ed25519":
		text, err = ed25519Text(encoded)
	default:
		content, ok := p.file(s, key, DKIMKey, "write the key out, as rsa:BASE64 or ed25519:BASE64")
		if !ok {
			return "", false
		}
		kind = Sprintf("%q", key)
		text, err = dkimFile(content)
	}
	if err != nil {
		p.errs.add(s.Pos, DKIMKey, "%s: %v", kind, err)
	}
	return text, err == nil
}

// dkimFile returns the text of the record with the key in a file: a public key in PEM, a TXT record of a zone file, as
// opendkim-genkey writes it, or the text of one alone, as the consoles of providers show it.
func dkimFile(content string) (string, error) {
	if strings.Contains(content, beginPEM) {
		key, err := publicKey(content)
		if err != nil {
			return "", err
		}
		return keyText(key)
	}
	if strings.HasPrefix(content, "v=DKIM1") {
		return dkimRecord(strings.Join(strings.Fields(content), " "))
	}
	parser := dns.NewZoneParser(strings.NewReader(content), ".", "")
	parser.SetDefaultTTL(DefaultTTL)
	rr, _ := parser.Next()
	txt, ok := rr.(*dns.TXT)
	if _, isMore := parser.Next(); !ok || isMore || parser.Err() != nil {
		return "", errors.New("it has no public key: " +
			"write a file with one in PEM, or with the TXT record that opendkim-genkey writes")
	}
	txt.Hdr.Name = "."
	data, err := packData(txt, "")
	if err != nil {
		return "", errNoDKIM
	}
	return dkimRecord(joinStrings(data))
}

// dkimRecord returns the text of a DKIM record with a key, as it is. The version is optional, but first, and a key that
// is empty is revoked (RFC 6376 §3.6.1).
func dkimRecord(text string) (string, error) {
	tags := tagsOf(text)
	var err error
	key, hasKey := tags["p"]
	version, hasVersion := tags["v"]
	switch kind := tags["k"]; {
	case hasVersion && (version != "DKIM1" || !strings.HasPrefix(text, "v=")), !hasVersion && !hasKey:
		err = errNoDKIM
	case hasKey && key == "":
	case kind == "" || kind == "rsa":
		_, err = rsaText(key)
	case kind == "ed25519":
		_, err = ed25519Text(key)
	default:
		err = errNoDKIM
	}
	return text, err
}

var errNoDKIM = errors.New("its record is none of DKIM: write one like v=DKIM1; k=rsa; p=BASE64")

// tagsOf returns the tags of a text like v=DKIM1; p=BASE64, without white space, which keys may have (RFC 6376 §3.2).
func tagsOf(text string) map[string]string {
	tags := make(map[string]string)
	for part := range strings.SplitSeq(text, ";") {
		tag, value, _ := strings.Cut(part, "=")
		tags[strings.TrimSpace(tag)] = strings.Join(strings.Fields(value), "")
	}
	return tags
}

// keyText returns the text of the record with a key.
func keyText(spki []byte) (string, error) {
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return "", errNoKey
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(spki), nil
	case ed25519.PublicKey:
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key), nil
	}
	return "", errors.New("the key is of a kind that DKIM does not have: write an RSA or Ed25519 key (RFC 8463)")
}

// rsaText returns the text of the record with an RSA key in base64. Some write the key alone (RFC 8017 §A.1.1), where
// receivers expect it with its kind, as in PEM.
func rsaText(encoded string) (string, error) {
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err == nil {
		var spki []byte
		if spki, err = spkiOf(der); err == nil {
			return keyText(spki)
		}
		if isPrivate(der) {
			return "", errPrivate
		}
	}
	return "", errors.New("the base64 is of no RSA key: " +
		"write what stands between the first and the last line of its PEM file, as one word")
}

// spkiOf returns an RSA key with its kind.
func spkiOf(der []byte) ([]byte, error) {
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		if _, isRSA := key.(*rsa.PublicKey); isRSA {
			return der, nil
		}
		return nil, errNoKey
	}
	key, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		return nil, errNoKey
	}
	return x509.MarshalPKIXPublicKey(key)
}

// ed25519Text returns the text of the record with an Ed25519 key in base64 (RFC 8463 §4.2).
func ed25519Text(encoded string) (string, error) {
	key, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case err == nil && isPrivate(key):
		return "", errPrivate
	case err != nil || len(key) != ed25519.PublicKeySize:
		return "", errors.New("the base64 is of no Ed25519 key: write that of the 32 octets of one, " +
			"which openssl pkey -in FILE -pubout -outform DER | tail -c 32 | base64 prints")
	}
	return "v=DKIM1; k=ed25519; p=" + encoded, nil
}
