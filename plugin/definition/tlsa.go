package definition

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// tlsa reads: tlsa PORT KEY... These are the keys of the server at a port of the host (RFC 7672 §3.1), by their hashes:
// that of a key outlives certificates.
func (p *policies) tlsa(s Statement) {
	port, ok := p.port(s, s.Words[1])
	if !ok {
		return
	}
	var sums []string
	for _, key := range s.Words[2:] {
		if sum, ok := p.keySum(s, key); ok {
			sums = append(sums, sum)
		}
	}
	if len(sums) < len(s.Words[2:]) {
		return // the others alone would be a record of one key, which is not what the line says
	}
	for _, sum := range sums {
		const daneEE, spki, sha2 = "\x03", "\x01", "\x01"
		p.record(s, "_"+strconv.Itoa(int(port))+"._tcp", dns.TypeTLSA, daneEE+spki+sha2+sum)
	}
}

func (r *Reader) port(s Statement, word string) (uint16, bool) {
	return r.parseUint16(s.Pos, s.Words[0]+": port", word, 1)
}

// keySum returns the SHA-256 of a public key.
func (p *policies) keySum(s Statement, key string) (string, bool) {
	if digits, isWritten := strings.CutPrefix(key, "sha256:"); isWritten {
		sum, err := hex.DecodeString(digits)
		if err != nil || len(sum) != sha256.Size {
			p.errs.add(s.Pos, TLSAKey, "%q: write sha256: and 64 hexadecimal digits", key)
			return "", false
		}
		return string(sum), true
	}
	content, ok := p.file(s, key, TLSAKey, "write sha256: and the SHA-256 of the public key in DER, in hexadecimal")
	if !ok {
		return "", false
	}
	spki, err := publicKey(content)
	if err != nil {
		p.errs.add(s.Pos, TLSAKey, "%q: %v", key, err)
		return "", false
	}
	sum := sha256.Sum256(spki)
	return string(sum[:]), true
}
