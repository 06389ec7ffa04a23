package webhook

import (
	"slices"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestTypes: each type is written as definitions, and comes back to the letter; the same wish again changes nothing,
// and deleted it is gone.
func TestTypes(t *testing.T) {
	r := provider(t, "example.org.", "2.0.192.in-addr.arpa.")
	txt := func(targets ...string) Endpoint { return endpoint("txt.example.org", "TXT", targets...) }
	ttl := endpoint("ttl.example.org", "A", "192.0.2.1")
	ttl.RecordTTL = 300
	set := endpoint("set.example.org", "A", "192.0.2.1")
	set.SetIdentifier = "one"
	for _, c := range []struct {
		name string
		e    Endpoint
		want string
	}{
		{"A", endpoint("www.example.org", "A", "192.0.2.2", "192.0.2.1"), "host www.example.org. 192.0.2.1 192.0.2.2\n"},
		{"AAAA", endpoint("www.example.org", "AAAA", "2001:DB8::1"), "host www.example.org. 2001:db8::1\n"},
		{"a TTL", ttl, "ttl 5m\n\nhost ttl.example.org. 192.0.2.1\n"},
		{"a set identifier", set, "host set.example.org. 192.0.2.1\n"},
		{"capitals and a final dot", endpoint("WWW.example.org.", "A", "192.0.2.1"), "host www.example.org. 192.0.2.1\n"},
		{"not ASCII", endpoint("bücher.example.org", "A", "192.0.2.1"), "host xn--bcher-kva.example.org. 192.0.2.1\n"},
		{"not ASCII, below an underscore", endpoint("_owner.bücher.example.org", "TXT", "t"), "record _owner.xn--bcher-kva.example.org. TXT \"t\"\n"},
		{"CNAME", endpoint("ftp.example.org", "CNAME", "www.example.org"), "alias ftp.example.org. www.example.org.\n"},
		{"MX", endpoint("example.org", "MX", "20 mx2.example.org", "10 MX1.example.org."),
			"mail example.org. {\n    10 mx1.example.org.\n    20 mx2.example.org.\n}\n"},
		{"null MX", endpoint("example.org", "MX", "0 ."), "mail example.org. none\n"},
		{"SRV", endpoint("_ldap._tcp.example.org", "SRV", "0 50 389 ldap1.example.org."),
			"service _ldap._tcp.example.org. 0 50 389 ldap1.example.org.\n"},
		{"SRV that is not offered", endpoint("_ldap._tcp.example.org", "SRV", "0 0 0 ."), "service _ldap._tcp.example.org. none\n"},
		{"TXT", txt("v=spf1 -all"), `record txt.example.org. TXT "v=spf1 -all"` + "\n"},
		{"TXT in quotes", txt(`"v=spf1" " -all"`), `record txt.example.org. TXT "v=spf1" " -all"` + "\n"},
		{"TXT with a quote and a backslash", txt(`a "b" \c`), `record txt.example.org. TXT "a \"b\" \\c"` + "\n"},
		{"TXT with lines and a statement", txt("x\nhost evil.example.org. 192.0.2.66"), `record txt.example.org. TXT "x\010host evil.example.org. 192.0.2.66"` + "\n"},
		{"TXT of braces", txt("{", "}"), "record txt.example.org. TXT \"\\#\" 2 017b\nrecord txt.example.org. TXT \"\\#\" 2 017d\n"},
		{"an empty TXT", txt(""), `record txt.example.org. TXT ""` + "\n"},
		{"an ownership record", owner(ttl), `record _owner-a.ttl.example.org. TXT "heritage=external-dns,external-dns/owner=mine,external-dns/resource=crd/default/x"` + "\n"},
		{"PTR", endpoint("1.2.0.192.in-addr.arpa", "PTR", "www.example.org", "ftp.example.org"),
			"record 1.2.0.192.in-addr.arpa. PTR ftp.example.org.\nrecord 1.2.0.192.in-addr.arpa. PTR www.example.org.\n"},
		{"CAA", endpoint("example.org", "CAA", `0 issue "letsencrypt.org"`), `record example.org. CAA 0 issue "letsencrypt.org"` + "\n"},
		{"CAA that allows nobody", endpoint("example.org", "CAA", `0 issue ";"`), `record example.org. CAA "\#" 8 000569737375653b` + "\n"},
		{"TXT of a semicolon", txt(";"), `record txt.example.org. TXT "\#" 2 013b` + "\n"},
		{"NAPTR", endpoint("_sip._udp.example.org", "NAPTR", `100 10 "u" "E2U+sip" "!^.*$!sip:info@example.org!" .`),
			`record _sip._udp.example.org. NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.org!" .` + "\n"},
		{"TLSA", endpoint("_443._tcp.example.org", "TLSA", "3 1 1 "+strings.Repeat("ab", 32)),
			"record _443._tcp.example.org. TLSA 3 1 1 " + strings.Repeat("ab", 32) + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			adjusted := r.adjust(t, c.e)
			c.e.DNSName = strings.ToLower(strings.TrimSuffix(c.e.DNSName, "."))
			if encode(t, adjusted) != encode(t, []Endpoint{c.e}) {
				t.Fatalf("adjusted to %s: %s", encode(t, adjusted), r.log())
			}
			r.apply(t, Changes{Create: adjusted})
			name, _ := c.e.name()
			if got := r.defined(t, strings.TrimSuffix(string(name), ".")); got != c.want {
				t.Errorf("definitions\n%swant\n%s", got, c.want)
			}
			before, kept := r.keys(t), c.e
			kept.Labels = nil
			if got := encode(t, r.records(t)); got != encode(t, []Endpoint{kept}) {
				t.Errorf("comes back as %s", got)
			}
			r.apply(t, Changes{Create: adjusted})
			if after := r.keys(t); encode(t, before) != encode(t, after) {
				t.Errorf("a second time it is %v", after)
			}
			r.apply(t, Changes{Delete: r.records(t)})
			if left := r.keys(t); len(left) != 0 {
				t.Errorf("deleted, there is %v", left)
			}
		})
	}
}

