package table_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// denied writes a denial: rcode, and owner and TTL of the SOA.
func denied(a table.Answer) string {
	s := dns.RcodeToString[a.Rcode]
	for _, rr := range a.Ns {
		s += fmt.Sprintf(" %s %s %d", rr.Header().Name, dns.TypeToString[rr.Header().Rrtype], rr.Header().Ttl)
	}
	return s
}

// TestDenial: which zone denies what, where it is certain that there is nothing, and what is for other plugins or for
// the zone above.
func TestDenial(t *testing.T) {
	const text = "host h 192.0.2.1\nhost x.deep.sub 192.0.2.2\nhost h.web 192.0.2.3\nalias w deep.sub.example.org."
	for _, tc := range []struct {
		authoritative definition.Zones
		name          string
		qtype         uint16
		match         table.Match
		want          string // of Denial, and of Lookup if the match is Data
	}{
		{zones, "h.example.org.", dns.TypeTXT, table.Data, "NOERROR example.org. SOA 60"},
		{zones, "no.example.org.", dns.TypeTXT, table.Data, "NXDOMAIN example.org. SOA 60"},
		{zones, "example.org.", dns.TypeTXT, table.Data, "NOERROR example.org. SOA 60"},
		{zones, "sub.example.org.", dns.TypeTXT, table.Data, "NOERROR example.org. SOA 60"},
		{zones, "deep.sub.example.org.", dns.TypeTXT, table.Data, "NOERROR deep.sub.example.org. SOA 60"},
		{zones, "no.deep.sub.example.org.", dns.TypeDS, table.Data, "NXDOMAIN deep.sub.example.org. SOA 60"},
		{zones, "deep.sub.example.org.", dns.TypeDS, table.Data, "NOERROR example.org. SOA 60"},
		{zones, "example.org.", dns.TypeDS, table.Exists, "NOERROR example.org. SOA 60"},
		{zones, "web.example.org.", dns.TypeTXT, table.Exists, "NOERROR example.org. SOA 60"},
		{zones, "no.web.example.org.", dns.TypeTXT, table.None, "NXDOMAIN example.org. SOA 60"},
		{zones, "example.net.", dns.TypeTXT, table.None, "NXDOMAIN"},
		{zones, `foo\.deep.sub.example.org.`, dns.TypeTXT, table.Data, "NXDOMAIN example.org. SOA 60"},
		{zones, `foo\\.deep.sub.example.org.`, dns.TypeTXT, table.Data, "NXDOMAIN deep.sub.example.org. SOA 60"},
		{zones, `a.foo\.deep.sub.example.org.`, dns.TypeTXT, table.Data, "NXDOMAIN example.org. SOA 60"},
		{zones, `foo\.a.deep.sub.example.org.`, dns.TypeTXT, table.Data, "NXDOMAIN deep.sub.example.org. SOA 60"},
		{zones, `foo\.example.org.`, dns.TypeTXT, table.None, "NXDOMAIN"},
		{zones, `foo\.web.example.org.`, dns.TypeTXT, table.Data, "NXDOMAIN example.org. SOA 60"},
		{zones, `foo\.h.example.org.`, dns.TypeA, table.Data, "NXDOMAIN example.org. SOA 60"},
		{nil, `foo\.deep.sub.example.org.`, dns.TypeTXT, table.None, "NXDOMAIN example.org. SOA 60"},
		{zones[1:], "deep.sub.example.org.", dns.TypeDS, table.Exists, "NOERROR deep.sub.example.org. SOA 60"},
		{zones[1:], "no.example.org.", dns.TypeTXT, table.None, "NXDOMAIN example.org. SOA 60"},
		{zones[:1], "deep.sub.example.org.", dns.TypeDS, table.Exists, "NOERROR example.org. SOA 60"},
		{nil, "no.example.org.", dns.TypeTXT, table.None, "NXDOMAIN example.org. SOA 60"},
		{nil, "h.example.org.", dns.TypeTXT, table.Exists, "NOERROR example.org. SOA 60"},
	} {
		set, _ := definition.Read("x", text, zones[:1])
		set.Apexes = apexes(tc.authoritative...)
		opt := table.Options{Zones: zones, Fallthrough: definition.Zones{"web.example.org."}}
		tbl := table.Compile(set.Index(), opt)
		question := fmt.Sprintf("authoritative %v: %s %s", tc.authoritative, tc.name, dns.TypeToString[tc.qtype])
		match, a := tbl.Lookup(tc.name, tc.qtype)
		if match != tc.match || match == table.Data && denied(a) != tc.want {
			t.Errorf("%s: %d %s, want %d %s", question, match, denied(a), tc.match, tc.want)
		}
		if got := denied(tbl.Denial(tc.name, tc.qtype)); got != tc.want {
			t.Errorf("%s is denied by %s, want %s", question, got, tc.want)
		}
	}
}

