package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// parse returns the records of lines as zone files have them.
func parse(tb testing.TB, lines string) []dns.RR {
	tb.Helper()
	var rrs []dns.RR
	for line := range strings.Lines(lines) {
		rr, err := dns.NewRR(line)
		if err != nil {
			tb.Fatal(err)
		}
		rrs = append(rrs, rr)
	}
	return slices.Clip(rrs)
}

// many repeats a line with the numbers up to n.
func many(format string, n int) string {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf(format, i))
	}
	return strings.Join(lines, "\n")
}

func options(tb testing.TB, opts ...dns.EDNS0) *dns.OPT {
	tb.Helper()
	opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}, Option: opts}
	opt.SetUDPSize(1232)
	opt.SetDo()
	return opt
}

// cases are messages of all shapes, with what is special in each.
func cases(tb testing.TB) map[string]*Message {
	const soa = "example.org. 60 IN SOA ns.example.net. hostmaster.example.org. 7 7200 1800 86400 60"
	long := strings.Repeat("a.", 100)
	all := map[string]*Message{}
	for _, tc := range []struct{ name, question, answer, ns, glue string }{
		{"exchange", "example.org.", "example.org. MX 10 mx1.example.org.", "", "mx1.example.org. A 192.0.2.1\nmx1.example.org. AAAA 2001:db8::1"},
		{"mixed case", "eXample.oRg.", "example.org. MX 10 mx1.example.org.", "", "mx1.example.org. A 192.0.2.1"},
		{"mixed case first", "eXample.org.", "example.org. MX 10 mx1.example.org.\nexample.org. MX 10 mx2.example.org.", "", "mx2.example.org. A 192.0.2.1"},
		{"exchange is the owner", "example.org.", "example.org. MX 10 example.org.", "", "example.org. A 192.0.2.1"},
		{"exchange above the owner", "a.example.org.", "a.example.org. MX 10 example.org.", "", "example.org. A 192.0.2.1"},
		{"exchange twice", "example.org.", "example.org. MX 10 mx.example.com.\nexample.org. MX 20 mx.example.com.", "", "mx.example.com. A 192.0.2.1"},
		{"exchange below another", "example.org.", "example.org. MX 10 mx.example.com.\nexample.org. MX 20 a.mx.example.com.", "",
			"mx.example.com. A 192.0.2.1\na.mx.example.com. A 192.0.2.2"},
		{"half a label in common", "example.org.", "example.org. MX 10 mxexample.org.\nexample.org. MX 20 sample.org.\nexample.org. MX 30 xorg.", "", ""},
		{"nothing in common", "example.org.", "example.org. MX 10 mx.example.net.\nexample.org. MX 20 mx.", "", "mx. A 192.0.2.1"},
		{"null MX", "example.org.", "example.org. MX 0 .", "", ""},
		{"the root", ".", ". MX 10 mx.example.org.\n. MX 20 mx2.example.org.", "", "mx.example.org. A 192.0.2.1"},
		{"many exchanges", "example.org.", many("example.org. MX 10 mx%d.example.org.", 40), "",
			many("mx%[1]d.example.org. A 192.0.2.%[1]d\nmx%[1]d.example.org. A 192.0.2.%[1]d\nmx%[1]d.example.org. AAAA 2001:db8::%[1]d", 40)},
		{"too long for pointers", "example.org.", many("example.org. SRV 0 0 1 "+long+"t%d.example.org.", 100), "", many(long+"t%[1]d.example.org. A 192.0.2.%[1]d", 100)},
		{"services", "_ldap._tcp.example.org.", many("_ldap._tcp.example.org. SRV 0 0 1 t%d.example.org.", 40), "", many("t%[1]d.example.org. A 192.0.2.%[1]d", 40)},
		{"glue in another order", "_x._tcp.example.org.", many("_x._tcp.example.org. SRV 0 0 1 t%d.example.org.", 3), "",
			"t2.example.org. A 192.0.2.1\nt0.example.org. A 192.0.2.1\nt0.example.org. A 192.0.2.2\nt1.example.org. AAAA 2001:db8::1"},
		{"glue of another", "_x._tcp.example.org.", "_x._tcp.example.org. SRV 0 0 1 t.example.org.", "", "u.example.net. AAAA 2001:db8::1\nu.example.net. A 192.0.2.1\nv.example.net. A 192.0.2.2"},
		{"service in mixed case", "_LDAP._tcp.example.org.", many("_ldap._tcp.example.org. SRV 0 0 1 t%d.example.org.", 2), "", "t1.example.org. A 192.0.2.1"},
		{"not offered", "_ldap._tcp.example.org.", "_ldap._tcp.example.org. SRV 0 0 0 .", "", ""},
		{"name servers", "example.org.", "example.org. NS ns1.example.org.\nexample.org. NS ns2.example.net.", "", "ns1.example.org. A 192.0.2.1"},
		{"alias", "www.example.org.", "www.example.org. CNAME example.com.\nexample.com. MX 10 mx.example.com.\nexample.com. MX 20 mx.example.org.", "", "mx.example.com. A 192.0.2.1"},
		{"alias of the root", "www.example.org.", "www.example.org. CNAME .\n. MX 10 mx.example.com.", "", ""},
		{"denial", "nosuch.example.org.", "", soa, ""},
		{"denial of an alias", "www.example.org.", "www.example.org. CNAME host.example.net.", soa, ""},
		{"referral", "a.b.example.org.", "", "b.example.org. NS ns.b.example.org.\nb.example.org. NS ns.b.example.net.", "ns.b.example.org. A 192.0.2.1"},
		{"strings", "example.org.", `example.org. TXT "a" "" "b c"`, "", ""},
		{"names in other types", "x.example.org.", "x.example.org. HTTPS 1 web.example.net. alpn=h2\nx.example.org. SVCB 0 .\nx.example.org. PTR y.web.example.net.",
			"", "web.example.net. A 192.0.2.1\nweb.example.net. AAAA 2001:db8::1"},
		{"other types", "example.org.", "example.org. TXT \"a\" \"b\"\nexample.org. CAA 0 issue \"ca.example\"", soa + "\nexample.org. NSEC \\000.example.org. MX RRSIG NSEC", ""},
		{"escapes", `a\.b.\001.example.org.`, `a\.b.\001.example.org. MX 10 mx.example.org.`, "", "mx.example.org. A 192.0.2.1"},
		{"escapes, another end", `a\.b.example.org.`, `a\.b.example.org. MX 10 c\\d.a\.b.example.org.`, "", "example.org. A 192.0.2.1"},
		{"escapes, ends", `\000.a\\.b.example.org.`, `\000.a\\.b.example.org. MX 10 b.example.org.` + "\n" + `\000.a\\.b.example.org. MX 20 a\\.b.example.org.`, "", "b.example.org. A 192.0.2.1"},
		{"escapes, half a label", `x\.example.org.`, `x\.example.org. MX 10 example.org.` + "\n" + `x\.example.org. MX 20 y.xexample.org.`, "", "example.org. A 192.0.2.1"},
		{"escapes, mixed case", `A\000.example.org.`, `a\000.example.org. MX 10 mx.example.org.`, "", "mx.example.org. A 192.0.2.1"},
		{"escapes, one label", `\..`, `\.. MX 10 a.\..`, "", ""},
		{"escapes, denial", `a\000b.example.org.`, "", soa + "\n" + `a\000b.example.org. NSEC \000.a\000b.example.org. RRSIG NSEC`, ""},
		{"signed", "example.org.", "example.org. MX 10 mx.example.org.\nexample.org. RRSIG MX 13 2 3600 20300101000000 20260101000000 11071 example.org. " + strings.Repeat("AbC/", 22),
			"", "mx.example.org. A 192.0.2.1\nmx.example.org. RRSIG A 13 3 3600 20300101000000 20260101000000 11071 example.org. " + strings.Repeat("AbC/", 22)},
	} {
		m := &Message{
			MsgHdr:   dns.MsgHdr{Id: 4711, Response: true, Authoritative: true, RecursionDesired: true},
			Question: dns.Question{Name: tc.question, Qtype: dns.TypeMX, Qclass: dns.ClassINET},
			Answer:   parse(tb, tc.answer), Ns: parse(tb, tc.ns), Glue: parse(tb, tc.glue),
		}
		all[tc.name] = m
		with := *m
		with.OPT = options(tb)
		all[tc.name+", EDNS"] = &with
	}
	special := *all["exchange"]
	special.MsgHdr = dns.MsgHdr{Id: 1, Opcode: dns.OpcodeNotify, RecursionAvailable: true, Zero: true, AuthenticatedData: true, CheckingDisabled: true, Rcode: dns.RcodeRefused}
	special.OPT = options(tb, &dns.EDNS0_NSID{Code: dns.EDNS0NSID, Nsid: "6d78"}, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"})
	all["all flags, and options"] = &special
	return all
}

// reference is what a message must become, by miekg/dns.
func reference(m *Message) (octets int, want *dns.Msg) {
	want = &dns.Msg{MsgHdr: m.MsgHdr, Compress: true, Question: []dns.Question{m.Question}}
	size := m.Size
	if m.OPT != nil {
		size -= dns.Len(m.OPT)
	}
	fits := func(section *[]dns.RR, rrs ...dns.RR) bool {
		before := *section
		if *section = slices.Concat(before, rrs); want.Len() > size {
			*section = before
			return false
		}
		return true
	}
	for _, rr := range m.Answer {
		want.Truncated = want.Truncated || !fits(&want.Answer, rr)
	}
	for _, rr := range m.Ns {
		want.Truncated = want.Truncated || !fits(&want.Ns, rr)
	}
	for i, end := 0, 0; i < len(m.Glue) && !want.Truncated; i = end {
		for end = i; end < len(m.Glue) && sameRRset(m.Glue[i], m.Glue[end]); end++ {
		}
		fits(&want.Extra, m.Glue[i:end]...)
	}
	if m.OPT != nil {
		want.Extra = slices.Concat(want.Extra, []dns.RR{m.OPT})
	}
	return want.Len(), want
}

// text writes a message, once it has been on the wire.
func text(tb testing.TB, m *dns.Msg) string {
	tb.Helper()
	packed, err := m.Pack()
	if err != nil {
		tb.Fatal(err)
	}
	return unpack(tb, packed).String()
}

func unpack(tb testing.TB, octets []byte) *dns.Msg {
	tb.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(octets); err != nil {
		tb.Fatalf("%v: %x", err, octets)
	}
	return m
}

// TestPack: at each size a message is what miekg/dns makes of it, to the octet.
func TestPack(t *testing.T) {
	var p Packer // one for all: nothing of a message may be left to the next
	for name, m := range cases(t) {
		t.Run(name, func(t *testing.T) {
			m.Size = dns.MaxMsgSize
			full, _ := reference(m)
			step := 1 + full/1000*full/200 // miekg/dns takes its time
			for m.Size = headerLen + len(m.Question.Name) + 5; m.Size <= full+step; m.Size += step {
				packed, glue, err := p.Pack(m)
				if err != nil {
					t.Fatal(err)
				}
				length, want := reference(m)
				got := unpack(t, packed)
				if got.String() != text(t, want) {
					t.Fatalf("in %d octets:\n%v\nwant\n%v", m.Size, got, want)
				}
				if opts := len(want.Extra) - len(glue); len(packed) != length || opts != 0 && m.OPT == nil || opts != 1 && m.OPT != nil {
					t.Fatalf("in %d octets: %d, and %d of glue, want %d and %d", m.Size, len(packed), len(glue), length, len(want.Extra))
				}
			}
		})
	}
}

// TestFit: at any size there is every RRset of glue that fits after those before it, as miekg/dns measures the message,
// and with room for a signature of each.
func TestFit(t *testing.T) {
	var p Packer
	for name, m := range cases(t) {
		if len(m.Glue) == 0 || m.OPT != nil || len(m.Ns) > 0 || name == "too long for pointers" {
			continue
		}
		for _, each := range []int{0, 96} {
			for m.Size = headerLen; m.Size < 2*dns.MinMsgSize; m.Size += 3 {
				want, signatures := &dns.Msg{Compress: true, Question: []dns.Question{m.Question}, Answer: m.Answer}, 0
				for i, end := 0, 0; i < len(m.Glue) && want.Len() <= m.Size; i = end {
					for end = i; end < len(m.Glue) && sameRRset(m.Glue[i], m.Glue[end]); end++ {
					}
					before := want.Extra
					if want.Extra = slices.Concat(before, m.Glue[i:end]); want.Len()+signatures+each > m.Size {
						want.Extra = before
					} else {
						signatures += each
					}
				}
				got := p.Fit(m, each)
				if !slices.Equal(got, want.Extra) || cap(got) != len(got) {
					t.Fatalf("%s, %d octets, %d for a signature: %d addresses of room for %d, want %d",
						name, m.Size, each, len(got), cap(got), len(want.Extra))
				}
			}
		}
	}
	if p.Cap() == 0 {
		t.Error("a packer that has packed keeps no memory")
	}
}

// TestPointerLimit: a name that begins where pointers reach and ends beyond is not pointed into (RFC 1035 §4.1.4).
func TestPointerLimit(t *testing.T) {
	var p Packer
	answer := parse(t, "example.org. TXT a\nexample.org. MX 10 mx1.far.example.net.\nexample.org. MX 20 mx2.far.example.net.")
	for length := maxPointer - 100; length < maxPointer; length++ {
		txt := answer[0].(*dns.TXT)
		txt.Txt = nil
		for rest := length; rest > 0; rest -= 256 {
			txt.Txt = append(txt.Txt, strings.Repeat("a", min(rest, 255)))
		}
		m := &Message{Question: dns.Question{Name: "example.org."}, Answer: answer, Size: dns.MaxMsgSize}
		packed, _, err := p.Pack(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, want := reference(m); unpack(t, packed).String() != text(t, want) {
			t.Fatalf("after %d octets: %v", length, unpack(t, packed).Answer[1:])
		}
	}
}

// TestEscapes: names with escapes that are not in the question are whole, and else as they are.
func TestEscapes(t *testing.T) {
	name := `a\.b.\001.example.org.`
	m := &Message{Question: dns.Question{Name: name}, Size: 512,
		Answer: parse(t, name+` MX 10 c\\d.example.org.`), Glue: parse(t, `c\\d.example.org. A 192.0.2.1`)}
	var p Packer
	octets, _, err := p.Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	if _, want := reference(m); unpack(t, octets).String() != text(t, want) {
		t.Errorf("%v, want %v", unpack(t, octets), want)
	}
}

// TestOwner: records without owner get one.
func TestOwner(t *testing.T) {
	m := &Message{Question: dns.Question{Name: "A.example.org."}, Owner: "a.example.org.", Answer: parse(t, ". MX 10 mx.\n. MX 20 mx."), Ns: parse(t, ". NS mx."), Size: 512}
	var p Packer
	octets, _, err := p.Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	got := unpack(t, octets)
	for _, rr := range got.Answer {
		if name := rr.Header().Name; name != m.Owner {
			t.Errorf("owner %s, want %s", name, m.Owner)
		}
	}
	if name := got.Ns[0].Header().Name; name != "." {
		t.Errorf("owner in the authority section %s, want the root", name)
	}
}

// TestError: what has no octets is an error, and changes nothing of the next message.
func TestError(t *testing.T) {
	label := strings.Repeat("a", 64)
	header := dns.RR_Header{Name: "example.org.", Rrtype: dns.TypeMX, Class: dns.ClassINET}
	var p Packer
	for name, rr := range map[string]dns.RR{
		"empty name":      &dns.MX{Hdr: header},
		"empty label":     &dns.MX{Hdr: header, Mx: "a..example.org."},
		"long label":      &dns.MX{Hdr: header, Mx: label + ".example.org."},
		"long last label": &dns.MX{Hdr: header, Mx: "a." + label + "."},
		"long name":       &dns.MX{Hdr: header, Mx: strings.Repeat("abc.", 64)},
		"long name above": &dns.MX{Hdr: header, Mx: strings.Repeat("abc.", 61) + "example.org."},
		"relative":        &dns.MX{Hdr: header, Mx: "mx"},
		"no IPv4 address": &dns.A{Hdr: header, A: make([]byte, 5)},
		"no IPv6 address": &dns.AAAA{Hdr: header, AAAA: make([]byte, 5)},
		"no owner":        &dns.MX{Mx: "mx."},
		"no base64":       &dns.RRSIG{Hdr: header, SignerName: "example.org.", Signature: "?"},
		"bad text":        &dns.NSEC{Hdr: header, NextDomain: "a..b."},
	} {
		m := &Message{Question: dns.Question{Name: "example.org."}, Answer: []dns.RR{rr}, Size: 4096}
		if octets, _, err := p.Pack(m); err == nil {
			t.Errorf("%s: %x, want an error", name, octets)
		}
		m.Answer = nil
		if _, _, err := p.Pack(m); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

// TestAllocs: a message costs no memory once there was one as long.
func TestAllocs(t *testing.T) {
	all := cases(t)
	for _, name := range []string{"many exchanges, EDNS", "services", "denial, EDNS", "alias"} {
		m := all[name]
		m.Size = 1232
		var p Packer
		if n := testing.AllocsPerRun(100, func() { _, _, _ = p.Pack(m) }); n > 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

// FuzzPack: what can be packed can be unpacked, is not too long, and is the message
// if that fits.
func FuzzPack(f *testing.F) {
	for _, m := range cases(f) {
		m.Size = dns.MaxMsgSize
		_, want := reference(m)
		packed, err := want.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed, 512)
	}
	f.Fuzz(func(t *testing.T, octets []byte, size int) {
		in := new(dns.Msg)
		if in.Unpack(octets) != nil || len(in.Question) != 1 || size < 0 || size > dns.MaxMsgSize || in.Truncated {
			t.Skip()
		}
		again, err := in.Pack()
		if err != nil || new(dns.Msg).Unpack(again) != nil {
			t.Skip() // not all that miekg/dns packs can it unpack
		}
		want := unpack(t, again)
		m := &Message{MsgHdr: in.MsgHdr, Question: in.Question[0], Answer: in.Answer, Ns: in.Ns, Glue: in.Extra, Size: size}
		m.Rcode &= 0xf
		var p Packer
		packed, glue, err := p.Pack(m)
		if err != nil {
			t.Skip()
		}
		got := unpack(t, packed)
		if least := headerLen + len(in.Question[0].Name) + 6; len(packed) > max(size, least) {
			t.Errorf("%d octets, want at most %d", len(packed), size)
		}
		if got.Truncated || len(glue) < len(in.Extra) {
			return
		}
		got.Rcode &= 0xf // an OPT record may have the rest of it
		if want.Rcode &= 0xf; got.String() != want.String() {
			t.Errorf("got\n%v\nwant\n%v", got, want)
		}
	})
}

// TestShared: packing writes to no record, as they are shared; and strings with escapes are packed as such.
func TestShared(t *testing.T) {
	m := &Message{Question: dns.Question{Name: "example.org.", Qtype: dns.TypeTXT, Qclass: dns.ClassINET}, Size: dns.MaxMsgSize,
		Answer: parse(t, `example.org. TXT "b\"c" "\200\\"`+"\nexample.org. CAA 0 issue ca.example\nexample.org. HTTPS 1 web.example.org. port=1")}
	packed, _, err := new(Packer).Pack(m)
	if err != nil {
		t.Fatal(err)
	}
	got := new(dns.Msg)
	if err := got.Unpack(packed); err != nil {
		t.Fatal(err)
	}
	for i, rr := range m.Answer {
		if rr.Header().Rdlength != 0 {
			t.Errorf("%v: packing has changed it", rr)
		}
		if got.Answer[i].String() != rr.String() {
			t.Errorf("%v, want %v", got.Answer[i], rr)
		}
	}
}