// TestTogether: the endpoints of a name are one fragment, whose types change by themselves.
func TestTogether(t *testing.T) {
	r := provider(t)
	a, aaaa := endpoint("example.org", "A", "192.0.2.1"), endpoint("example.org", "AAAA", "2001:db8::1")
	mx, spf := endpoint("example.org", "MX", "10 mx.example.net"), endpoint("example.org", "TXT", "v=spf1 mx -all")
	mine := endpoint("example.org", "TXT", `"heritage=external-dns,external-dns/owner=mine"`)
	a.RecordTTL, aaaa.RecordTTL = 60, 300
	r.apply(t, Changes{Create: []Endpoint{a, aaaa, mx, spf, mine}})
	want := `host example.org. 192.0.2.1 2001:db8::1 {
    ttl 1m
}

mail example.org. 10 mx.example.net.

record example.org. TXT "heritage=external-dns,external-dns/owner=mine"
record example.org. TXT "v=spf1 mx -all"
`
	if got := r.defined(t, "example.org"); got != want {
		t.Errorf("definitions\n%s", got)
	}
	changed := spf
	changed.Targets = []string{"v=spf1 -all"}
	r.apply(t, Changes{UpdateOld: []Endpoint{spf}, UpdateNew: []Endpoint{changed}, Delete: []Endpoint{aaaa, mx}})
	got := r.records(t)
	if want := []Endpoint{a, changed, mine}; encode(t, got) != encode(t, want) {
		t.Errorf("after a change there is %s", encode(t, got))
	}
	if got := r.adjust(t, a, changed); encode(t, got) != encode(t, []Endpoint{a, changed}) {
		t.Errorf("adjusted to %s: %s", encode(t, got), r.log())
	}
}