// TestNegativeTTL: a denial may be cached for the SOA's MINIMUM or its TTL, whichever is less (RFC 2308 §3, §5). The
// SOA itself has its own TTL.
func TestNegativeTTL(t *testing.T) {
	for _, tc := range []struct{ ttl, negative, want uint32 }{{600, 60, 60}, {60, 600, 60}, {60, 60, 60}, {0, 60, 0}} {
		set := &definition.Set{Apexes: apexes("example.org.")}
		set.Apexes[0].TTL.Seconds, set.Apexes[0].Negative = tc.ttl, tc.negative
		tbl := table.Compile(set.Index(), table.Options{Zones: zones})
		_, denial := tbl.Lookup("no.example.org.", dns.TypeA)
		if soa := denial.Ns[0].(*dns.SOA); soa.Hdr.Ttl != tc.want || soa.Minttl != tc.negative {
			t.Errorf("ttl %d, negative %d: denied by %v, want %d seconds", tc.ttl, tc.negative, soa, tc.want)
		}
		_, apex := tbl.Lookup("example.org.", dns.TypeSOA)
		if soa := apex.RRs[0].(*dns.SOA); soa.Hdr.Ttl != tc.ttl || soa.Minttl != tc.negative {
			t.Errorf("ttl %d, negative %d: the SOA is %v", tc.ttl, tc.negative, soa)
		}
	}
}

// TestApex: the SOA and NS records of an authoritative zone, the serial in all SOA records, and aliases of the apex.
// An alias of an alias is followed.
func TestApex(t *testing.T) {
	serials := func(zone definition.Name, _ table.Digest) uint32 { return uint32(len(zone)) }
	const text = "host ns1 192.0.2.53 2001:db8::53\nalias w @\nalias v deep.sub\nalias u v"
	tbl := authoritative(text, table.Options{Serials: serials})
	const soa = "SOA ns1.example.org. hostmaster.example.org. 12 7200"
	const v = "v.example.org. CNAME deep.sub.example.org.\n"
	const within = "SOA ns1.deep.sub.example.org. hostmaster.deep.sub.example.org. 21 7200"
	const glue = "glue ns1.example.org. A 192.0.2.53\nglue ns1.example.org. AAAA 2001:db8::53\n"
	for _, tc := range []struct {
		name  string
		qtype uint16
		want  string
	}{
		{"example.org.", dns.TypeSOA, "example.org. " + soa + "\n"},
		{"example.org.", dns.TypeNS, "example.org. NS ns1.example.org.\nexample.org. NS ns.example.net.\n" + glue},
		{"no.example.org.", dns.TypeSOA, "ns example.org. " + soa + "\n"},
		{"w.example.org.", dns.TypeSOA, "w.example.org. CNAME example.org.\nexample.org. " + soa + "\n"},
		{"w.example.org.", dns.TypeTXT, "w.example.org. CNAME example.org.\nns example.org. " + soa + "\n"},
		{"v.example.org.", dns.TypeSOA, v + "deep.sub.example.org. " + within + "\n"},
		{"v.example.org.", dns.TypeA, v + "ns deep.sub.example.org. " + within + "\n"},
		{"u.example.org.", dns.TypeSOA, "u.example.org. CNAME v.example.org.\n" + v + "deep.sub.example.org. " + within + "\n"},
		{"u.example.org.", dns.TypeA, "u.example.org. CNAME v.example.org.\n" + v + "ns deep.sub.example.org. " + within + "\n"},
		{"u.example.org.", dns.TypeCNAME, "u.example.org. CNAME v.example.org.\n"},
	} {
		_, a := tbl.Lookup(tc.name, tc.qtype)
		if got := answerText(a); got != tc.want {
			t.Errorf("%s %s: %s\nwant %s", tc.name, dns.TypeToString[tc.qtype], got, tc.want)
		}
		checkLengths(t, tc.name, a)
	}
}

