package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// A zoneKey is a key made by dnssec-keygen.
type zoneKey struct {
	name   string // of its files, without the ending
	path   string // of the public one
	dnskey *dns.DNSKEY
}

// keygen makes the key of a zone in a directory.
func keygen(t *testing.T, dir, zone string) zoneKey {
	t.Helper()
	out, err := exec.Command(rig.Peer(t, "dnssec-keygen"), "-q", "-K", dir, "-a", "ECDSAP256SHA256", "-f", "KSK", zone).Output()
	if err != nil {
		t.Fatalf("dnssec-keygen: %v", err)
	}
	name := strings.TrimSpace(string(out))
	path := filepath.Join(dir, name+".key")
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rr, err := dns.ReadRR(f, path)
	if err != nil {
		t.Fatal(err)
	}
	return zoneKey{name, path, rr.(*dns.DNSKEY)}
}

// delv returns what delv says of a question to a server, and whether all of it validates with the key.
func (k zoneKey) delv(t *testing.T, s *server, question string) (said string, validated bool) {
	t.Helper()
	anchor, zone := filepath.Join(s.Dir, "anchor"), k.dnskey.Hdr.Name
	write(t, anchor, fmt.Sprintf("trust-anchors { %s static-key %d 3 %d %q; };\n", zone, k.dnskey.Flags, k.dnskey.Algorithm, k.dnskey.PublicKey))
	host, port, _ := strings.Cut(s.addr, ":")
	name, qtype, _ := strings.Cut(question, " ")
	out, err := exec.Command(rig.Peer(t, "delv"), "@"+host, "-p", port, "-a", anchor, "+root="+zone, name, qtype).CombinedOutput()
	if said = string(out); err != nil {
		t.Errorf("delv %s: %v\n%s", question, err, said)
	}
	return said, strings.Contains(said, "fully validated\n") && !notValidated.MatchString(said)
}

// notValidated is what delv says of a part that it cannot validate.
var notValidated = regexp.MustCompile(`(?m)^; .*(unsigned|untrusted|pending|unchecked|unvalidated)`)

// authoritativeOverlay is overlay as an authoritative zone.
func authoritativeOverlay() string {
	block := strings.Replace(overlay, "    file db.example.com\n", "", 1)
	return strings.Replace(block, "mxsrv {\n", "mxsrv {\n        authoritative {\n            ns ns\n        }\n        host ns 192.0.2.1\n", 1)
}

// signedServers starts overlay in each mode, with and without cache, and calls
// f with it.
func signedServers(t *testing.T, f func(t *testing.T, s *server, key zoneKey)) {
	t.Helper()
	for _, mode := range []struct {
		name, corefile, plugins string
	}{{"authoritative", authoritativeOverlay(), ""}, {"authoritative, cached", authoritativeOverlay(), "cache"}, {"over a file", overlay, ""}, {"over a file, cached", overlay, "cache"}} {
		t.Run(mode.name, func(t *testing.T) {
			dir := t.TempDir()
			key := keygen(t, dir, "example.com")
			write(t, filepath.Join(dir, "db.example.com"), overlayZone)
			plugins := "    errors\n    " + mode.plugins + "\n    dnssec {\n        key file " + key.name + "\n    }\n"
			f(t, start(t, dir, strings.Replace(mode.corefile, "    errors\n", plugins, 1)), key)
		})
	}
}

// denied are questions whose answer is that there is none: another type of a
// name that is declared, a name between names, and names that are not there.
var denied = []string{"sub1.example.com TXT", "sub1.example.com CAA", "a.b.c.example.com HTTPS", "mx1.example.com AAAA", "example.com TXT",
	"_ldap._tcp.example.com TXT", "_tcp.example.com A", "the.tree.example.com TXT", "www.example.com MX", "www.example.com AAAA",
	"nosuch.example.com MX", "nosuch.sub1.example.com A", "below.www.example.com A"}