// TestAdjust: what servers would exclude is left out, or stays as it is, and the log says why.
func TestAdjust(t *testing.T) {
	r := provider(t)
	www := endpoint("www.example.org", "A", "192.0.2.1")
	spf := endpoint("example.org", "TXT", "v=spf1 mx -all")
	r.Do(t, put("/mxsrv/mail", "mail example.org. 10 mx.example.org.\nhost theirs.example.org. 192.0.2.9\n"))
	r.apply(t, Changes{Create: []Endpoint{www}})
	two := endpoint("www.example.org", "TXT", "v=spf1 mx -all", "v=spf1 -all")
	for _, c := range []struct {
		name         string
		wished, want []Endpoint
		log          string
	}{
		{"all right", []Endpoint{www}, []Endpoint{www}, ""},
		{"unknown type", []Endpoint{www, endpoint("x.example.org", "FOO", "a")}, []Endpoint{www}, `recordType "FOO": write one`},
		{"another name as a type", []Endpoint{endpoint("x.example.org", "y.example.org.", "TXT evil")}, nil, `recordType "y.example.org."`},
		{"no name", []Endpoint{endpoint("", "A", "192.0.2.1")}, nil, "without a name"},
		{"no target", []Endpoint{endpoint("x.example.org", "A")}, nil, "without a target"},
		{"a name of two lines", []Endpoint{endpoint("x\ny.example.org", "A", "192.0.2.1")}, nil, `x\ny.example.org:1: error:`},
		{"outside", []Endpoint{endpoint("www.example.net", "A", "192.0.2.1")}, nil, "owner-outside-zone"},
		{"wrong family", []Endpoint{endpoint("x.example.org", "A", "2001:db8::1")}, nil, `"2001:db8::1" is no address of type A`},
		{"two CNAMEs", []Endpoint{endpoint("x.example.org", "CNAME", "a.example.org", "b.example.org")}, nil, "a CNAME with 2 targets"},
		{"NS", []Endpoint{endpoint("k8s.example.org", "NS", "ns.example.net")}, nil, "must not delegate"},
		{"DNAME", []Endpoint{endpoint("x.example.org", "DNAME", "example.net")}, nil, "record-type"},
		{"bad MX", []Endpoint{endpoint("x.example.org", "MX", "ten mx.example.org")}, nil, "write a number from 0 to 65535"},
		{"MX without a preference", []Endpoint{endpoint("x.example.org", "MX", "mx.example.org")}, nil, "write PREFERENCE HOST"},
		{"no null MX", []Endpoint{endpoint("x.example.org", "MX", "10 .")}, nil, `write 0 before "."`},
		{"bad SRV", []Endpoint{endpoint("_x._tcp.example.org", "SRV", "0 0 mx.example.org")}, nil, "write PRIORITY WEIGHT PORT HOST"},
		{"open quote", []Endpoint{endpoint("x.example.org", "CAA", `0 issue "a`)}, nil, "write a quote at the end"},
		{"a wildcard in an overlay", []Endpoint{endpoint("*.example.org", "A", "192.0.2.1")}, nil, "wildcard-in-overlay"},
		{"two SPF records", []Endpoint{www, two}, []Endpoint{www}, "spf-two"},
		{"one of theirs", []Endpoint{endpoint("theirs.example.org", "A", "192.0.2.1"), spf}, nil, "fragment-younger"},
		{"what they point to", []Endpoint{endpoint("mx.example.org", "CNAME", "www.example.org"), www}, []Endpoint{www}, "mx-target-alias"},
		{"a change for the worse", []Endpoint{endpoint("www.example.org", "A", "192.0.2.300")}, []Endpoint{www}, `"192.0.2.300" is not an address`},
		{"two exclude each other", []Endpoint{endpoint("a.example.org", "MX", "10 b.example.org"), endpoint("b.example.org", "CNAME", "www.example.org"), www},
			[]Endpoint{endpoint("b.example.org", "CNAME", "www.example.org"), www}, "mx-target-alias"},
		{"what is pointed to is not at fault", []Endpoint{endpoint("a.example.org", "MX", "10 b.example.org", "20 c.example.org"),
			endpoint("b.example.org", "CNAME", "www.example.org"), endpoint("c.example.org", "CNAME", "www.example.org"), www},
			[]Endpoint{endpoint("b.example.org", "CNAME", "www.example.org"), endpoint("c.example.org", "CNAME", "www.example.org"), www}, "mx-target-alias"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.log()
			got := r.adjust(t, c.wished...)
			if log := r.log(); encode(t, got) != encode(t, append([]Endpoint{}, c.want...)) || !strings.Contains(log, c.log) || c.log == "" && log != "" {
				t.Errorf("adjusted to %s\n%s", encode(t, got), log)
			}
			r.adjust(t, c.wished...)
			if log := r.log(); log != "" {
				t.Errorf("the second time it says %s", log)
			}
			r.apply(t, Changes{Create: slices.DeleteFunc(got, func(e Endpoint) bool { return e.DNSName == www.DNSName && e.same(www) })})
			r.adjust(t, www)
			r.apply(t, Changes{Delete: slices.DeleteFunc(r.records(t), func(e Endpoint) bool { return e.same(www) })})
		})
	}
}

