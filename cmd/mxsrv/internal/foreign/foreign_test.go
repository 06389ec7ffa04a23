package foreign

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/table"
)

var update = flag.Bool("update", false, "write what is there now to testdata, for somebody to read")

// A fixture is a file of testdata: the text of a zone, of dnsmasq or of hosts, files that it includes, and what is made of it.
//
//	authoritative what the SOA and NS records say
//	definitions   the lines that the set prints
//	not converted what is listed
//	changed       what is listed of lines that are converted
//	refused       what lint finds wrong in the set
//	lost          records of the zone that the set has not
//	gained        records that it has instead, with another TTL or number
type fixture struct {
	path  string
	parts map[string]string
}

func fixtures(t testing.TB) []fixture {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(paths) < 8 {
		t.Fatal("no testdata", err)
	}
	var all []fixture
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := fixture{path, make(map[string]string)}
		for part := range strings.SplitSeq("\n"+string(text), "\n-- ") {
			if name, body, ok := strings.Cut(part, " --\n"); ok {
				f.parts[name] = strings.TrimSuffix(body, "\n") + "\n"
			}
		}
		all = append(all, f)
	}
	return all
}

func (f fixture) text() string { return f.parts["zone"] + f.parts["dnsmasq"] + f.parts["hosts"] }

// zone is the zone of the files that do not say it.
func (f fixture) zone() definition.Name {
	if filepath.Base(f.path) == "bind-style.txt" {
		return "office.example.com."
	}
	return ""
}

func (f fixture) read(t testing.TB) *Result {
	t.Helper()
	include := func(name string) (string, error) {
		if text := f.parts["include "+name]; len(text) > 1 {
			return text, nil
		}
		return "", errors.New(name + " is not there")
	}
	r, err := Read("db", f.text(), Options{Zone: f.zone(), Include: include})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRead(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(filepath.Base(f.path), func(t *testing.T) {
			r := f.read(t)
			var definitions, apex strings.Builder
			if err := r.List(&definitions); err != nil {
				t.Fatal(err)
			}
			if a := r.Apex(); a != nil {
				a.Print(&apex, r.Zones)
			}
			got := map[string]string{"definitions": definitions.String(), "authoritative": apex.String(), "not converted": lines(r.NotConverted), "changed": lines(r.Changed)}
			got["refused"] = refused(r.Set, r.Zones)
			if f.parts["zone"] != "" {
				got["lost"], got["gained"] = compare(f.records(t), served(t, definitions.String(), r.Zones, r.Set.Apexes))
			}
			if *update {
				f.write(t, got)
				return
			}
			for part, text := range got {
				if want := f.parts[part]; text != strings.TrimPrefix(want, "\n") {
					t.Errorf("%s:\n%s\nwant\n%s", part, text, want)
				}
			}
		})
	}
}

func lines[T fmt.Stringer](all []T) string {
	var b strings.Builder
	for _, x := range all {
		fmt.Fprintln(&b, x)
	}
	return b.String()
}

// refused returns the errors that lint finds in a set.
func refused(set *definition.Set, zones definition.Zones) string {
	if len(zones) == 0 {
		zones = definition.Zones{"."}
	}
	accepted := map[string]definition.Pos{"mail-wildcard": {}}
	findings := lint.Check(set.Index(), nil, lint.Options{Zones: zones, Ignore: accepted})
	return lines(slices.DeleteFunc(findings, func(f lint.Finding) bool { return f.Rule.Severity != lint.Error }))
}

// served returns the records that definitions mean, as the table answers them.
func served(t testing.TB, text string, zones definition.Zones, apexes []definition.Apex) []string {
	t.Helper()
	if len(zones) == 0 {
		zones = definition.Zones{"."}
	}
	set, errs := definition.Read("printed", text, zones)
	if len(errs) > 0 {
		t.Fatalf("%v in\n%s", errs, text)
	}
	set.Apexes = apexes
	var names []definition.Name
	for o := range set.Index().Owners() {
		names = append(names, o.Name())
	}
	answers := table.Compile(set.Index(), table.Options{Zones: zones})
	var all []string
	for _, name := range names {
		for _, qtype := range types {
			_, a := answers.Lookup(string(name), qtype)
			for _, rr := range a.RRs {
				all = append(all, canonical(rr))
			}
		}
	}
	return distinct(all)
}

// types are those that definitions have.
var types = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeMX, dns.TypeSRV,
	dns.TypeTXT, dns.TypeCAA, dns.TypeHINFO, dns.TypeNAPTR, dns.TypePTR, dns.TypeSSHFP, dns.TypeTLSA, dns.TypeHTTPS, dns.TypeURI}

