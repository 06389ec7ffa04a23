package test

import (
	"crypto/ecdsa"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// TestRefusedConfigurations: the server does not start, and says where the
// mistake is, which rule it breaks and what to write.
func TestRefusedConfigurations(t *testing.T) {
	for _, tc := range []struct{ name, block, want string }{
		{"stray word", "hots mx1 192.0.2.1", `Corefile:3: error: unknown word "hots": write host [syntax]`},
		{"missing address", "host mx1", `Corefile:3: error: usage: host NAME ADDRESS... [syntax]`},
		{"number out of range", "mail @ 70000 mx1", `Corefile:3: error: preference "70000": write a number from 0 to 65535 [value-out-of-range, RFC 1035 §3.3.9, RFC 2782, RFC 2181 §8]`},
		{"address as exchange", "mail @ 10 192.0.2.1", `Corefile:3: error: "192.0.2.1" is an address: declare it with "host NAME 192.0.2.1" and write the name [target-is-address,`},
		{"alias as exchange", "host web1 192.0.2.1\nalias mx web1\nmail @ 10 mx", `Corefile:5: error: exchange mx.example.org. of example.org. is an alias: write web1.example.org. [mx-target-alias, RFC 2181 §10.3]`},
		{"two mistakes", "host mx1\nmail @ ten", `Corefile:4: error: usage: mail NAME...`},
		{"unclosed quote", `mail @ 10 "mx1`, `is not closed on its line`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			corefile := "example.org:" + freePort(t) + " {\n mxsrv {\n" + tc.block + "\n }\n}\n"
			if tc.name == "unclosed quote" {
				corefile += "\"\n}\n}\n"
			}
			write(t, filepath.Join(dir, "Corefile"), corefile)
			cmd := exec.Command(coredns)
			cmd.Dir = dir
			p := runProcess(t, cmd, "")
			if code, err := p.Wait(rig.Limit); err != nil || code == 0 || !strings.Contains(p.String(), tc.want) {
				t.Errorf("exit code %d, %v\n%s\nwant another than 0 and %s", code, err, p, tc.want)
			}
		})
	}
}

// TestWarnings: what may be wrong is logged once, and served. Where a plugin comes before or after mxsrv matters.
func TestWarnings(t *testing.T) {
	for _, tc := range []struct{ name, plugins, block, want string }{
		{"records", "cache\nminimal", "host mx1 192.0.2.1 {\nttl 60\n}\nmail @ 10 mx1",
			"glue-ttl-lower mail-single-host minimal-strips-glue"},
		{"ignored", "minimal", "ignore mail-single-host minimal-strips-glue\nhost mx1 127.0.0.1\nmail @ 10 mx1",
			"address-special"},
		{"before", "template IN TXT {\nrcode NXDOMAIN\n}\nwhoami", "host mx1 192.0.2.1", "template-in-front"},
		{"after, and never asked", "errors\nwhoami", "host mx1 192.0.2.1\nauthoritative {\nns ns.example.net.\n}",
			"behind-unreached"},
		{"transferred without what is after it", "transfer {\nto *\n}\nwhoami",
			"host mx1 192.0.2.1\nfallthrough\nauthoritative {\nns ns.example.net.\n}", "transfer-incomplete"},
		{"transferred whole", "transfer {\nto *\n}", "host mx1 192.0.2.1\nauthoritative {\nns ns.example.net.\n}", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := start(t, t.TempDir(), "example.org:1053 {\nbind 127.0.0.1\n"+tc.plugins+"\nmxsrv {\n"+tc.block+"\n}\n}\n")
			var got []string
			for _, m := range regexp.MustCompile(`(?m)^\[WARNING\] .* \[([a-z-]+)[],]`).FindAllStringSubmatch(s.String(), -1) {
				got = append(got, m[1])
			}
			slices.Sort(got)
			if strings.Join(got, " ") != tc.want {
				t.Errorf("%v, want %s\n%s", got, tc.want, s)
			}
		})
	}
}