// TestRefused: changes that servers would exclude are refused, with the rule, and nothing is written.
func TestRefused(t *testing.T) {
	r := provider(t)
	r.Do(t, put("/mxsrv/mail", "mail example.org. 10 mx.example.org."))
	r.apply(t, Changes{Create: []Endpoint{endpoint("www.example.org", "A", "192.0.2.1")}})
	before := encode(t, r.keys(t))
	good := endpoint("good.example.org", "A", "192.0.2.1")
	for _, c := range []struct {
		name string
		bad  Endpoint
		want string
	}{
		{"syntax", endpoint("bad.example.org", "A", "192.0.2"), "[syntax]"},
		{"a name", endpoint("b d.example.org", "A", "192.0.2.1"), "[syntax]"},
		{"a rule", endpoint("bad.example.org", "TXT", "v=spf1 -all", "v=spf1 mx -all"), "[spf-two, RFC 7208 §3.2]"},
		{"another fragment", endpoint("example.org", "A", "192.0.2.1"), "fragment-younger"},
		{"another loses", endpoint("mx.example.org", "CNAME", "www.example.org"), "mx-target-alias"},
		{"outside", endpoint("www.example.net", "A", "192.0.2.1"), "owner-outside-zone"},
		{"a wildcard's ownership", endpoint("a-*.example.org", "TXT", "heritage=external-dns,x"), "]"},
	} {
		status, body := r.call(t, "POST", "/records", encode(t, Changes{Create: []Endpoint{good, c.bad}}))
		if after := encode(t, r.keys(t)); status != 422 || !strings.Contains(body, c.want) || after != before {
			t.Errorf("%s: %d %s", c.name, status, body)
		}
		if log := r.log(); !strings.Contains(log, c.want) {
			t.Errorf("%s: the log says %s", c.name, log)
		}
	}
	var many []Endpoint
	for range 30 {
		many = append(many, endpoint("b d.example.org", "A", "192.0.2.1"))
	}
	if _, body := r.call(t, "POST", "/records", encode(t, Changes{Create: many})); !strings.HasSuffix(body, "\nand 10 more\n") {
		t.Errorf("many reasons: %s", body)
	}
}

// TestForeign: keys that were not written here, or edited since, are not touched, and are no endpoints.
func TestForeign(t *testing.T) {
	r := provider(t)
	www, ftp := endpoint("www.example.org", "A", "192.0.2.1"), endpoint("ftp.example.org", "A", "192.0.2.1")
	r.apply(t, Changes{Create: []Endpoint{www, ftp}})
	edited := strings.Replace(r.keys(t)["/mxsrv/external-dns/www.example.org"], "host www.example.org. 192.0.2.1", "host www.example.org. 192.0.2.7", 1)
	moved := r.keys(t)["/mxsrv/external-dns/ftp.example.org"]
	lease, err := r.Client.Grant(t.Context(), 3600)
	if err != nil {
		t.Fatal(err)
	}
	lent, _ := compose("lent.example.org.", []Endpoint{endpoint("lent.example.org", "A", "192.0.2.1")})
	r.Do(t, clientv3.OpPut("/mxsrv/external-dns/lent.example.org", lent, clientv3.WithLease(lease.ID)),
		put("/mxsrv/external-dns/www.example.org", edited), put("/mxsrv/external-dns/moved.example.org", moved),
		put("/mxsrv/external-dns/hand.example.org", "host hand.example.org. 192.0.2.9\n"),
		put("/mxsrv/external-dnsx/other.example.org", moved), put("/mxsrv/external-dns/empty.example.org", ""))
	before := r.keys(t)
	if got := r.records(t); encode(t, got) != encode(t, []Endpoint{ftp}) {
		t.Errorf("endpoints are %s", encode(t, got))
	}
	for _, name := range []string{"www.example.org", "hand.example.org", "empty.example.org", "moved.example.org", "lent.example.org"} {
		e := endpoint(name, "A", "192.0.2.3")
		if status, body := r.call(t, "POST", "/records", encode(t, Changes{Create: []Endpoint{e}})); status != 422 || !strings.Contains(body, "not as ExternalDNS has written it") {
			t.Errorf("%s: %d %s", name, status, body)
		}
		if got := r.adjust(t, e); len(got) != 0 {
			t.Errorf("%s: adjusted to %s", name, encode(t, got))
		}
		r.apply(t, Changes{Delete: []Endpoint{e}, UpdateOld: []Endpoint{e}})
	}
	if after := r.keys(t); encode(t, after) != encode(t, before) {
		t.Errorf("they are %v", after)
	}
	r.apply(t, Changes{Delete: []Endpoint{ftp}})
	delete(before, "/mxsrv/external-dns/ftp.example.org")
	if after := r.keys(t); encode(t, after) != encode(t, before) {
		t.Errorf("after a deletion there is %v", after)
	}
}