// records returns the records of these types in a zone, read by the parser of miekg/dns as a whole. It stops at the
// first mistake, so lines with one are removed before.
func (f fixture) records(t testing.TB) []string {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range f.parts {
		if file, ok := strings.CutPrefix(name, "include "); ok {
			files[file] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	p := dns.NewZoneParser(strings.NewReader(withoutMistakes(f.parts["zone"])), string(f.zone()), "db")
	p.SetIncludeAllowed(true)
	p.SetIncludeFS(files)
	var all []string
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		if slices.Contains(types, rr.Header().Rrtype) {
			all = append(all, canonical(rr))
		}
	}
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	return distinct(all)
}

var mistaken = []string{"four\t", "empty\t", "nothing\t", "$WEIGHT", "$TTL soon"}

func withoutMistakes(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !slices.ContainsFunc(mistaken, func(start string) bool { return strings.HasPrefix(line, start) }) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// canonical writes a record in lower case and with one blank between words.
func canonical(rr dns.RR) string {
	return strings.ToLower(strings.Join(strings.Fields(rr.String()), " "))
}

func distinct(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// compare returns what is in one list only.
func compare(before, after []string) (lost, gained string) {
	only := func(a, b []string) string {
		a = slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
		if len(a) == 0 {
			return ""
		}
		return strings.Join(a, "\n") + "\n"
	}
	return only(before, after), only(after, before)
}

func (f fixture) write(t *testing.T, got map[string]string) {
	text, _, _ := strings.Cut(string(must(os.ReadFile(f.path))), "\n-- authoritative --")
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(text, "\n") + "\n")
	for _, part := range []string{"authoritative", "definitions", "not converted", "changed", "refused", "lost", "gained"} {
		if _, ok := got[part]; ok {
			fmt.Fprintf(&b, "-- %s --\n%s", part, got[part])
		}
	}
	if err := os.WriteFile(f.path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

func TestMistakes(t *testing.T) {
	deep := func(string) (string, error) { return "$INCLUDE again", nil }
	const head = "@ 60 IN SOA ns hostmaster 1 2 3 4 5\n"
	for _, tc := range []struct {
		name, text string
		opt        Options
		want       string // the first or the last line that is not converted
	}{
		{"@ within a name", head + "_sip._tls.@ SRV 0 0 443 a", Options{Zone: "example.org."}, `db:2: "_sip._tls.@ SRV 0 0 443 a": "_sip._tls.@.example.org.": "@" is the zone only where it stands alone: write "_sip._tls.example.org."`},
		{"@ within a target", head + "a MX 10 mx.@", Options{Zone: "example.org."}, `db:2: "a MX 10 mx.@": "mx.@.example.org.": "@" is the zone only where it stands alone: write "mx.example.org."`},
		{"address as an exchange", head + "$ORIGIN sub\na MX 10 192.0.2.7", Options{Zone: "example.org."}, `db:3: "a MX 10 192.0.2.7": 192.0.2.7 is an address where the name of a host belongs: declare a host and write its name`},
		{"IPv6 address as a target", head + "_a._tcp SRV 0 0 1 2001:db8::1", Options{Zone: "example.org."}, `db:2: "_a._tcp SRV 0 0 1 2001:db8::1": 2001:db8::1 is an address where the name of a host belongs: declare a host and write its name`},
		{"absolute address as an alias", head + "www CNAME 192.0.2.7.", Options{Zone: "example.org."}, `db:2: "www CNAME 192.0.2.7.": 192.0.2.7. is an address where the name of a host belongs: declare a host and write its name`},
		{"ALIAS", head + "@ ALIAS web.example.net.", Options{Zone: "example.org."}, `db:2: "@ ALIAS web.example.net.": ALIAS gives a name the addresses of another one: declare them, as a host`},
		{"ANAME", head + "@ 60 IN ANAME web.example.net.", Options{Zone: "example.org."}, `db:2: "@ 60 IN ANAME web.example.net.": ANAME gives a name the addresses of another one: declare them, as a host`},
		{"LUA", head + "www LUA A \"ifportup(443, {'192.0.2.1'})\"", Options{Zone: "example.org."}, `db:2: "www LUA A \"ifportup(443, {'192.0.2.1'})\"": LUA is answered by a script: declare the addresses, as a host`},
		{"unknown type", head + "www URL https://example.net/", Options{Zone: "example.org."}, `db:2: "www URL https://example.net/": cannot be read: neither a TTL nor a type of records: "URL"`},
		{"short names alone", "host-record=nas,192.0.2.9", Options{}, `db:1: "host-record=nas,192.0.2.9": nas. is a short name, which is in no zone: clients complete it by their search domain`},
		{"short name", "domain=lan\nhost-record=nas,192.0.2.1\nhost-record=web.lan,192.0.2.2", Options{}, `db:2: "host-record=nas,192.0.2.1": nas. is a short name, which is in no zone: clients complete it by their search domain`},
		{"no owner", "$TTL 1\n$ORIGIN a.\n\n IN A 192.0.2.1", Options{}, `db:4: "IN A 192.0.2.1": there is no owner before it: start the line with one`},
		{"$GENERATE without data", head + "$GENERATE 1-2", Options{Zone: "example.org."}, `db:2: "$GENERATE 1-2": usage: $GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA`},
		{"$GENERATE backwards", head + "$GENERATE 2-1 a$ A 192.0.2.$", Options{Zone: "example.org."}, `db:2: "$GENERATE 2-1 a$ A 192.0.2.$": usage: $GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA`},
		{"$GENERATE of millions", head + "$GENERATE 0-65536 a$ A 192.0.2.1", Options{Zone: "example.org."}, `db:2: "$GENERATE 0-65536 a$ A 192.0.2.1": it means more than 65536 entries: write a range of fewer`},
		{"$GENERATE in base 2", head + "$GENERATE 0-1 a${0,1,b} A 192.0.2.1", Options{Zone: "example.org."}, `db:2: "$GENERATE 0-1 a${0,1,b} A 192.0.2.1": "${0,1,b}": write ${OFFSET,WIDTH,BASE} with a base of d, o, x, X, n or N`},
		{"$GENERATE of nothing that can be read", head + "$GENERATE 0-1 a$ A 192.0.2.x", Options{Zone: "example.org."}, `db:2: "$GENERATE 0-1 a$ A 192.0.2.x": cannot be read: bad A A: "192.0.2.x"`},
		{"owner that cannot be read", head + "a..b A 192.0.2.1\n A 192.0.2.2", Options{Zone: "example.org."}, `db:3: "A 192.0.2.2": there is no owner before it: start the line with one`},
		{"key with a word for its algorithm", head + "@ DNSKEY 257 3 RSASHA1 AwEAAQ==", Options{Zone: "example.org."}, `db:2: "@ DNSKEY 257 3 RSASHA1 AwEAAQ==": who signs the zone makes these records: 1 dropped: 1 DNSKEY`},
		{"no files", head + "$INCLUDE a b", Options{Zone: "example.org."}, `db:2: "$INCLUDE a b": files are not followed here: import "a" by itself`},
		{"files without end", head + "$INCLUDE a", Options{Zone: "example.org.", Include: deep}, `again:1: "$INCLUDE again": files include each other 8 deep: take this line out`},
		{"include nothing", head + "$INCLUDE", Options{Zone: "example.org."}, `db:2: "$INCLUDE": usage: $INCLUDE FILE [ORIGIN]`},
		{"origin that is not there", head + "$ORIGIN", Options{Zone: "example.org."}, `db:2: "$ORIGIN": usage: $ORIGIN NAME`},
		{"origin that is not there, nor a zone", "a.example.org. 60 A 192.0.2.1\n$ORIGIN", Options{}, `db:2: "$ORIGIN": usage: $ORIGIN NAME`},
		{"origin that is none", head + "$ORIGIN a..b", Options{Zone: "example.org."}, `db:2: "$ORIGIN a..b": usage: $ORIGIN NAME`},
		{"parenthesis left open", head + "a A ( 192.0.2.1\nb A 192.0.2.2", Options{Zone: "example.org."}, `db:2: "a A ( 192.0.2.1 b A 192.0.2.2": the ( of it is not closed`},
		{"signed", "a 60 IN DNSKEY 256 3 8 AwEAAQ==", Options{Zone: "example.org."}, `db:1: "a 60 IN DNSKEY 256 3 8 AwEAAQ==": who signs the zone makes these records: 1 dropped: 1 DNSKEY`},
		{"signed", "a 60 IN DNSKEY 256 3 8 AwEAAQ==\nb 60 IN NSEC a A\na 60 IN DNSKEY 257 3 8 AwEAAQ==", Options{Zone: "example.org."}, `db:1: "a 60 IN DNSKEY 256 3 8 AwEAAQ==": who signs the zone makes these records: 3 dropped: 1 NSEC, 2 DNSKEY`},
		{"asterisk within a name", "a.*.b 60 IN TXT x", Options{Zone: "example.org."}, `db:1: "a.*.b 60 IN TXT x": a.*.b.example.org.: an asterisk is the whole first label or none`},
		{"wildcard service", "*._tcp 60 IN SRV 0 0 1 a", Options{Zone: "example.org."}, `db:1: "*._tcp 60 IN SRV 0 0 1 a": *._tcp.example.org.: a service is named _SERVICE._PROTO.DOMAIN (RFC 2782)`},
		{"wildcard below a service", "*._x._tcp 60 IN SRV 0 0 1 a", Options{Zone: "example.org."}, `db:1: "*._x._tcp 60 IN SRV 0 0 1 a": *._x._tcp.example.org.: a service is named _SERVICE._PROTO.DOMAIN (RFC 2782)`},
		{"NS of several zones", "a.example. 60 NS ns.example.net.\nb.test. 60 NS ns.example.net.", Options{}, `db:1: "a.example. 60 NS ns.example.net.": NS record of one of several zones: import each of them with its own zone`},
		{"two SOA records", head + "@ 60 IN SOA ns hostmaster 2 2 3 4 5", Options{Zone: "example.org."}, `db:2: "@ 60 IN SOA ns hostmaster 2 2 3 4 5": a second SOA record of example.org.: delete one`},
		{"SOA of another zone", "example.com. 60 IN SOA ns hostmaster 1 2 3 4 5", Options{Zone: "example.org."}, `db:1: "example.com. 60 IN SOA ns hostmaster 1 2 3 4 5": it is the SOA record of another zone than example.org.: import that by itself`},
		{"SOA alone", head, Options{Zone: "example.org."}, `db:1: "@ 60 IN SOA ns hostmaster 1 2 3 4 5": a zone needs NS records beside the SOA: write "ns NAME..." in authoritative`},
		{"NS of nothing", head + "@ NS .", Options{Zone: "example.org."}, `db:2: "@ NS .": "." is no host: write the name of one`},
		{"below a delegation", head + "eu NS ns.eu\nwww.eu A 192.0.2.1\neu TXT x", Options{Zone: "example.org."}, `db:4: "eu TXT x": it is at or below eu.example.org., which is delegated: declare it in that zone (RFC 1034 §4.2.1)`},
		{"DNAME", head + "old DNAME example.net.", Options{Zone: "example.org."}, `db:2: "old DNAME example.net.": type DNAME is not for record: aliases of all names below one are not made (RFC 6672 §3.1): write "alias NAME... HOST" for each`},
		{"other zone", "mx-host=example.com,mx.example.com", Options{Zone: "example.org."}, `db:1: "mx-host=example.com,mx.example.com": example.com. is not below example.org.: import it with its own zone`},
		{"domain of a network", "domain=example.com,192.0.2.0/24\nsrv-host=_ldap._tcp,a.example.com", Options{}, `db:1: "domain=example.com,192.0.2.0/24": it is for the machines of a network only: declare these by name`},
		{"domain of a network is not that of a service", "domain=example.com,192.0.2.0/24\nsrv-host=_ldap._tcp,a.example.com", Options{}, `db:2: "srv-host=_ldap._tcp,a.example.com": it has no domain, and there is no domain=: name the zone, or write it out`},
		{"mx-target alone", "mx-target=mx.example.com", Options{}, `db:1: "mx-target=mx.example.com": without mx-host it is for the machine that dnsmasq runs on: write mx-host=NAME,mx.example.com`},
		{"too many fields", "mx-host=example.com,mx.example.com,1,2", Options{}, `db:1: "mx-host=example.com,mx.example.com,1,2": usage: mx-host=NAME,HOST,PREFERENCE`},
		{"address for short names", "address=//192.0.2.1", Options{}, `db:1: "address=//192.0.2.1": it is for any name: leave it to the template plugin in a server block of its own`},
		{"CAA flags", "caa-record=a.example.com,x,issue,y", Options{}, `db:1: "caa-record=a.example.com,x,issue,y": "x": write a number from 0 to 255`},
		{"CAA of too many fields", "caa-record=a.example.com,0,issue,y,z", Options{}, `db:1: "caa-record=a.example.com,0,issue,y,z": usage: caa-record=NAME,FLAGS,TAG,VALUE`},
		{"NAPTR order", "naptr-record=a.example.com,70000,1,s,x,y", Options{}, `db:1: "naptr-record=a.example.com,70000,1,s,x,y": "70000": write a number from 0 to 65535`},
		{"NAPTR of one field", "naptr-record=,1", Options{}, `db:1: "naptr-record=,1": usage: naptr-record=NAME,ORDER,PREFERENCE,FLAGS,SERVICE,REGEXP,REPLACEMENT`},
		{"PTR of nothing", "ptr-record=a.example.com", Options{}, `db:1: "ptr-record=a.example.com": usage: ptr-record=NAME,TARGET`},
		{"PTR of three", "ptr-record=a.example.com,b,c", Options{}, `db:1: "ptr-record=a.example.com,b,c": usage: ptr-record=NAME,TARGET`},
		{"PTR to no name", "ptr-record=a.example.com,b..c", Options{}, `db:1: "ptr-record=a.example.com,b..c": "b..c" is no name`},
		{"type that is no number", "dns-rr=a.example.com,TXT,00", Options{}, `db:1: "dns-rr=a.example.com,TXT,00": "TXT": write a number from 0 to 65535`},
		{"data that is not hexadecimal", "dns-rr=a.example.com,44,xy", Options{}, `db:1: "dns-rr=a.example.com,44,xy": "xy": write the data in hexadecimal`},
		{"data of four fields", "dns-rr=a.example.com,44,00,00", Options{}, `db:1: "dns-rr=a.example.com,44,00,00": usage: dns-rr=NAME,TYPE,HEX`},
		{"NAPTR with a long text", "naptr-record=a.example.com,1,1,s,x," + strings.Repeat("y", 256), Options{}, `db:1: "naptr-record=a.example.com,1,1,s,x,` + strings.Repeat("y", 45) + `...": "` + strings.Repeat("y", 80) + `..." has 256 octets: write at most 255`},
		{"address without name", "address=192.0.2.1", Options{}, `db:1: "address=192.0.2.1": usage: address=/NAME/ADDRESS`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := Read("db", tc.text, tc.opt)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.NotConverted) == 0 || r.NotConverted[0].String() != tc.want && r.NotConverted[len(r.NotConverted)-1].String() != tc.want {
				t.Errorf("%swant\n%s", lines(r.NotConverted), tc.want)
			}
		})
	}
}

// TestZone: the zone of a file that nobody names, or that it names in passing; and what is made of it.
func TestZone(t *testing.T) {
	const soa = "SOA ns.example.net. hostmaster.example.net. 1 2 3 4 5\n"
	for _, tc := range []struct{ name, text, zone, definitions string }{
		{"SOA", "$TTL 1h\nexample.org. " + soa + "mx A 192.0.2.1", "example.org.", "host mx 192.0.2.1\n"},
		{"SOA without its final dot, as from Cloudflare", "example.org 3600 IN " + soa + " 3600 A 192.0.2.2\nmx.example.org. 1 A 192.0.2.1 ; cf_tags=cf-proxied:false",
			"example.org.", "host @ 192.0.2.2\nhost mx 192.0.2.1 {\n    ttl 5m\n}\n"},
		{"$ORIGIN without its final dot", "$ORIGIN example.org\n$TTL 1h\n@ " + soa + "mx A 192.0.2.1\n$ORIGIN sub.example.org\nmx A 192.0.2.2", "example.org.", "host mx 192.0.2.1\nhost mx.sub 192.0.2.2\n"},
		{"reverse zone", "$ORIGIN 2.0.192.in-addr.arpa.\n$TTL 1h\n1 PTR a.example.org.", "2.0.192.in-addr.arpa.", "record 1.2.0.192.in-addr.arpa. PTR a.example.org.\n"},
		{"any type", "$ORIGIN example.org.\n$TTL 1h\n@ TYPE65280 \\# 2 0aff\n_25._tcp.mx TLSA 3 1 1 00ff\n@ HTTPS 1 . alpn=h2", "example.org.",
			"record @ TYPE65280 \"\\#\" 2 0aff\nrecord @ HTTPS 1 . alpn=\"h2\"\nrecord _25._tcp.mx TLSA 3 1 1 00ff\n"},
		{"relative $ORIGIN", "$ORIGIN example.org.\n$TTL 1h\n$ORIGIN sub\nmx A 192.0.2.2", "example.org.", "host mx.sub 192.0.2.2\n"},
		{"$ORIGIN that is like a type", "$ORIGIN example.org.\n$TTL 1h\n$ORIGIN a\nmx A 192.0.2.2", "example.org.", "host mx.a 192.0.2.2\n"},
		{"what names have in common", "a.example.org. A 192.0.2.1\n_x._tcp.b.example.org. SRV 0 0 1 a.example.org.\n*.c.example.org. TXT \"x\"", "example.org.",
			"host a 192.0.2.1\nservice _x._tcp.b 0 0 1 a\nrecord *.c TXT \"x\"\n"},
		{"names that are relative to it, too", "example.org. NS ns\nmx A 192.0.2.1", "example.org.", "host mx 192.0.2.1\n"},
		{"a domain, once", "example.org. A 192.0.2.1", "example.org.", "host @ 192.0.2.1\n"},
		{"a name in a domain, once", "www.example.co.uk. A 192.0.2.1", "example.co.uk.", "host www 192.0.2.1\n"},
		{"domains of the same registry", "example.co.uk. A 192.0.2.1\nexample.org.uk. A 192.0.2.1\nother.co.uk. A 192.0.2.1", "",
			"host example.co.uk. 192.0.2.1\nhost example.org.uk. 192.0.2.1\nhost other.co.uk. 192.0.2.1\n"},
		{"aging of Windows", "$ORIGIN example.org.\n@ [AGE:3640000] 3600 A 192.0.2.1\n [Aging:3640001] 3600 A 192.0.2.2\ndc1 [AGE:3640000] 3600 IN A 192.0.2.1", "example.org.",
			"host @ 192.0.2.1 192.0.2.2\nhost dc1 192.0.2.1\n"},
		{"domain of dnsmasq, and a short name", "local-ttl=3600\ndomain=lan\nhost-record=nas,nas.lan,192.0.2.9", "lan.", "host nas 192.0.2.9\n"},
		{"hosts", "192.0.2.1 a.example.org a\n192.0.2.2 b.example.org b", "example.org.", "host a 192.0.2.1\nhost b 192.0.2.2\n"},
		{"NS before the zone is known", "eu.example.org. 60 NS ns.example.net.\nexample.org. 60 NS ns.example.net.", "example.org.", "ttl 1m\n\nrecord eu NS ns.example.net.\n"},
		{"texts of dnsmasq", "local-ttl=3600\ntxt-record=a.example.org,\"b, c\",d # two\nptr-record=1.2.0.192.in-addr.arpa,a.example.org", "example.org.",
			"# two\nrecord a TXT \"b, c\" \"d\"\n"},
		{"pointers of dnsmasq alone", "local-ttl=3600\nptr-record=1.2.0.192.in-addr.arpa,a.example.org", "2.0.192.in-addr.arpa.",
			"record 1.2.0.192.in-addr.arpa. PTR a.example.org.\n"},
		{"no domain", "local-ttl=3600\nhost-record=nas,nas.lan,192.0.2.9\nmx-host=lan,nas.lan", "lan.", "host nas 192.0.2.9\nmail @ 1 nas\n"},
		{"domain of none of the names", "local-ttl=3600\ndomain=lan\nhost-record=a.example.org,192.0.2.9", "example.org.", "host a 192.0.2.9\n"},
		{"several domains", "local-ttl=3600\ndomain=lan\nhost-record=nas.lan,192.0.2.9\naddress=/.apps.example.com/192.0.2.20", "",
			"host nas.lan. 192.0.2.9\nhost apps.example.com. 192.0.2.20\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := Read("db", tc.text, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var definitions strings.Builder
			r.List(&definitions)
			got := strings.Join(convertNames(r.Zones), " ")
			if text := strings.TrimPrefix(definitions.String(), "ttl 0\n\n"); got != tc.zone || text != tc.definitions {
				t.Errorf("zone %q of\n%s\nwant %q of\n%s\nlisted\n%s%s", got, text, tc.zone, tc.definitions, lines(r.NotConverted), lines(r.Changed))
			}
		})
	}
}

// TestErrors: why nothing is read.
func TestErrors(t *testing.T) {
	none := func(name string) (string, error) { return "", fmt.Errorf("%s is not there", name) }
	for _, tc := range []struct {
		name, text string
		opt        Options
		want       string
	}{
		{"no zone", "mx1 IN A 192.0.2.1", Options{}, "db: its names are relative to a zone that it does not name"},
		{"no zone of an SOA", "@ 60 SOA a. b. 1 2 3 4 5\nmx1 A 192.0.2.1", Options{}, "db: its names are relative to a zone that it does not name"},
		{"no zone of targets", "a.example.org. 60 MX 10 mx1\nb.example.net. 60 MX 10 mx1", Options{}, "db: its names are relative to a zone that it does not name"},
		{"no file", "\n$INCLUDE a.db", Options{Zone: "example.org.", Include: none}, "db:2: a.db is not there"},
	} {
		if _, err := Read("db", tc.text, tc.opt); err == nil || err.Error() != tc.want {
			t.Errorf("%s: %v, want %s", tc.name, err, tc.want)
		}
	}
}

// TestChanged: a line that is converted in part, or otherwise than it stands, is not one that is not converted.
func TestChanged(t *testing.T) {
	for _, tc := range []struct{ name, text, notConverted, changed string }{
		{"a short name beside another", "domain=lan\nlocal-ttl=1\nhost-record=nas,nas.lan,192.0.2.9", "",
			`db:3: "host-record=nas,nas.lan,192.0.2.9": it means PTR records, too: name the network in the Corefile beside the zone, as 192.0.2.0/24
db:3: "host-record=nas,nas.lan,192.0.2.9": nas. is a short name, which is in no zone: clients complete it by their search domain
`},
		{"names below a name", "local-ttl=1\naddress=/.apps.example.com/192.0.2.20", "",
			`db:2: "address=/.apps.example.com/192.0.2.20": only apps.example.com itself gets the address, which was for all names below it, too: declare those that are asked for
`},
		{"host of a reverse zone", "$ORIGIN 2.0.192.in-addr.arpa.\nns 60 A 192.0.2.1\nns2 60 A 192.0.2.2\n2 60 PTR ns2", "", `db:2: "ns 60 A 192.0.2.1": the zone has the name of its address, 1.2.0.192.in-addr.arpa., which gets a PTR record, too
`},
		{"origin", "$ORIGIN example.org\na 60 A 192.0.2.1", "", `db:1: "$ORIGIN example.org": "example.org" is taken for "example.org.": write its final dot
`},
		{"TTL of Cloudflare", "a.example.org. 1 A 192.0.2.1\nexample.org. 1 NS a.ns.cloudflare.com.\nexample.org. 1 TXT \"x\"",
			"", `db:1: "a.example.org. 1 A 192.0.2.1": TTL 1 is automatic at Cloudflare, which answers 300, and so do the definitions (and 2 more like this)
`},
		{"TTLs of name servers", "$ORIGIN example.org.\n@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a\n@ 50 NS b", "", `db:3: "@ 60 NS a": its TTL 60 becomes 50: the name servers of a zone share one
`},
		{"mailbox", "$ORIGIN example.org.\n@ 60 SOA a b\\@c 1 2 3 4 5\n@ 60 NS a", "", `db:2: "@ 60 SOA a b\\@c 1 2 3 4 5": contact "b\\@c.example.org.": write a mailbox of letters, digits and -_+=. before the @
`},
		{"ISDN", "a.example.org. 60 ISDN \"1234\"", "", `db:1: "a.example.org. 60 ISDN \"1234\"": ISDN without a subaddress gets an empty one
`},
		{"TTL 1 elsewhere", "a.example.org. 1 A 192.0.2.1\nb.example.org. 1 A 192.0.2.1", "", ""},
		{"TTLs of a host", "$ORIGIN example.org.\na 60 A 192.0.2.1\na 30 A 192.0.2.2\nb 60 TXT x\nb 50 TXT y\nb 40 CAA 0 issue z", "", `db:2: "a 60 A 192.0.2.1": its TTL 60 becomes 30: the addresses of a host share one
db:4: "b 60 TXT x": its TTL 60 becomes 50: the records of a name and type share one
`},
	} {
		r, err := Read("db", tc.text, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got, changed := lines(r.NotConverted), lines(r.Changed); got != tc.notConverted || changed != tc.changed {
			t.Errorf("%s: not converted\n%swant\n%schanged\n%swant\n%s", tc.name, got, tc.notConverted, changed, tc.changed)
		}
	}
}

func convertNames(zones definition.Zones) (words []string) {
	for _, zone := range zones {
		words = append(words, string(zone))
	}
	return words
}

func TestDetect(t *testing.T) {
	for _, tc := range []struct {
		text string
		want Kind
	}{
		{"; a comment\nexample.org. 3600 IN SOA a. b. 1 2 3 4 5", Zone},
		{"@ in mx 10 mx1 ; mx-host=no", Zone},
		{"$ORIGIN example.org.", Zone},
		{"x TXT \"a\"\nmx-host TXT \"server=yes\"", Zone},
		{" # mx\nport=5\n mx-host = a,b", Dnsmasq},
		{"--cname=a,b", Dnsmasq},
		{"selfmx", Dnsmasq},
		{"127.0.0.1 localhost\n192.0.2.1 a.example.org a # ns", Hosts},
		{"192.0.2.1 60 IN A 192.0.2.1\n2001:db8::1 TXT x", Zone},
		{"mail @ 10 mx1\nservice _ldap._tcp 0 0 389 ldap1\n", ""},
		{"colour=red\nname=blue", ""},
		{"", ""},
	} {
		if got, ok := Detect(tc.text); got != tc.want && ok || ok != (tc.want != "") {
			t.Errorf("%q: %q, %v, want %q", tc.text, got, ok, tc.want)
		}
	}
	const want = `x: neither a zone file nor options of dnsmasq nor a file of hosts: `
	if _, err := Read("x", "colour=red", Options{}); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s...", err, want)
	}
}

// FuzzRead: whatever a text says, nothing of it is dropped in silence, and what is not listed is in definitions that
// can be read and are well formed.
func FuzzRead(f *testing.F) {
	for _, x := range fixtures(f) {
		f.Add(x.text(), string(x.zone()))
	}
	f.Fuzz(func(t *testing.T, text, zone string) {
		name, err := definition.ParseName(zone, ".")
		if err != nil || len(text) > 1<<16 {
			t.Skip()
		}
		if strings.Contains(strings.ToUpper(text), "GENERATE") {
			t.Skip() // a few octets mean 65536 records
		}
		if isOfCloudflare(text) {
			t.Skip() // what is different is listed once
		}
		r, err := Read("db", text, Options{Zone: name})
		if err != nil {
			return
		}
		var printed strings.Builder
		r.List(&printed)
		after := served(t, printed.String(), r.Zones, r.Set.Apexes)
		refused := refused(r.Set, r.Zones)
		for _, id := range []string{"name-invalid", "owner-outside-zone", "ttl-conflict", "mail-wildcard"} {
			if strings.Contains(refused, "["+id) {
				t.Errorf("%s", refused)
			}
		}
		before, err := zoneRecords(text, zone)
		if r.Kind != Zone || err != nil || refused != "" {
			return
		}
		lost, gained := compare(before, after)
		listed := slices.DeleteFunc(append(r.NotConverted, r.Changed...), func(u Line) bool {
			return strings.HasPrefix(u.Why, "SOA is") || strings.HasPrefix(u.Why, "NS ")
		})
		if slices.ContainsFunc(listed, func(u Line) bool { return strings.Contains(u.Why, "write its final dot") }) {
			return // the names of other lines depend on it
		}
		if strings.Count(lost, "\n") > len(listed) || lost == "" && gained != "" {
			t.Errorf("lost\n%sgained\n%slisted\n%s", lost, gained, lines(listed))
		}
	})
}

// zoneRecords returns the records of a zone without $INCLUDE.
func zoneRecords(text, origin string) ([]string, error) {
	p := dns.NewZoneParser(strings.NewReader(strings.TrimPrefix(text, "\ufeff")+"\n"), origin, "")
	var all []string
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		if slices.Contains(types, rr.Header().Rrtype) {
			all = append(all, canonical(rr))
		}
	}
	return distinct(all), p.Err()
}

