package publish

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"
)

// public returns a public key in PEM form, always the same for a name: of Ed25519, RFC 8410 §10.1.
func public(name string) string {
	key := sha256.Sum256([]byte(name))
	return "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA" + base64.StdEncoding.EncodeToString(key[:]) + "\n-----END PUBLIC KEY-----\n"
}

// keysOf returns the names of the public keys that a publisher serves as TLSA records of mx.example.org.
func keysOf(p *Publisher) string {
	var names []string
	_, a := p.Table().Lookup("_25._tcp.mx.example.org.", dns.TypeTLSA)
	for _, rr := range a.RRs {
		for _, name := range []string{"one", "two", "three"} {
			block, _ := pem.Decode([]byte(public(name)))
			if sum := sha256.Sum256(block.Bytes); rr.(*dns.TLSA).Certificate == hex.EncodeToString(sum[:]) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestKeys: a key file is followed, wherever it is named. While it is bad the last good one is served, by a publisher that
// takes over too; nothing of it is said; and once it is corrected it is served.
func TestKeys(t *testing.T) {
	const (
		host   = "host mx 192.0.2.1 {\n tlsa 25 DIR/k.pem\n}\n"
		inline = "mxsrv {\n" + host + "mail a none\n}"
		file   = "mxsrv {\n file DIR/m.conf\n}"
		never  = "mxsrv {\n" + host + "mail a none\n reload 0\n}"
	)
	bad := []struct{ name, text, want string }{
		{"gone", "", `error: "k.pem": no such file or directory: create k.pem, or write the path of another file`},
		{"broken", " SECRET", `error: "k.pem": it has no public key: `},
		{"private", " -----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIASECRET\n-----END PRIVATE KEY-----\n", `error: "k.pem" has a private key, `},
		{"too large", " " + strings.Repeat("SECRET\n", 1<<14), `error: "k.pem": 114688 octets, of which a file may have at most 65536: `},
	}
	for _, from := range []struct{ name, corefile string }{{"Corefile", inline}, {"file", file}, {"Corefile with reload 0", never}} {
		for _, tc := range bad {
			t.Run(tc.name+" in a "+from.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := directory{t, t.TempDir()}
					d.write("k.pem "+public("one"), "m.conf "+strings.ReplaceAll(host, "DIR", d.path)+"mail a none\n")
					running, log := d.publisher(from.corefile, nil)
					if err := running.Load(); err != nil {
						t.Fatal(d.lines(err.Error()))
					}
					running.Follow()
					defer running.Stop()
					followed := from.corefile != never
					d.write("k.pem" + tc.text)
					if got := keysOf(running); got != "one" || running.Status().Failed != followed {
						t.Errorf("serving %q, failed %v", got, running.Status().Failed)
					}
					if followed {
						expectBad(t, d.lines(log.errors...), tc.want)
					}

					p, log := d.publisher(strings.Replace(from.corefile, "{\n", "{\nmail new none\n", 1), []*Publisher{running})
					if err := p.Load(); err != nil {
						t.Fatal(d.lines(err.Error()))
					}
					p.Follow()
					defer p.Stop()
					expectBad(t, d.lines(log.errors...), tc.want)
					if got := serving(p); got != "a new" || keysOf(p) != "one" || !p.Status().Failed {
						t.Errorf("serving %q with key %q, failed %v", got, keysOf(p), p.Status().Failed)
					}
					d.write("k.pem " + public("two"))
					if got := keysOf(p); (got == "two") != followed || p.Status().Failed == followed {
						t.Errorf("corrected: key %q, failed %v\n%s", got, p.Status().Failed, strings.Join(log.errors, "\n"))
					}
				})
			})
		}
	}
}

// expectBad checks that errors start with one, end with what is served, and have nothing of a key file.
func expectBad(t *testing.T, errs []string, want string) {
	t.Helper()
	all := strings.Join(errs, "\n")
	if _, first, _ := strings.Cut(errs[0], " "); !strings.HasPrefix(first, want) || !strings.Contains(errs[len(errs)-1], ": rejected: ") ||
		strings.Contains(all, "SECRET") || strings.Contains(all, "KEY-----") {
		t.Errorf("errors\n%s\nwant\n%s", all, want)
	}
}

// TestKeysPatched: a change of a text is a patch, one of a key file is not, and after it texts are patched with the new
// key. A key file that a new text names is read with it, and followed from then on, also if it is not there yet.
func TestKeysPatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := directory{t, t.TempDir()}
		declare := func(ttl, keys string) string {
			return "m.conf host mx 192.0.2.1 {\n ttl " + ttl + "\n tlsa 25 " + strings.ReplaceAll(keys, "DIR", d.path) + "\n}\nmail b 10 mx\n"
		}
		d.write("k.pem "+public("one"), declare("60", "DIR/k.pem"))
		p, log := d.publisher("mxsrv {\n file DIR/m.conf\n}", nil)
		if err := p.Load(); err != nil {
			t.Fatal(err)
		}
		p.Follow()
		defer p.Stop()
		for _, step := range []struct{ file, keys, did string }{
			{declare("61", "DIR/k.pem"), "one", "patched 3 names"},
			{"k.pem " + public("two"), "two", "loaded"},
			{declare("62", "DIR/k.pem"), "two", "patched 3 names"},
			{"k.pem " + public("two"), "two", ""},
			{"n.pem " + public("one"), "two", ""},
			{declare("62", "DIR/k.pem DIR/n.pem"), "one two", "patched 3 names"},
			{"n.pem " + public("three"), "three two", "loaded"},
			{declare("62", "DIR/k.pem DIR/o.pem"), "three two", ""},
			{"o.pem " + public("one"), "one two", "loaded"},
			{declare("62", "DIR/k.pem"), "two", "patched 3 names"},
		} {
			log.infos = nil
			d.write(step.file)
			_, did, _ := strings.Cut(strings.Join(log.infos, "\n"), ": ")
			did, _, _ = strings.Cut(did, ", ")
			if got := keysOf(p); got != step.keys || did != step.did {
				t.Errorf("%q: serving %q, %q, want %q, %q", step.file, got, did, step.keys, step.did)
			}
		}
	})
}