// TestChain: an answer has the first eight links of a chain of aliases, and none goes on in a loop.
func TestChain(t *testing.T) {
	text := "host h 192.0.2.1\nalias a1 h\nalias x y\nalias y x\n"
	for i := range 9 {
		text += fmt.Sprintf("alias a%d a%d\n", i+2, i+1)
	}
	tbl := compile(t, text)
	for _, tc := range []struct {
		name   string
		cnames int
		last   string
	}{
		{"a1.example.org.", 1, "h.example.org."},
		{"a8.example.org.", 8, "h.example.org."},
		{"a9.example.org.", 8, "a2.example.org."},
		{"a10.example.org.", 8, "a3.example.org."},
		{"x.example.org.", 8, "y.example.org."},
	} {
		_, a := tbl.Lookup(tc.name, dns.TypeA)
		cnames := slices.IndexFunc(a.RRs, func(rr dns.RR) bool { return rr.Header().Rrtype != dns.TypeCNAME })
		if cnames < 0 {
			cnames = len(a.RRs)
		}
		if last := a.RRs[len(a.RRs)-1].Header().Name; cnames != tc.cnames || last != tc.last || len(a.Ns) > 0 {
			t.Errorf("%s: %d CNAME, the last record is of %s, want %d, %s\n%s", tc.name, cnames, last, tc.cnames, tc.last, answerText(a))
		}
		checkLengths(t, tc.name, a)
	}
}

// TestDenialAllocates: that a zone is authoritative costs a denial nothing either, nor does the SOA at its apex.
func TestDenialAllocates(t *testing.T) {
	tbl := authoritative("host mx1 192.0.2.1\nmail @ 10 mx1", table.Options{})
	for _, question := range []struct {
		name  string
		qtype uint16
	}{{"example.org.", dns.TypeMX}, {"no.example.org.", dns.TypeA}, {"example.org.", dns.TypeSOA}} {
		if n := testing.AllocsPerRun(100, func() { tbl.Lookup(question.name, question.qtype) }); n > 0 {
			t.Errorf("%v: %v allocations, want none", question, n)
		}
	}
}

// TestApexRecords: a primary that is no name server, and a TTL of the name servers alone.
func TestApexRecords(t *testing.T) {
	set := &definition.Set{Apexes: apexes(zones[0])}
	a := &set.Apexes[0]
	a.Primary, a.TTL.Seconds, a.NSTTL = "hidden.example.org.", 60, definition.TTL{Seconds: 86400, Own: true}
	answers := table.Compile(set.Index(), table.Options{Zones: zones[:1], Serial: 7})
	_, soa := answers.Lookup("example.org.", dns.TypeSOA)
	_, ns := answers.Lookup("example.org.", dns.TypeNS)
	if rr := soa.RRs[0].(*dns.SOA); rr.Ns != "hidden.example.org." || rr.Hdr.Ttl != 60 {
		t.Error(rr)
	}
	if rr := ns.RRs[0].(*dns.NS); rr.Ns == "hidden.example.org." || rr.Hdr.Ttl != 86400 {
		t.Error(rr)
	}
}