// TestDelv: all that is declared and all that is denied validates with the key
// of the zone.
func TestDelv(t *testing.T) {
	signedServers(t, func(t *testing.T, s *server, key zoneKey) {
		ask := func(question, want string) {
			t.Helper()
			if said, validated := key.delv(t, s, question); !validated || !strings.Contains(said, want) {
				t.Errorf("%s: want %q\n%s", question, want, said)
			}
		}
		for _, q := range append([]string{"example.com SOA", "example.com NS", "example.com DNSKEY", "www.example.com CNAME"}, overlayNames...) {
			ask(q, "RRSIG")
		}
		for _, q := range denied {
			ask(q, ";-$NXRRSET")
		}
	})
}

// TestUnboundValidates: a resolver that has the key, and learns from denials
// what there is not (RFC 8198), resolves all that is declared, in any order of
// asking.
func TestUnboundValidates(t *testing.T) {
	unbound := rig.Peer(t, "unbound")
	signedServers(t, func(t *testing.T, s *server, key zoneKey) {
		for seed := range uint64(3) {
			resolver := startUnbound(t, unbound, s.addr, fmt.Sprintf("trust-anchor-file: %q", key.path))
			var asked []string
			ask := func(q string) {
				m := query(t, q)
				m.SetEdns0(1232, true)
				res := resolver.ask(t, "udp", m)
				asked = append(asked, q)
				declared := slices.Contains(overlayNames, q)
				if !res.AuthenticatedData || declared && len(res.Answer) == 0 || res.Rcode != dns.RcodeSuccess && res.Rcode != dns.RcodeNameError {
					t.Errorf("%s after %v: %v", q, asked, res)
				}
			}
			questions := slices.Concat(overlayNames, denied)
			rnd := rand.New(rand.NewPCG(seed, 0))
			rnd.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
			// The denials of a sub-domain first, of which its MX was lost.
			for _, q := range append([]string{"sub1.example.com TXT", "sub1.example.com CAA", "sub1.example.com MX"}, questions...) {
				ask(q)
			}
		}
	})
}

// TestSignatures verifies every RRset of every section, addresses included, of
// answers about random sets.
func TestSignatures(t *testing.T) {
	for seed, tested := uint64(100), 0; tested < 3; seed++ {
		g, dir := generate(seed), t.TempDir()
		g.verdicts(t, dir)
		tested++
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			key := keygen(t, dir, g.zones[0]) // dnssec signs all zones of the block with all its keys
			s := start(t, dir, corefileOf(t, []*generated{g}, "dnssec {\nkey file "+key.name+"\n}"))
			verified := map[string]int{}
			for i, q := range newCurious(g).questions(2000) {
				if g.zoneOf(strings.ToLower(q.name)) == "" {
					continue
				}
				m := query(t, q.name+" "+dns.Type(q.qtype).String())
				m.SetEdns0(4096, true)
				res := s.ask(t, []string{"udp", "tcp"}[i%2], m)
				for _, wrong := range verify(g, key.dnskey, res, verified) {
					t.Errorf("%s %v: %s\n%v", q.name, dns.Type(q.qtype), wrong, res)
				}
				if t.Failed() {
					return
				}
			}
			t.Logf("verified: %v", verified)
		})
	}
}

// TestNestedSigned: a zone within another one that dnssec signs is not served where no resolver could validate it: one of
// the two is not authoritative, or is not a zone of the server block; a reload with one leaves what is served.
func TestNestedSigned(t *testing.T) {
	const both, outer = "example.com:1053 inner.example.com:1053", "authoritative {\n ns ns.example.net.\n }\n"
	for _, tc := range []struct{ name, head, stanza string }{
		{"overlays", both, "mxsrv {\n"},
		{"one in the head", "example.com:1053", "mxsrv example.com inner.example.com {\n" + outer},
		{"the inner one alone", "example.com:1053", "mxsrv inner.example.com {\n"},
		{"the outer one is authoritative", both, "mxsrv inner.example.com {\n}\nmxsrv example.com {\n" + outer},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			key := keygen(t, dir, "example.com")
			good := "example.com:1053 {\n bind 127.0.0.1\n dnssec {\n  key file " + key.name + "\n }\n mxsrv {\n  host h 192.0.2.1\n }\n}\n"
			s := start(t, dir, good)
			bad := strings.NewReplacer("mxsrv {", tc.stanza, "192.0.2.1", "192.0.2.2").Replace(read(t, filepath.Join(s.Dir, "Corefile")))
			_, port, _ := strings.Cut(s.addr, ":")
			bad = strings.Replace(bad, "example.com:"+port, strings.ReplaceAll(tc.head, "1053", port), 1)
			write(t, filepath.Join(s.Dir, "Corefile"), bad)
			const want = "error: zone inner.example.com. is within example.com.,"
			eventually(t, s, want, func() bool {
				if err := s.Signal(syscall.SIGUSR1); err != nil { // lost until CoreDNS listens for it
					t.Fatal(err)
				}
				return strings.Contains(s.String(), want)
			})
			if got := format(s.ask(t, "udp", query(t, "h.example.com. A"))); !strings.Contains(got, "A 192.0.2.1\n") {
				t.Errorf("after the reload\n%s\nwant what was there before", got)
			}
		})
	}
}

