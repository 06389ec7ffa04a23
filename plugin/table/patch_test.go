package table_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// TestPatch: after any number of random edits a patched table answers as one that is compiled of all that is
// declared.
func TestPatch(t *testing.T) {
	for _, tc := range []struct {
		name                 string
		zones, authoritative definition.Zones
		fallthroughs         definition.Zones
	}{
		{"one zone", nested[:1], nil, nil},
		{"zones, one in another", definition.Zones{"example.org.", "d1.example.org.", "example.com."}, nil, nil},
		{"an authoritative zone", nested[:1], nested[:1], nil},
		{"one that falls through", nested[:1], nested[:1], definition.Zones{"d2.example.org."}},
		{"authoritative zones, one in another", nested, nested, nil},
		{"a delegated zone in an overlay", nested, nested[1:], nil},
		{"an overlay in an authoritative zone", nested, definition.Zones{"example.org.", "x.d1.example.org."}, nil},
		{"the root", root[:1], nil, nil},
		{"the root, authoritative", root, root, nil},
		{"reverse zones", reversed, nil, nil},
		{"reverse zones, authoritative", reversed, reversed, nil},
	} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprint(tc.name, "/", seed), func(t *testing.T) {
				e := editor{Rand: rand.New(rand.NewPCG(seed, 1)), apexes: servedInside(tc.authoritative)}
				e.zones = append(definition.Zones{"example.org."}, tc.zones.Reverse()...)
				e.play(t, table.Options{Zones: tc.zones, Fallthrough: tc.fallthroughs})
			})
		}
	}
}

// Each of these zones is within the one before.
var (
	root   = definition.Zones{".", "example.org.", "d1.example.org.", "x.d1.example.org."}
	nested = root[1:]

	reversed = definition.Zones{"example.org.", "2.0.192.in-addr.arpa.", "0/30.2.0.192.in-addr.arpa.", "ip6.arpa."}
)

// servedInside returns an apex for each zone. Their name servers are in the zones, in zones within and elsewhere, and
// one is an apex itself.
func servedInside(zones definition.Zones) []definition.Apex {
	all := apexes(zones...)
	for i := range all {
		for _, host := range []definition.Name{"h1.d1", "h2.x.d1", "d1", "h1"} {
			all[i].Servers = append(all[i].Servers, definition.NameServer{Host: host + ".example.org."})
		}
	}
	return all
}

// TestPatchAllocates: what other authoritative zones are within the zone of a changed name costs a patch nothing.
func TestPatchAllocates(t *testing.T) {
	cost := func(zones int) float64 {
		tbl, with, opt := nestedZones(zones)
		changed, names := with("host h.example.org. 192.0.2.2"), definition.Names{"h.example.org.": true}
		return testing.AllocsPerRun(10, func() { tbl.Patch(changed, names, opt) })
	}
	const pooled = 20 // of which the race detector makes some again
	if few, many := cost(10), cost(300); many > few+pooled {
		t.Errorf("%v allocations with 10 zones, %v with 300, want as many", few, many)
	}
}

// TestPatchShares: a patch keeps what is of its names and nothing else that the index has.
func TestPatchShares(t *testing.T) {
	tbl, with, opt := nestedZones(300)
	const patches, most = 100, 4_000
	before := heap()
	for i := range patches {
		name := definition.Name(fmt.Sprintf("h%d.example.org.", i))
		names := definition.Names{name: true, "no." + name: true}
		tbl = tbl.Patch(with(fmt.Sprintf("host %s 192.0.2.1", name)), names, opt)
	}
	if each := (heap() - before) / patches; each > most {
		t.Errorf("%d octets for each of %d patches, want %d at most", each, patches, most)
	}
	if n := len(tbl.Patched()); n != patches {
		t.Errorf("%d names patched, want %d", n, patches)
	}
}

func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// An editor edits definitions at random.
type editor struct {
	*rand.Rand
	apexes []definition.Apex
	zones  definition.Zones // of the definitions

	lines []string
	seen  definition.Names // that were declared at any time
}

