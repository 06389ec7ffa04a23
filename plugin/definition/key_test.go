package definition

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// keyFiles are files with keys, and the base64 of the RSA and the Ed25519 key.
type keyFiles struct {
	files        map[string]string
	rsa, ed25519 string
	sums         map[string]string // SHA-256 of public keys, by the kind
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// must returns its first argument: keys of a test are made without mistakes.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newKeyFiles() keyFiles {
	rsaKey := must(rsa.GenerateKey(rand.Reader, 1024))
	ecKey := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	edPublic, edKey, _ := ed25519.GenerateKey(rand.Reader)
	k := keyFiles{files: map[string]string{}, sums: map[string]string{}, ed25519: base64.StdEncoding.EncodeToString(edPublic)}
	for kind, key := range map[string]crypto.Signer{"rsa": rsaKey, "ec": ecKey, "ed": edKey} {
		spki := must(x509.MarshalPKIXPublicKey(key.Public()))
		sum := sha256.Sum256(spki)
		k.sums[kind] = hex.EncodeToString(sum[:])
		if kind == "rsa" {
			k.rsa = base64.StdEncoding.EncodeToString(spki)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
		k.files[kind+".pub.pem"] = inPEM("PUBLIC KEY", spki)
		k.files[kind+".crt"] = inPEM("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)))
		k.files[kind+".pem"] = inPEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key)))
	}
	f := k.files
	f["rsa.pkcs1.pem"] = inPEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey))
	f["chain.pem"] = "subject=CN = mx1\n" + f["ec.crt"] + "\n" + f["rsa.crt"]
	f["both.pem"] = f["ec.crt"] + f["ec.pem"]
	f["keys/rsa.private"] = inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))
	f["rsa.txt"] = "s\tIN\tTXT\t( \"v=DKIM1; h=sha256; k=rsa; \"\n\t  \"p=" + k.rsa[:200] + "\"\n\t  \"" + k.rsa[200:] + "\" )  ; ----- DKIM key s for example.org\n"
	f["ed.txt"] = `s IN TXT "v=DKIM1\; k=ed25519\; p=` + k.ed25519 + `"`
	f["bare.txt"] = `s TXT "v=DKIM1; p=` + k.rsa + `"`
	f["no-version.txt"], f["revoked.txt"] = `s TXT "k=rsa; p=`+k.rsa+`"`, `s TXT "v=DKIM1; k=rsa; p="`
	f["console.txt"] = "v=DKIM1; k=rsa;\r\n p=" + k.rsa + "\r\n"
	f["console-other.txt"] = "v=DKIM1; k=secret; p=" + k.rsa
	f["bom.pem"] = "\ufeff" + f["rsa.pub.pem"]
	f["keys/id.key"] = inPEM("OPENSSH PRIVATE KEY", []byte("secret"))
	f["damaged.crt"] = inPEM("CERTIFICATE", []byte("secret"))
	f["damaged.pub.pem"] = inPEM("PUBLIC KEY", []byte("secret"))
	f["half.pem"] = f["rsa.pub.pem"][:60]
	f["request.pem"] = inPEM("CERTIFICATE REQUEST", []byte("secret"))
	f["text"], f["empty"] = "secret\n", ""
	f["ed-as-rsa.txt"] = `s TXT "v=DKIM1; k=rsa; p=` + k.ed25519 + `"`
	f["other-kind.txt"] = `s TXT "v=DKIM1; k=secret; p=` + k.rsa + `"`
	f["no-key.txt"] = `s TXT "v=DKIM1; k=rsa"`
	f["no-tags.txt"] = `s TXT secret`
	f["spf.txt"] = `@ TXT "v=spf1 secret"`
	f["version-last.txt"] = `s TXT "p=` + k.rsa + `; v=DKIM1"`
	f["two.txt"] = f["bare.txt"] + "\n" + f["bare.txt"]
	f["include.txt"] = "$INCLUDE secret"
	f["a.txt"] = "s A 192.0.2.1"
	return k
}