const overlayZone = `example.com. 300 IN SOA ns.example.com. admin.example.com. 7 7200 1800 86400 300
example.com. 300 IN NS ns.example.com.
ns.example.com. 300 IN A 192.0.2.1
`

const overlay = `example.com:1053 {
    bind 127.0.0.1
    errors
    view all {
        expr true
    }
    mxsrv {
        host mx1 192.0.2.10
        host mx2 198.51.100.20 2001:db8::20
        host deep.in.the.tree 192.0.2.30
        mail @ sub1 a.b.c 10 mx1 mx2
        mail noreply none
        service _ldap._tcp 0 0 389 mx1
        service _gopher._tcp none
        service _kerberos._udp.dc._msdcs 0 0 88 mx2
        alias www web.shop mx1
    }
    file db.example.com
}`

// overlayNames are declared in overlay and unknown to the zone behind.
var overlayNames = []string{
	"example.com MX", "sub1.example.com MX", "a.b.c.example.com MX", "noreply.example.com MX",
	"_ldap._tcp.example.com SRV", "_gopher._tcp.example.com SRV", "_kerberos._udp.dc._msdcs.example.com SRV",
	"mx1.example.com A", "mx2.example.com A", "mx2.example.com AAAA", "deep.in.the.tree.example.com A",
	"www.example.com A", "web.shop.example.com A",
}

func startOverlay(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "db.example.com"), overlayZone)
	return start(t, dir, overlay)
}

// TestOverlay: a name that we hold, or that is above one, is never denied by
// the zone behind; other names are its own.
func TestOverlay(t *testing.T) {
	s := startOverlay(t)
	check(t, s, `
> sub1.example.com TXT
; authority
example.com. SOA
> _tcp.example.com A
; authority
example.com. SOA
> the.tree.example.com TXT
; authority
example.com. SOA
> mx1.example.com AAAA
; authority
example.com. SOA
> nosuch.example.com MX
; NXDOMAIN
; authority
example.com. SOA
> other.the.tree.example.com A
; NXDOMAIN
; authority
example.com. SOA`)
	res := s.ask(t, "udp", query(t, "sub1.example.com TXT"))
	if soa, ok := res.Ns[0].(*dns.SOA); !ok || soa.Serial != 7 || soa.Mbox != "admin.example.com." {
		t.Errorf("sub1 TXT has %v, want the SOA of the zone behind", res.Ns)
	}
}

// TestViewOnly: view is in the chain behind mxsrv and answers nothing.
func TestViewOnly(t *testing.T) {
	s := start(t, t.TempDir(), strings.Replace(overlay, "file db.example.com", "", 1))
	check(t, s, `
> sub1.example.com TXT
; authority
example.com. SOA
> nosuch.example.com A
; NXDOMAIN
; authority
example.com. SOA`)
}

// sixBySix is six exchanges with six addresses each.
func sixBySix(plugins string) string {
	var b strings.Builder
	b.WriteString("example.org:1053 {\n bind 127.0.0.1\n" + plugins + "\n mxsrv {\n mail @ 10 mx1 mx2 mx3 mx4 mx5 mx6\n")
	for i := 1; i <= 6; i++ {
		fmt.Fprintf(&b, "host mx%d", i)
		for j := 1; j <= 3; j++ {
			fmt.Fprintf(&b, " 192.0.%d.%d 2001:db8:%d::%d", i, j, i, j)
		}
		b.WriteString("\n")
	}
	b.WriteString("}\n}\n")
	return b.String()
}