// TestIncluded: what a file inherits, and what is left of it, as BIND and NSD have it.
func TestIncluded(t *testing.T) {
	const text = "$TTL 100\n$ORIGIN example.org.\na A 192.0.2.1\n$INCLUDE part sub\n A 192.0.2.9\nc A 192.0.2.3\nd 50 A 192.0.2.4\ne A 192.0.2.5"
	part := func(string) (string, error) { return "b A 192.0.2.2\n$TTL 300\nbb A 192.0.2.2", nil }
	r, err := Read("db", text, Options{Include: part})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	r.List(&got)
	const want = `ttl 5m

host a 192.0.2.1 192.0.2.9 {
    ttl 100
}
host b.sub 192.0.2.2 {
    ttl 100
}
host bb.sub 192.0.2.2
host c 192.0.2.3
host d 192.0.2.4 {
    ttl 50
}
host e 192.0.2.5
`
	if changed := `db:5: "A 192.0.2.9": its TTL 300 becomes 100: the addresses of a host share one` + "\n"; got.String() != want || lines(r.Changed) != changed {
		t.Errorf("%s\nwant\n%s\nchanged\n%s", got.String(), want, lines(r.Changed))
	}
}

// TestInherited: what an entry leaves out comes from where the RFCs say.
func TestInherited(t *testing.T) {
	const soa = "@ IN SOA ns hostmaster 1 2 3 4 5m\n@ NS ns.example.net.\n"
	for _, tc := range []struct{ name, text, want string }{
		{"ttl from the SOA", soa + "a A 192.0.2.1", "ttl 5m\n\nhost a 192.0.2.1\n"},
		{"ttl of the entry before", soa + "a 60 A 192.0.2.1\nb A 192.0.2.2", "ttl 1m\n\nhost a 192.0.2.1\nhost b 192.0.2.2\n"},
		{"ttl from $TTL whatever was before", "$TTL 1h30m\n" + soa + "a 60 A 192.0.2.1\nb A 192.0.2.2", "ttl 1m\n\nhost a 192.0.2.1\nhost b 192.0.2.2 {\n    ttl 1h30m\n}\n"},
		{"ttl of $GENERATE", "$TTL 60\n" + soa + "$GENERATE 1-2 a$ IN A 192.0.2.$", "ttl 1m\n\nhost a1 192.0.2.1\nhost a2 192.0.2.2\n"},
		{"$GENERATE of each kind", soa + "$GENERATE 9-11/2 a${-1,3}.b$$ A 192.0.2.$\n$GENERATE 30-31 ${10,4,x}-${0,2,X}-${0,0,o} A 192.0.2.1\n" +
			"$GENERATE 255-256 ${0,7,n}.${0,0,N} TXT \"$ \\$ ;\"",
			"ttl 5m\n\nhost 0028-1e-36 192.0.2.1\nhost 0029-1f-37 192.0.2.1\nrecord f.f.0.0.f.f TXT \"255 $ ;\"\nrecord 0.0.1.0.0.0.1 TXT \"256 $ ;\"\n"},
		{"owner of the entry before", soa + "a A 192.0.2.1\n\n; why\n AAAA 2001:db8::1", "ttl 5m\n\n# why\nhost a 192.0.2.1 2001:db8::1\n"},
		{"mistake in between", soa + "a A 192.0.2.1\nb A 192.0.2\nc A 192.0.2.3", "ttl 5m\n\nhost a 192.0.2.1\nhost c 192.0.2.3\n"},
		{"what the parser wants otherwise", soa + "a 60 NAPTR 1 2 s SIP+D2U \"\" _sip._udp\nb X25 \"12345\"\nc GPOS \"-22.6\" \"116.8\" \"250.0\"",
			"ttl 1m\n\nrecord a NAPTR 1 2 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.org.\nrecord b X25 12345\nrecord c GPOS -22.6 116.8 250.0\n"},
		{"owner of an entry that cannot be read", soa + "a A 192.0.2.1\nb WKS 10.0.0.1 6 ( 0 1 2 )\n A 192.0.2.2\n", "ttl 5m\n\nhost a 192.0.2.1\nhost b 192.0.2.2\n"},
		{"CRLF", strings.ReplaceAll(soa+"a A 192.0.2.1 ; why\n AAAA ( ; why\n2001:db8::1 )\n", "\n", "\r\n"), "ttl 5m\n\n# why\nhost a 192.0.2.1 2001:db8::1\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := Read("db", tc.text, Options{Zone: "example.org."})
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			r.List(&got)
			if got.String() != tc.want {
				t.Errorf("%s\nwant\n%s\nlisted\n%s", got.String(), tc.want, lines(r.NotConverted))
			}
		})
	}
}