// TestKeyFiles: what the record of a key in a file or in the line is.
func TestKeyFiles(t *testing.T) {
	k := newKeyFiles()
	pkcs1 := strings.Join(strings.Split(k.files["rsa.pkcs1.pem"], "\n")[1:], "")
	pkcs1, _, _ = strings.Cut(pkcs1, "-")
	rsaRecord, edRecord := "v=DKIM1; k=rsa; p="+k.rsa, "v=DKIM1; k=ed25519; p="+k.ed25519
	for key, want := range map[string]string{
		"rsa.pub.pem": rsaRecord, "rsa.pkcs1.pem": rsaRecord, "rsa:" + k.rsa: rsaRecord, "rsa:" + pkcs1: rsaRecord,
		"bom.pem": rsaRecord, "ed.pub.pem": edRecord, "ed25519:" + k.ed25519: edRecord, "ed.txt": edRecord,
		"console.txt": rsaRecord, "rsa.txt": "v=DKIM1; h=sha256; k=rsa; p=" + k.rsa, "bare.txt": "v=DKIM1; p=" + k.rsa,
		"no-version.txt": "k=rsa; p=" + k.rsa, "revoked.txt": "v=DKIM1; k=rsa; p=",
	} {
		set, errs := readWith("mail m none {\ndkim s "+key+"\n}", k.files)
		if len(errs) > 0 || len(set.Records) != 1 || joinStrings(set.Records[0].Data) != want {
			t.Errorf("%s: %v, %v, want %s", key, errs, set.Records, want)
		}
		roundTrip(t, set, Zones{"example.org."})
	}
	for key, want := range map[string]string{
		"rsa.pub.pem": "rsa", "rsa.pkcs1.pem": "rsa", "ec.pub.pem": "ec", "ed.pub.pem": "ed",
		"bom.pem": "rsa", "rsa.crt": "rsa", "ec.crt": "ec", "ed.crt": "ed", "chain.pem": "ec", "sha256:" + k.sums["rsa"]: "rsa",
	} {
		set, errs := readWith("host a 192.0.2.1 {\ntlsa 25 "+key+"\n}", k.files)
		if got, want := declared(t, set), "_25._tcp.a TLSA 3 1 1 "+k.sums[want]; len(errs) > 0 || got != want {
			t.Errorf("%s: %v, %s, want %s", key, errs, got, want)
		}
	}
}

// TestBadKeyFiles: what is wrong with a file, without its content.
func TestBadKeyFiles(t *testing.T) {
	const (
		noRSA     = "the base64 is of no RSA key: write what stands between the first and the last line of its PEM file, as one word"
		noKey     = "it has no public key: write a file with one, or with a certificate, in PEM"
		neither   = "it has no public key: write a file with one in PEM, or with the TXT record that opendkim-genkey writes"
		noDKIM    = "its record is none of DKIM: write one like v=DKIM1; k=rsa; p=BASE64"
		otherKind = "the key is of a kind that DKIM does not have: write an RSA or Ed25519 key (RFC 8463)"
		noFile    = "no such file: create it"
		isPrivate = " has a private key, which does not belong on a DNS server: write the public one, which openssl pkey -in %s -pubout -out %s makes"
		ssh       = " has a private key, which does not belong on a DNS server: write the public one, which ssh-keygen -e -m PKCS8 -f keys/id.key >keys/id.pub.pem makes"
		noCert    = "its certificate cannot be read: write a file with one in PEM"
	)
	private := func(in, out string) string { return fmt.Sprintf(isPrivate, in, out) }
	k := newKeyFiles()
	for _, tc := range []struct{ key, dkim, tlsa string }{
		{"none", noFile, noFile},
		{"empty", " is empty: write the name of another file", " is empty: write the name of another file"},
		{"rsa.pem", private("rsa.pem", "rsa.pub.pem"), private("rsa.pem", "rsa.pub.pem")},
		{"both.pem", private("both.pem", "both.pub.pem"), private("both.pem", "both.pub.pem")},
		{"keys/rsa.private", private("keys/rsa.private", "keys/rsa.pub.pem"), private("keys/rsa.private", "keys/rsa.pub.pem")},
		{"keys/id.key", ssh, ssh},
		{"text", neither, noKey},
		{"half.pem", noKey, noKey},
		{"request.pem", noKey, noKey},
		{"damaged.crt", noCert, noCert},
		{"damaged.pub.pem", noKey, noKey},
		{"ec.pub.pem", otherKind, ""},
		{"ed-as-rsa.txt", noRSA, noKey},
		{"no-key.txt", noRSA, noKey},
		{"other-kind.txt", noDKIM, noKey},
		{"console-other.txt", noDKIM, noKey},
		{"version-last.txt", noDKIM, noKey},
		{"no-tags.txt", noDKIM, noKey},
		{"spf.txt", noDKIM, noKey},
		{"two.txt", neither, noKey},
		{"include.txt", neither, noKey},
		{"a.txt", neither, noKey},
	} {
		for line, want := range map[string]string{"mail m none {\ndkim s ": tc.dkim, "host m 192.0.2.1 {\ntlsa 25 ": tc.tlsa} {
			if want != "" {
				want = fmt.Sprintf("x:2: %q%s", tc.key, map[bool]string{true: "", false: ": "}[want[0] == ' ']) + want
			}
			set, errs := readWith(line+tc.key+"\n}", k.files)
			if got := errs.Error(); got != want || strings.Contains(got, "secret") || (len(set.Records) > 0) != (want == "") {
				t.Errorf("%s%s: %s\nwant\n%s", line, tc.key, got, want)
			}
			for _, e := range errs {
				wantID := map[bool]string{true: TLSAKey, false: DKIMKey}[strings.HasPrefix(line, "host")]
				if want := map[bool]string{true: FileUnreadable, false: wantID}[tc.key == "none" || tc.key == "empty"]; e.ID != want {
					t.Errorf("%s: id %s, want %s", tc.key, e.ID, want)
				}
			}
		}
	}
}