// play compares a table that is patched after each edit with one that is compiled.
func (e *editor) play(t *testing.T, opt table.Options) {
	for range 10 {
		e.lines = append(e.lines, e.line())
	}
	e.seen = definition.Names{"s1.example.org.": true, "s64.example.org.": true, "s70.example.org.": true,
		"no.example.org.": true, "no.d1.example.org.": true, "no.no.x.d1.example.org.": true, "no.b.example.com.": true}
	if e.IntN(2) == 0 { // names that share their records
		e.lines = append(e.lines, "mail "+strings.Join(numbered("s", 70), " ")+" 10 h1 h2")
	}
	patched, before := compiled(e.set(t), opt)
	for range 30 {
		names := e.edit(t)
		set := e.set(t)
		want, digests := compiled(set, opt)
		opt.Serials = before.note // of a zone that a patch forgets it has the digest before
		names = dependents(set, names)
		for i := range e.IntN(len(e.apexes) + 1) {
			names[e.apexes[i].Zone] = true // which is one too many, perhaps
		}
		last, rendered := patched, renderAll(t, patched, opt.Zones)
		patched = patched.Patch(set.Index(), names, opt)
		if got := renderAll(t, last, opt.Zones); got != rendered {
			t.Fatalf("%q\nthe table that was patched has changed:\n%s\nwas\n%s", e.lines, got, rendered)
		}
		if !maps.Equal(before, digests) {
			t.Fatalf("%q\ndigests %v\nwant %v", e.lines, before, digests)
		}
		e.compare(t, patched, want, opt.Zones)
	}
}

// compiled returns the table of a set, and the digests of the authoritative zones.
func compiled(set *definition.Set, opt table.Options) (*table.Table, digestsOf) {
	digests := digestsOf{}
	opt.Serials = digests.note
	return table.Compile(set.Index(), opt), digests
}

// digestsOf has digests by zone.
type digestsOf map[definition.Name]table.Digest

// note implements Options.Serials. The serial is of the digest, so an old one shows.
func (d digestsOf) note(zone definition.Name, digest table.Digest) uint32 {
	d[zone] = digest
	return uint32(digest[0])<<8 + uint32(digest[1])
}

func (e *editor) set(t *testing.T) *definition.Set {
	t.Helper()
	set, errs := definition.Read("x", strings.Join(e.lines, "\n"), e.zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	set.Apexes = e.apexes
	return set
}

// edit removes and adds lines, and returns the owners of these.
func (e *editor) edit(t *testing.T) definition.Names {
	t.Helper()
	changed := definition.Names{}
	for range 1 + e.IntN(2) {
		var line string
		if len(e.lines) > 0 && e.IntN(20) < len(e.lines) {
			i := e.IntN(len(e.lines))
			line = e.lines[i]
			e.lines = slices.Delete(e.lines, i, i+1)
		} else {
			line = e.line()
			e.lines = append(e.lines, line)
		}
		set, errs := definition.Read("x", line, e.zones)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		for o := range set.Index().Owners() {
			changed[o.Name()] = true
		}
	}
	for name := range changed {
		e.seen["no."+name], e.seen["_smtp._tcp."+name] = true, true
		for ; name != "."; name = name.Parent() {
			e.seen[name] = true
		}
	}
	return changed
}

// numbered returns names that differ in their number, from 1.
func numbered(name string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint(name, i+1))
	}
	return names
}

func (e *editor) of(words ...string) string { return words[e.IntN(len(words))] }

func (e *editor) host() string {
	if e.IntN(9) == 0 {
		return e.of("@", "example.org.")
	}
	return e.of("h1", "h2", "ns1", "d1") + e.of("", "", ".d1", ".x.d1", ".y.x.d2") + e.of("", "", "", ".example.org.")
}

func (e *editor) domain() string {
	return e.of("d1", "d2", "a.b.d3", "x.d1", "@", "example.com.", "b.example.com.", "c.example.net.")
}

// line writes a stanza. Names are few, so most edits concern others, and one name may be anything.
func (e *editor) line() string {
	ttl := e.of("", "", "", " {\n ttl 60\n}")
	own := e.of(ttl, ttl, " {\n order fixed\n}")
	host, domain := e.host(), e.domain()
	switch e.IntN(10) {
	case 8:
		wildcard := "*." + e.of("d1", "x.d1", "y.x.d2", "example.com.", "example.org.")
		return e.of("host "+wildcard+" 192.0.2.3", "record "+wildcard+" TXT w", "alias "+wildcard+" "+host) + ttl
	case 7:
		return "record " + e.of("d1", "x.d2", "y.x.d2", "d3") + " " + e.of("NS "+host, "NS "+host+" ns.example.net.", "DS 1 13 2 00") + ttl
	case 0, 1:
		return "host " + host + e.of(" 192.0.2.1", " 192.0.2.2 2001:db8::1", " 2001:db8::2") + e.of(own, " {\n ptr\n}")
	case 2:
		return "mail " + domain + " 10 " + host + own
	case 3:
		return "mail " + domain + " {\n 10 h1 h2\n 20 " + host + "\n " + e.of("srv", "ttl 60") + "\n}"
	case 4:
		return e.of("service _ldap._tcp.d1", "service _smtp._tcp.d2", "mail d3") + e.of(" none", " none")
	case 5, 6:
		return "record " + e.of(domain, host, "r.x.d1") + " " + e.of(`TXT "a b"`, "TXT c", "HTTPS 1 "+host, "HTTPS 1 .", "TLSA 3 1 1 00", `TYPE65280 "\#" 1 0a`) + ttl
	}
	if e.IntN(4) == 0 {
		return e.of("record 1.2.0.192.in-addr.arpa. PTR ", "alias 2.2.0.192.in-addr.arpa. ", "record 1.2.0.192.in-addr.arpa. TXT ", "record 2.2.0.192.in-addr.arpa. NS ") + host
	}
	if e.IntN(2) == 0 {
		return "service _ldap._tcp.d1 0 " + e.of("0", "1") + e.of(" 389 ", " 390 ") + host + own
	}
	return "alias " + e.of("w1", "w2", "w3.d1", "w4.x.d1", domain) + " " + e.of(host, domain, "w1", "_smtp._tcp.d2")
}