// TestGlueNeverTruncates: at any size all exchanges are there, TC is not, and
// each RRset of glue is whole or absent.
func TestGlueNeverTruncates(t *testing.T) {
	dir := t.TempDir()
	key := writeKey(t, dir, "example.org.")
	for _, plugins := range []string{"", "cache", "nsid", "dnssec {\n key file " + key + "\n}", "cache\n dnssec {\n key file " + key + "\n}"} {
		t.Run(strings.Join(strings.Fields(plugins), " "), func(t *testing.T) {
			s := start(t, dir, sixBySix(plugins))
			// The largest first: what it is given is what cache keeps.
			sizes := []uint16{4096, 1400, 1232, 1231, 1220, 1000, 800, 600, 513, 512, 0}
			for _, do := range []bool{false, true} {
				askSizes(t, s, sizes, do, !strings.Contains(plugins, "cache"))
			}
		})
	}
}

func askSizes(t *testing.T, s *server, sizes []uint16, do, bySize bool) {
	t.Helper()
	s.ask(t, "tcp", query(t, "example.org MX"))
	glue := 12
	for _, size := range sizes {
		for _, name := range []string{"example.org.", "ExAmPlE.oRg."} {
			m := query(t, name+" MX")
			if size > 0 {
				m.SetEdns0(size, do)
				m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_NSID{Code: dns.EDNS0NSID}}
			}
			res := s.ask(t, "udp", m)
			counts := countRRsets(res.Extra)
			if res.Truncated || len(mxOf(res)) != 6 {
				t.Errorf("size %d do %v: TC %v, %d exchanges, want 6 and no TC", size, do, res.Truncated, len(mxOf(res)))
			}
			for rrset, n := range counts {
				if n != 3 {
					t.Errorf("size %d do %v: %d records of %s, want all 3", size, do, n, rrset)
				}
			}
			if size == 4096 && bySize && len(counts) != 12 {
				t.Errorf("size %d do %v: %d RRsets of glue, want all 12", size, do, len(counts))
			}
			if size > 0 && bySize && len(counts) > glue {
				t.Errorf("size %d do %v: %d RRsets of glue, more than a larger client got", size, do, len(counts))
			}
			glue = len(counts)
		}
		glue++ // a question in mixed case compresses less: one RRset of slack
	}
}

func mxOf(m *dns.Msg) []dns.RR {
	return slices.DeleteFunc(slices.Clone(m.Answer), func(rr dns.RR) bool { return rr.Header().Rrtype != dns.TypeMX })
}

// countRRsets counts the addresses of each owner and type.
func countRRsets(rrs []dns.RR) map[string]int {
	counts := map[string]int{}
	for _, rr := range rrs {
		if h := rr.Header(); h.Rrtype == dns.TypeA || h.Rrtype == dns.TypeAAAA {
			counts[h.Name+" "+dns.TypeToString[h.Rrtype]]++
		}
	}
	return counts
}

// writeKey makes a zone key and returns its file name without the ending.
func writeKey(t *testing.T, dir, zone string) string {
	t.Helper()
	key := &dns.DNSKEY{
		Hdr:   dns.RR_Header{Name: zone, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: 3600},
		Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256,
	}
	private, err := key.Generate(256)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("K%s+%03d+%05d", zone, key.Algorithm, key.KeyTag())
	for ending, text := range map[string]string{
		".key":     key.String() + "\n",
		".private": key.PrivateKeyString(private.(*ecdsa.PrivateKey)),
	} {
		write(t, filepath.Join(dir, name+ending), text)
	}
	return name
}

// TestGlueAtEveryLength sweeps the length of the owner, so that some answer ends
// on every octet before the limit. What cache keeps was made for a client in
// lower case without EDNS, and must fit one in mixed case with it.
func TestGlueAtEveryLength(t *testing.T) {
	var names []string
	for i := range 60 {
		names = append(names, strings.Repeat("a", i+1))
	}
	for _, plugins := range []string{"", "cache"} {
		corefile := sixBySix(plugins)
		corefile = strings.Replace(corefile, "mail @", "mail "+strings.Join(names, " "), 1)
		s := start(t, t.TempDir(), corefile)
		for _, name := range names {
			for _, q := range []string{name + ".example.org MX", mixCase(name + ".example.org MX")} {
				plain, edns := query(t, q), query(t, q)
				edns.SetEdns0(512, false)
				for _, m := range []*dns.Msg{plain, edns} {
					if res := s.ask(t, "udp", m); res.Truncated || len(mxOf(res)) != 6 || len(countRRsets(res.Extra)) == 0 {
						t.Errorf("%q %s: TC %v, %d exchanges, %d addresses", plugins, q, res.Truncated, len(mxOf(res)), len(res.Extra))
					}
				}
			}
		}
	}
}