// verify returns what is not signed, or wrongly, in a message; it counts what is
// by section.
func verify(g *generated, key *dns.DNSKEY, m *dns.Msg, verified map[string]int) []string {
	if m.Truncated {
		return nil
	}
	var wrong []string
	for _, section := range []struct {
		name string
		rrs  []dns.RR
	}{{"answer", m.Answer}, {"authority", m.Ns}, {"additional", m.Extra}} {
		rrsets := map[string][]dns.RR{}
		sigs := map[string]*dns.RRSIG{}
		for _, rr := range section.rrs {
			h := rr.Header()
			switch rr := rr.(type) {
			case *dns.OPT:
			case *dns.RRSIG:
				sigs[h.Name+dns.Type(rr.TypeCovered).String()] = rr
			default:
				rrsets[h.Name+dns.Type(h.Rrtype).String()] = append(rrsets[h.Name+dns.Type(h.Rrtype).String()], rr)
			}
		}
		for name, rrset := range rrsets {
			if err := verifyRRset(g, key, rrset, sigs[name]); err != "" {
				wrong = append(wrong, fmt.Sprintf("%s in %s: %s", name, section.name, err))
				continue
			}
			verified[section.name]++
		}
	}
	return wrong
}

func verifyRRset(g *generated, key *dns.DNSKEY, rrset []dns.RR, sig *dns.RRSIG) string {
	if g.isDelegated(rrset[0]) {
		if sig != nil {
			return "signed, and of a delegated zone"
		}
		return ""
	}
	if sig == nil {
		return "not signed"
	}
	if zone := g.signerOf(rrset[0]); sig.SignerName != zone {
		return fmt.Sprintf("signed by %s, want %s", sig.SignerName, zone)
	}
	of := *key
	of.Hdr.Name = sig.SignerName
	for _, rr := range rrset { // miekg/dns unpacks these strings as they are, and packs them as having escapes
		switch rr := rr.(type) {
		case *dns.CAA:
			rr.Value = strings.ReplaceAll(rr.Value, `\`, `\\`)
		case *dns.URI:
			rr.Target = strings.ReplaceAll(rr.Target, `\`, `\\`)
		}
	}
	if err := sig.Verify(&of, rrset); err != nil {
		return err.Error()
	}
	return ""
}

// isDelegated reports whether a record is of a delegated zone: its NS records, and what is below.
func (g *generated) isDelegated(rr dns.RR) bool {
	h := rr.Header()
	for name := h.Name; name != "" && g.soas[name] == nil; name = parentOf(name) {
		isCut := slices.ContainsFunc(g.records[g.zoneOf(h.Name)], func(other dns.RR) bool {
			return other.Header().Name == name && other.Header().Rrtype == dns.TypeNS
		})
		if isCut && (name != h.Name || h.Rrtype == dns.TypeNS) {
			return true
		}
	}
	return false
}

// signerOf returns the zone that signs a record: that of its owner, but of a DS record and of the proof that there is
// none the one above.
func (g *generated) signerOf(rr dns.RR) string {
	name, above := rr.Header().Name, rr.Header().Rrtype == dns.TypeDS
	if nsec, ok := rr.(*dns.NSEC); ok {
		above = slices.Contains(nsec.TypeBitMap, dns.TypeNS) && !slices.Contains(nsec.TypeBitMap, dns.TypeSOA)
	}
	if above {
		return g.zoneOf(parentOf(name))
	}
	return g.zoneOf(name)
}