// TestOutsideDomains: names outside the domains are no endpoints, and cannot be created, changed or deleted.
func TestOutsideDomains(t *testing.T) {
	r := provider(t)
	www := endpoint("www.example.org", "A", "192.0.2.1")
	r.apply(t, Changes{Create: []Endpoint{www}})
	r.Domains = []definition.Name{"k8s.example.org."}
	before := encode(t, r.keys(t))
	for _, c := range []Changes{
		{Create: []Endpoint{endpoint("ftp.example.org", "A", "192.0.2.1")}}, {Create: []Endpoint{endpoint("xk8s.example.org", "A", "192.0.2.1")}},
		{UpdateNew: []Endpoint{endpoint("www.example.org", "A", "192.0.2.2")}}, {Delete: []Endpoint{www}},
	} {
		if status, body := r.call(t, "POST", "/records", encode(t, c)); status != 422 || !strings.Contains(body, "is in no domain") {
			t.Errorf("%+v: %d %s", c, status, body)
		}
	}
	if after := encode(t, r.keys(t)); after != before || len(r.records(t)) != 0 {
		t.Errorf("there is %s", after)
	}
	inside := endpoint("www.k8s.example.org", "A", "192.0.2.1")
	r.apply(t, Changes{Create: r.adjust(t, www, inside)})
	if got := r.records(t); encode(t, got) != encode(t, []Endpoint{inside}) {
		t.Errorf("endpoints are %s", encode(t, got))
	}
}

// TestPTR: a host of a reverse zone and a PTR record for its address do not keep each other out for ever.
func TestPTR(t *testing.T) {
	for _, first := range []string{"A", "PTR", "both"} {
		r := provider(t, "example.org.", "2.0.192.in-addr.arpa.")
		all := []Endpoint{endpoint("www.example.org", "A", "192.0.2.1"), endpoint("1.2.0.192.in-addr.arpa", "PTR", "www.example.org")}
		for _, e := range all {
			if e.RecordType == first {
				r.apply(t, Changes{Create: r.adjust(t, e)})
			}
		}
		for range 2 {
			r.apply(t, Changes{Create: r.adjust(t, all...)})
		}
		if got := r.records(t); len(got) == 0 || !slices.ContainsFunc(got, func(e Endpoint) bool { return e.RecordType == "A" }) {
			t.Errorf("%s first: %s", first, encode(t, got))
		}
	}
}

// TestDryRun: nothing is written.
func TestDryRun(t *testing.T) {
	r := provider(t)
	r.DryRun = true
	r.apply(t, Changes{Create: []Endpoint{endpoint("www.example.org", "A", "192.0.2.1")}})
	if log, keys := r.log(), r.keys(t); log != "dry run: create etcd:/mxsrv/external-dns/www.example.org" || len(keys) > 0 {
		t.Errorf("%s: %v", log, keys)
	}
}

// TestDomains: without domains the zones count, and all names if they are not known.
func TestDomains(t *testing.T) {
	for _, c := range []struct {
		zones, domains []definition.Name
		want           string
	}{
		{[]definition.Name{"example.org.", "2.0.192.in-addr.arpa."}, nil, `{"include":["example.org","2.0.192.in-addr.arpa"]}`},
		{[]definition.Name{"example.org."}, []definition.Name{"k8s.example.org."}, `{"include":["k8s.example.org"]}`},
		{[]definition.Name{}, nil, `{}`},
	} {
		r := providerAt(t, nil, "127.0.0.1:1", c.zones...)
		if c.domains != nil {
			r.Domains = c.domains
		}
		if status, got := r.call(t, "GET", "/", ""); status != 200 || strings.TrimSpace(got) != c.want {
			t.Errorf("%v: %d %s", c.zones, status, got)
		}
	}
}
