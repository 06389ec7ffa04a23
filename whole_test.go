package mxsrv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/serial"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// whole is a zone that is served whole, one within it, and one that is not.
const whole = `mxsrv example.org child.example.org {
    authoritative {
        ns ns1
        negative 120
    }
    host ns1 192.0.2.53
    fallthrough web.example.org
}
mxsrv example.org {
    host mx1 192.0.2.10
    mail @ 10 mx1
    service _ldap._tcp 0 0 389 mx1
    alias www mx1
    alias info page.web.example.org.
    host web 192.0.2.80
}
mxsrv example.net {
    mail @ 10 mx1.example.org.
}`

// brief writes a message: rcode, AA, and the sections without their numbers.
func brief(m *dns.Msg) string {
	if m == nil {
		return "nothing"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s aa=%v", dns.RcodeToString[m.Rcode], m.Authoritative)
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		b.WriteString(" |")
		for _, rr := range section {
			h := rr.Header()
			fmt.Fprintf(&b, " %s %s %d", h.Name, dns.TypeToString[h.Rrtype], h.Ttl)
		}
	}
	return b.String()
}

func TestWhole(t *testing.T) {
	const soa, child = "example.org. SOA 120", "child.example.org. SOA 120"
	for _, tc := range []struct{ name, question, want string }{
		{"SOA", "example.org. SOA", "NOERROR aa=true | example.org. SOA 3600 | |"},
		{"NS with addresses", "Example.org. NS", "NOERROR aa=true | example.org. NS 3600 | | ns1.example.org. A 3600"},
		{"SOA of the zone within", "child.example.org. SOA", "NOERROR aa=true | child.example.org. SOA 3600 | |"},
		{"mail", "example.org. MX", "NOERROR aa=true | example.org. MX 3600 | | mx1.example.org. A 3600"},
		{"no such type", "example.org. TXT", "NOERROR aa=true | | " + soa + " |"},
		{"no such family", "mx1.example.org. AAAA", "NOERROR aa=true | | " + soa + " |"},
		{"no such name", "nosuch.example.org. MX", "NXDOMAIN aa=true | | " + soa + " |"},
		{"empty non-terminal", "_tcp.example.org. A", "NOERROR aa=true | | " + soa + " |"},
		{"no such name within", "nosuch.child.example.org. A", "NXDOMAIN aa=true | | " + child + " |"},
		{"DS where the zone delegates", "child.example.org. DS", "NOERROR aa=true | | " + soa + " |"},
		{"DS of the top, which is of the zone above", "example.org. DS", "NOERROR aa=false | | example.com. SOA 9 |"},
		{"alias", "www.example.org. A", "NOERROR aa=true | www.example.org. CNAME 3600 mx1.example.org. A 3600 | |"},
		{"alias, no such type", "www.example.org. TXT", "NOERROR aa=true | www.example.org. CNAME 3600 | " + soa + " |"},
		{"alias, CNAME", "www.example.org. CNAME", "NOERROR aa=true | www.example.org. CNAME 3600 | |"},
		{"alias, ANY", "www.example.org. ANY", "NOERROR aa=true | www.example.org. CNAME 3600 | |"},
		{"alias of what is passed on", "info.example.org. TXT", "NOERROR aa=true | info.example.org. CNAME 3600 | |"},
		{"transfer", "example.org. AXFR", "nothing"},
		{"transfer of a zone that is not whole", "example.net. AXFR", "NXDOMAIN aa=false | | example.com. SOA 9 |"},

		{"passed on", "page.web.example.org. A", "NXDOMAIN aa=false | | " + soa + " |"},
		{"passed on, held", "web.example.org. TXT", "NOERROR aa=false | | " + soa + " |"},
		{"answered all the same", "web.example.org. A", "NOERROR aa=true | web.example.org. A 3600 | |"},
		{"not whole", "nosuch.example.net. A", "NXDOMAIN aa=false | | example.com. SOA 9 |"},
		{"not whole, held", "example.net. TXT", "NOERROR aa=false | | example.com. SOA 9 |"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// The plugin behind denies everything, with the SOA of another zone.
			next := &behind{answer: &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeNameError},
				Ns: []dns.RR{rr(t, "example.com. 9 IN SOA ns.example.com. admin.example.com. 7 7200 1800 86400 9")}}}
			h, err := load(t, whole, next)
			if err != nil {
				t.Fatal(err)
			}
			name, qtype, _ := strings.Cut(tc.question, " ")
			rcode, res, err := ask(t, h, new(dns.Msg).SetQuestion(name, dns.StringToType[qtype]))
			if got := brief(res); got != tc.want || err != nil {
				t.Errorf("%s, %v\nwant %s", got, err, tc.want)
			}
			if res == nil && rcode != dns.RcodeRefused {
				t.Errorf("rcode %d, want REFUSED", rcode)
			}
		})
	}
}