// TestPrivateKeyInLine: a private key that somebody writes out is not quoted, whatever stands before it.
func TestPrivateKeyInLine(t *testing.T) {
	const (
		private = ": it is a private key, which does not belong on a DNS server: write the public one, of the file that " +
			"openssl pkey -in FILE -pubout makes"
		noKind = ": no such file, and no such kind of key: write "
		dkim   = "dkim" + noKind + "the key out, as rsa:BASE64 or ed25519:BASE64"
		tlsa   = "tlsa" + noKind + "sha256: and the SHA-256 of the public key in DER, in hexadecimal"
	)
	k := newKeyFiles()
	inLine := func(file string) string {
		block, _ := pem.Decode([]byte(k.files[file]))
		return base64.StdEncoding.EncodeToString(block.Bytes)
	}
	for _, tc := range []struct{ key, dkim, tlsa string }{
		{inLine("rsa.pem"), dkim, tlsa},
		{inLine("ed.pem"), dkim, tlsa},
		{"rsa:" + inLine("rsa.pem"), "rsa" + private, tlsa},
		{"rsa:" + inLine("keys/rsa.private"), "rsa" + private, tlsa},
		{"ed25519:" + inLine("ed.pem"), "ed25519" + private, tlsa},
		{"private:" + inLine("rsa.pem"), dkim, tlsa},
		{"SHA256:" + k.sums["rsa"], dkim, tlsa},
	} {
		for line, want := range map[string]string{"mail m none {\ndkim s ": tc.dkim, "host m 192.0.2.1 {\ntlsa 25 ": tc.tlsa} {
			if _, errs := readWith(line+tc.key+"\n}", k.files); errs.Error() != "x:2: "+want {
				t.Errorf("%s%s: %v\nwant\n%s", line, tc.key, errs, want)
			}
		}
	}
}

// TestKeysAllOrNone: of a line with a bad key no other one is declared, of which rules would say that it is the only one.
func TestKeysAllOrNone(t *testing.T) {
	set, errs := readWith("host m 192.0.2.1 {\ntlsa 25 sha256:"+strings.Repeat("00", 32)+" none.pem\n}", nil)
	if want := `x:2: "none.pem": no such file: create it`; errs.Error() != want || len(set.Records) > 0 {
		t.Errorf("%v, %v\nwant\n%s", set.Records, errs, want)
	}
}

// FuzzKeyFile: whatever is in a file, it is read without a panic, and what is read is printed and read again.
func FuzzKeyFile(f *testing.F) {
	for _, content := range newKeyFiles().files {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content string) {
		set, _ := readWith("mail m none {\ndkim s f\n}\nmail n 10 m {\nmta-sts f\n}\nhost m 192.0.2.1 {\ntlsa 25 f\n}", map[string]string{"f": content})
		roundTrip(t, set, Zones{"example.org."})
	})
}