// dependents returns names and all that point to one of them, found by looking at every owner again and again. A mail
// domain and its _smtp._tcp are one.
func dependents(set *definition.Set, names definition.Names) definition.Names {
	for index, found := set.Index(), true; found; {
		found = false
		for o := range index.Owners() {
			domain := strings.TrimPrefix(string(o.Name()), "_smtp._tcp.")
			concerned := names["_smtp._tcp."+o.Name()] || names[definition.Name(domain)]
			for _, host := range targets(o) {
				concerned = concerned || names[host]
			}
			if concerned && !names[o.Name()] {
				names[o.Name()], found = true, true
			}
		}
	}
	return names
}

// targets returns the names that an owner points to.
func targets(o definition.Owner) (hosts []definition.Name) {
	for _, m := range o.Exchanges() {
		hosts = append(hosts, m.Host)
	}
	for _, s := range o.Targets() {
		hosts = append(hosts, s.Host)
	}
	for _, a := range o.Aliases() {
		hosts = append(hosts, a.Host)
	}
	for _, r := range o.Records() {
		if r.Target() != "" {
			hosts = append(hosts, r.Target())
		}
	}
	if a := o.Apex(); a != nil {
		for _, s := range a.Servers {
			hosts = append(hosts, s.Host)
		}
	}
	return hosts
}

var asked = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeSRV, dns.TypeCNAME, dns.TypeTXT, dns.TypeSOA,
	dns.TypeNS, dns.TypeDS, dns.TypeHTTPS, dns.TypePTR, 65280, dns.TypeANY}

// compare compares everything that two tables say of the zones, of the names that were ever declared and of those
// around.
func (e *editor) compare(t *testing.T, got, want *table.Table, zones definition.Zones) {
	t.Helper()
	if g, w := renderAll(t, got, zones), renderAll(t, want, zones); g != w {
		t.Fatalf("%q\n%s\nwant\n%s", e.lines, g, w)
	}
	if want.MayHaveTLSA() && !got.MayHaveTLSA() {
		t.Fatalf("%q\nno TLSA records, want some", e.lines)
	}
	for n := range e.seen {
		name := string(n)
		if g, w := existence(got, name), existence(want, name); !reflect.DeepEqual(g, w) {
			t.Fatalf("%q\n%s: %v\nwant %v", e.lines, name, g, w)
		}
		for _, qtype := range asked {
			g, w := answer(got, name, qtype), answer(want, name, qtype)
			if !reflect.DeepEqual(g, w) {
				t.Fatalf("%q\n%s %s: %v\nwant %v", e.lines, name, dns.TypeToString[qtype], g, w)
			}
		}
	}
}

func renderAll(t *testing.T, tbl *table.Table, zones definition.Zones) string {
	t.Helper()
	var b strings.Builder
	for _, zone := range zones {
		fmt.Fprintln(&b, "zone", zone)
		if err := tbl.Render(&b, zone); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// existence returns what a table says of a name without a type.
func existence(tbl *table.Table, name string) []any {
	types := tbl.Types(name)
	slices.Sort(types)
	return []any{types, tbl.HasRecords(definition.Name(name)), tbl.IsApex(name), tbl.Authoritative(name),
		tbl.AuthoritativeSOA(name)}
}

// answer returns what a table says of a name and type.
func answer(tbl *table.Table, name string, qtype uint16) []any {
	match, a := tbl.Lookup(name, qtype)
	return []any{match, a, tbl.Denial(name, qtype), tbl.BelongsToParent(name, qtype)}
}