// TestLargeAnswer: an answer that does not fit by itself sets TC, and TCP has it
// all.
func TestLargeAnswer(t *testing.T) {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "host mx%d 192.0.2.%d\n mail @ 10 mx%d\n", i, i, i)
	}
	s := start(t, t.TempDir(), "example.org:1053 {\n bind 127.0.0.1\n mxsrv {\n"+b.String()+"}\n}\n")
	if res := s.ask(t, "udp", query(t, "example.org MX")); !res.Truncated {
		t.Error("60 exchanges over UDP without EDNS: no TC")
	}
	res := s.ask(t, "tcp", query(t, "example.org MX"))
	if res.Truncated || len(res.Answer) != 60 || len(res.Extra) != 60 {
		t.Errorf("over TCP: TC %v, %d exchanges, %d addresses, want 60 of each", res.Truncated, len(res.Answer), len(res.Extra))
	}
}

// TestOddQueries: what is no question of ours gets what CoreDNS gives, and the
// server goes on.
func TestOddQueries(t *testing.T) {
	s := startOverlay(t)
	base := query(t, "example.com MX")
	edit := func(f func(m *dns.Msg)) *dns.Msg {
		m := base.Copy()
		f(m)
		return m
	}
	for _, tc := range []struct {
		name string
		m    *dns.Msg
		want int
	}{
		{"no question", edit(func(m *dns.Msg) { m.Question = nil }), dns.RcodeFormatError},
		{"two questions", edit(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), dns.RcodeFormatError},
		{"update", edit(func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }), dns.RcodeNotImplemented},
		{"chaos", edit(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), dns.RcodeRefused},
		{"class any", edit(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassANY }), dns.RcodeRefused},
		{"notify", edit(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), unanswered},
		{"transfer", edit(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAXFR }), dns.RcodeRefused},
		{"an option nobody knows", edit(func(m *dns.Msg) {
			m.SetEdns0(4096, false)
			m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_LOCAL{Code: 65001, Data: []byte{1, 2, 3}}}
		}), dns.RcodeSuccess},
		{"EDNS version 1", edit(func(m *dns.Msg) {
			m.SetEdns0(4096, false)
			m.IsEdns0().SetVersion(1)
		}), dns.RcodeBadVers},
	} {
		t.Run(tc.name, func(t *testing.T) {
			packed, err := tc.m.Pack()
			if err != nil {
				t.Fatal(err)
			}
			if got := exchange(t, s.addr, packed, tc.want != unanswered); got != tc.want {
				t.Errorf("%s, want %s", dns.RcodeToString[got], dns.RcodeToString[tc.want])
			}
		})
	}
	if res := s.ask(t, "udp", base); len(res.Answer) != 2 {
		t.Errorf("afterwards: %v", res)
	}
}

// unanswered is for what the file plugin behind takes in silence.
const unanswered = -1

// exchange sends octets as they are, and returns the rcode of the answer.
func exchange(t *testing.T, addr string, packed []byte, answered bool) int {
	t.Helper()
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := &dns.Conn{Conn: conn, UDPSize: dns.MaxMsgSize}
	if _, err := c.Write(packed); err != nil {
		t.Fatal(err)
	}
	if !answered {
		return unanswered
	}
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	res, err := c.ReadMsg()
	if err != nil {
		t.Fatal(err)
	}
	return res.Rcode
}