// transferred returns the owners and types of a transfer.
func transferred(t *testing.T, h plugin.Handler, zone string, serial uint32) (string, uint32) {
	t.Helper()
	ch, err := h.(transfer.Transferer).Transfer(zone, serial)
	if err != nil {
		if !errors.Is(err, transfer.ErrNotAuthoritative) {
			t.Fatal(err)
		}
		return "not authoritative", 0
	}
	var b strings.Builder
	current := uint32(0)
	for rrs := range ch {
		for _, rr := range rrs {
			if soa, ok := rr.(*dns.SOA); ok {
				current = soa.Serial
			}
			fmt.Fprintf(&b, "%s %s, ", rr.Header().Name, dns.TypeToString[rr.Header().Rrtype])
		}
	}
	return strings.TrimSuffix(b.String(), ", "), current
}

// TestDSOfTop: where nothing behind knows the zone above, there is no DS.
func TestDSOfTop(t *testing.T) {
	h, err := load(t, whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, res, err := ask(t, h, new(dns.Msg).SetQuestion("example.org.", dns.TypeDS))
	if got, want := brief(res), "NOERROR aa=true | | example.org. SOA 120 |"; got != want || err != nil {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
}

func TestTransfer(t *testing.T) {
	h, err := load(t, whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	const all = "example.org. SOA, example.org. NS, example.org. MX, _ldap._tcp.example.org. SRV, " +
		"child.example.org. NS, ns1.child.example.org. A, info.example.org. CNAME, mx1.example.org. A, ns1.example.org. A, " +
		"web.example.org. A, www.example.org. CNAME, example.org. SOA"
	_, serial := transferred(t, h, "example.org.", 0)
	for _, tc := range []struct {
		name, zone string
		serial     uint32
		want       string
	}{
		{"AXFR", "example.org.", 0, all},
		{"IXFR from an older one", "example.org.", serial - 1, all},
		{"IXFR from the same", "example.org.", serial, "example.org. SOA"},
		{"IXFR from a newer one", "example.org.", serial + 1, "example.org. SOA"},
		{"IXFR from one that is older as serials go", "example.org.", serial + 1<<31 + 1, all},
		{"zone within", "child.example.org.", 0, "child.example.org. SOA, child.example.org. NS, ns1.child.example.org. A, child.example.org. SOA"},
		{"below the top", "mx1.example.org.", 0, "not authoritative"},
		{"not whole", "example.net.", 0, "not authoritative"},
		{"not ours", "example.com.", 0, "not authoritative"},
	} {
		if got, _ := transferred(t, h, tc.zone, tc.serial); got != tc.want {
			t.Errorf("%s:\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}

// TestSerials: a change makes the serial the time or one more, nothing makes it
// fall, and without a change it stays.
func TestSerials(t *testing.T) {
	for _, kept := range []bool{false, true} {
		t.Run(fmt.Sprintf("file %v", kept), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { serials(t, kept) })
		})
	}
}

func serials(t *testing.T, kept bool) {
	const block = "mxsrv {\n authoritative {\n ns ns1.example.net.\n }\n %s\n %s\n}"
	path := filepath.Join(t.TempDir(), "serials")
	keep := ""
	if kept {
		keep = "serials " + path
	}
	ledgers.known = nil
	serial := func(definitions string) uint32 {
		t.Helper()
		h, err := load(t, fmt.Sprintf(block, keep, definitions), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, serial := transferred(t, h, "example.org.", 0)
		return serial
	}
	now := func() uint32 { return uint32(time.Now().Unix()) }

	first := serial("host a 192.0.2.1\nhost b 192.0.2.2")
	if first != now() {
		t.Errorf("the first serial is %d, want the time, %d", first, now())
	}
	time.Sleep(time.Hour)
	if same := serial("host b 192.0.2.2\nhost a 192.0.2.1"); same != first {
		t.Errorf("%d after a reload that changed nothing, want %d", same, first)
	}
	second := serial("host a 192.0.2.3")
	if second != now() {
		t.Errorf("%d after a change, want the time, %d", second, now())
	}
	third := serial("host a 192.0.2.4")
	if third != second+1 {
		t.Errorf("%d after another within a second, want %d", third, second+1)
	}

	ledgers.known = nil // a restart
	if !kept {
		if again := serial("host a 192.0.2.4"); again != now() {
			t.Errorf("%d after a restart, want the time, %d", again, now())
		}
		return
	}
	if again := serial("host a 192.0.2.4"); again != third {
		t.Errorf("%d after a restart, want %d as before", again, third)
	}
	ledgers.known = nil // with a clock that was set back
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	later := third + 5000
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), fmt.Sprint(third), fmt.Sprint(later), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if next := serial("host a 192.0.2.5"); next != later+1 {
		t.Errorf("%d by a clock that was set back, want %d", next, later+1)
	}
}

func TestSerialsFile(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct{ name, text, want string }{
		{"good", "# last\n\nexample.org. 5 00112233445566778899aabbccddeeff\n", ""},
		{"words", "example.org. 5\n", `:1: "example.org. 5": write ZONE SERIAL DIGEST, or delete the file to start anew`},
		{"zone", "a..b 5 00112233445566778899aabbccddeeff\n", `:1: "a..b" has an empty label: write one dot between labels`},
		{"serial", "#\nexample.org. five 00112233445566778899aabbccddeeff\n", `:2: serial "five": write a number from 1 to 4294967295`},
		{"digest", "example.org. 5 001122\n", `:1: no digest: write 32 hexadecimal digits`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(dir, tc.name)
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := load(t, "mxsrv {\n serials "+path+"\n}", nil)
			if want := "plugin/mxsrv: Testfile:2: serials: " + path + tc.want; tc.want == "" && err != nil || tc.want != "" && (err == nil || err.Error() != want) {
				t.Errorf("%v\nwant %s", err, tc.want)
			}
		})
	}
	_, err := load(t, "mxsrv {\n authoritative {\n ns ns1.example.net.\n }\n serials "+dir+"/nosuch/serials\n}", nil)
	if want := "no such file or directory: write the path of a file in a directory that CoreDNS may write to"; err == nil ||
		!strings.HasPrefix(err.Error(), "plugin/mxsrv: Testfile:5: serials: ") || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// TestSerialsKeptElsewhere: a reloaded Corefile that keeps the serials elsewhere
// goes on where the one before was.
func TestSerialsKeptElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledgers.known = nil
		dir := t.TempDir()
		last := uint32(0)
		for i, keep := range []string{"", "", "", "serials " + dir + "/a", "serials " + dir + "/b"} {
			h, err := load(t, fmt.Sprintf("mxsrv {\n authoritative {\n ns ns1.example.net.\n }\n %s\n host a 192.0.2.%d\n}", keep, i), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, got := transferred(t, h, "example.org.", 0)
			if i > 0 && !serial.Newer(got, last) {
				t.Errorf("%d after %d when it says %q", got, last, keep)
			}
			last = got
		}
	})
}

// TestSerialsFileOfMany: blocks may name one file in different ways, also by a
// link, which stays one.
func TestSerialsFileOfMany(t *testing.T) {
	ledgers.known = nil
	dir := t.TempDir()
	path, link := filepath.Join(dir, "serials"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Symlink("serials", link)); err != nil {
		t.Fatal(err)
	}
	change := func(zone, path, addr string) {
		t.Helper()
		if _, err := load(t, "mxsrv "+zone+" {\n authoritative {\n ns ns1.example.net.\n }\n serials "+path+"\n host a "+addr+"\n}", nil); err != nil {
			t.Fatal(err)
		}
	}
	change("a.example.org", path, "192.0.2.1")
	change("b.example.org", dir+"/./serials", "192.0.2.1")
	change("c.example.org", link, "192.0.2.1")
	change("a.example.org", path, "192.0.2.2")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, zone := range []string{"a", "b", "c"} {
		if !strings.Contains(string(text), zone+".example.org. ") {
			t.Errorf("%s.example.org is not in the file:\n%s", zone, text)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link is now %v, %v", info.Mode(), err)
	}
}

func TestSuccessor(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := func(first string) string { return first + "." + label + "." + label + "." + label + "." } // 192 octets and the first label
	for _, tc := range []struct{ name, qname, want string }{
		{"root", ".", `\000.`},
		{"short", "mx1.example.org.", `\000.mx1.example.org.`},
		{"253 octets", long(strings.Repeat("b", 59)), `\000.` + long(strings.Repeat("b", 59))},
		{"254 octets", long(strings.Repeat("b", 60)), strings.Repeat("b", 60) + `\000.` + long("")[1:]},
		{"any octets, short", strings.Repeat(`\000`, 63) + ".example.org.", `\000.` + strings.Repeat(`\000`, 63) + ".example.org."},
		{"any octets, 254", long(strings.Repeat(`\000`, 60)), strings.Repeat(`\000`, 61) + "." + long("")[1:]},
		{"any octets, 255", long(strings.Repeat(`\009`, 61)), strings.Repeat(`\009`, 60) + `\010.` + long("")[1:]},
		{"255 octets, the last at their end", long("a" + strings.Repeat(`\255`, 60)), "b." + long("")[1:]},
		{"255 octets, a label at its end", long(strings.Repeat(`\255`, 61)), label[1:] + "b." + label + "." + label + "."},
		{"255 octets", long(strings.Repeat("b", 61)), strings.Repeat("b", 60) + "c." + long("")[1:]},
	} {
		got := successor(tc.qname)
		if got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		if _, err := dns.PackDomainName(got, make([]byte, 300), 0, nil, false); err != nil {
			t.Errorf("%s: %s: %v", tc.name, got, err)
		}
	}
}

// TestCatchUp: what the instance before has published while this one was loading
// is not undercut.
func TestCatchUp(t *testing.T) {
	ledgers.known = nil
	h, err := load(t, whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	before := h.ledger.next("example.org.", table.Digest{1}, 0)
	if _, got := transferred(t, h, "example.org.", 0); got == before {
		t.Fatal("the ledger does not move")
	}
	h.follow()
	h.publisher.stop()
	if _, got := transferred(t, h, "example.org.", 0); !serial.Newer(got, before) {
		t.Errorf("serial %d after %d was served", got, before)
	}
	if h.unsaid != nil {
		t.Error("what it found is not said")
	}
}
