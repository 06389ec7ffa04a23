package test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/test/rig"
)

// treeZone is a server block for a tree alone, which is authoritative.
const treeZone = `%s:1053 {
    bind 127.0.0.1
    errors
    %s
    mxsrv {
        etcd %s {
            skydns /skydns
        }
        authoritative {
            ns ns.example.net.
        }
    }
}
`

// startTrees writes trees and starts a server that is authoritative for each, with some plugins.
func startTrees(t *testing.T, dir string, trees []*skydnsTree, plugins func(zone string) string) (*cluster, *server) {
	t.Helper()
	c := &cluster{Cluster: rig.Etcd(t, 1), t: t}
	r, err := c.Client.Grant(t.Context(), 3600)
	if err != nil {
		t.Fatal(err)
	}
	var corefile strings.Builder
	for _, tree := range trees {
		tree.write(c, r.ID, tree.keys)
		fmt.Fprintf(&corefile, treeZone, tree.zone, plugins(tree.zone), c.URLs()[0])
	}
	return c, start(t, dir, corefile.String())
}

// treeTypes are all types of which a tree has records.
var treeTypes = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeMX, dns.TypePTR, dns.TypeSRV, dns.TypeTXT}

// TestSkyDNSSigned: what a tree has, and what it has not, validates with the key of the zone, before and after changes; and
// the NSEC record of each name lists the types that it has.
func TestSkyDNSSigned(t *testing.T) {
	dir := t.TempDir()
	var trees []*skydnsTree
	keys := make(map[string]zoneKey)
	for n := range orLong(t, 3, 10) {
		tree := newSkyDNSTree(n)
		trees = append(trees, tree)
		keys[tree.zone] = keygen(t, dir, tree.zone)
	}
	c, s := startTrees(t, dir, trees, func(zone string) string {
		return "dnssec {\n        key file " + keys[zone].name + "\n    }"
	})
	signed, denied := 0, 0
	for round := range 2 {
		for _, tree := range trees {
			if round > 0 {
				tree.change(c, clientv3.NoLease)
				key := keyOf("last." + tree.zone)
				tree.keys[key] = `{"text":"changed"}`
				c.do(clientv3.OpPut(key, tree.keys[key]))
				same(t, []*server{s}, "last."+tree.zone+" TXT", "changed")
			}
			n, m := validateTree(t, s, keys[tree.zone], tree)
			signed, denied = signed+n, denied+m
		}
	}
	t.Logf("%d answers and %d denials validated", signed, denied)
}

// validateTree asks delv for a tree, and returns how many answers and denials were validated.
func validateTree(t *testing.T, s *server, key zoneKey, tree *skydnsTree) (signed, denied int) {
	t.Helper()
	client := dialTCP(t, s.addr)
	for i, name := range append(tree.names(), "below.none."+tree.zone) {
		listed := nsecOf(t, client, name)
		for j, qtype := range treeTypes {
			m, err := client.ask(name, qtype)
			if err != nil {
				t.Fatal(err)
			}
			if has := len(m.Answer) > 0 && m.Answer[0].Header().Rrtype == qtype; has != listed[qtype] {
				t.Errorf("%s: the answer has %s %v, the NSEC record %v\n%q", name, dns.Type(qtype), has, listed[qtype], tree.keys)
			}
			if !*long && i%len(treeTypes) != j { // delv takes a tenth of a second
				continue
			}
			said, validated := key.delv(t, s, name+" "+dns.Type(qtype).String())
			switch {
			case !validated:
				t.Errorf("%s %s: %s\n%q", name, dns.Type(qtype), said, tree.keys)
			case len(m.Answer) > 0:
				signed++
			default:
				denied++
			}
		}
	}
	return signed, denied
}

// nsecOf returns the types that the NSEC record of a name lists, or none if there is no such name.
func nsecOf(t *testing.T, client tcpClient, name string) map[uint16]bool {
	t.Helper()
	q := new(dns.Msg).SetQuestion(name, dns.TypeHINFO)
	q.SetEdns0(4096, true)
	m, _, err := (&dns.Client{Net: "tcp"}).ExchangeWithConn(q, client.Conn)
	if err != nil {
		t.Fatal(err)
	}
	types := make(map[uint16]bool)
	for _, rr := range slices.Concat(m.Answer, m.Ns) {
		switch rr := rr.(type) {
		case *dns.NSEC:
			for _, qtype := range rr.TypeBitMap {
				types[qtype] = rr.Hdr.Name == name
			}
		case *dns.CNAME: // which answers all types
			types[dns.TypeCNAME] = types[dns.TypeCNAME] || rr.Hdr.Name == name
		}
	}
	return types
}

// TestSkyDNSTransferred: NSD has each zone of a tree as it is answered, and has it again by NOTIFY after changes.
func TestSkyDNSTransferred(t *testing.T) {
	nsd := rig.Peer(t, "nsd")
	var trees []*skydnsTree
	for n := range orLong(t, 15, 200) {
		trees = append(trees, newSkyDNSTree(n))
	}
	c, s := startTrees(t, t.TempDir(), trees, func(string) string { return "transfer {\n        to * 127.0.0.1:1055\n    }" })
	var zones []hosted
	for _, tree := range trees {
		zones = append(zones, hosted{zone: tree.zone, primary: s.addr})
	}
	secondary := startNSD(t, nsd, s.at[":1055"], zones)
	for _, tree := range trees {
		same(t, []*server{secondary}, tree.zone+" SOA", " soa ")
	}
	records := 0
	for round := range 3 {
		mark := fmt.Sprint("round", round)
		for _, tree := range trees {
			tree.step(c, mark)
		}
		for _, tree := range trees {
			same(t, []*server{s, secondary}, "last."+tree.zone+" TXT", mark)
			records += compareZone(t, s, secondary, tree)
		}
	}
	rendered := output(t, buildTool(t), "render", filepath.Join(s.Dir, "Corefile"))
	for _, tree := range trees {
		compareRendered(t, s, tree.zone, rendered)
	}
	t.Logf("%d records", records)
}

// compareRendered compares a zone as mxsrv render prints it with that of the server, but for the serial.
func compareRendered(t *testing.T, s *server, zone, rendered string) {
	t.Helper()
	_, text, _ := strings.Cut(rendered, "; "+zone+" by the definitions of")
	text, _, _ = strings.Cut(text, " by the definitions of")
	_, text, _ = strings.Cut(text, "\n")
	var all []dns.RR
	parser := dns.NewZoneParser(strings.NewReader(text), "", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		all = append(all, rr)
	}
	isSOA := func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA }
	got, want := texts(slices.DeleteFunc(all, isSOA)), texts(slices.DeleteFunc(zoneOf(t, s, zone), isSOA))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s is rendered as\n%q\nwant\n%q", zone, got, want)
	}
}

// step changes some keys of a tree in one transaction, one of them to a text. That is one NOTIFY: NSD forgets another one
// that comes while it transfers the zone, as that of CoreDNS has no serial.
func (t *skydnsTree) step(c *cluster, text string) {
	var ops []clientv3.Op
	put, gone, last := t.someKey(), slices.Sorted(maps.Keys(t.keys))[0], keyOf("last."+t.zone)
	if gone != last && gone != put {
		ops = append(ops, clientv3.OpDelete(gone))
		delete(t.keys, gone)
	}
	t.keys[put], t.keys[last] = t.someValue(), `{"text":"`+text+`"}`
	c.do(append(ops, clientv3.OpPut(put, t.keys[put]), clientv3.OpPut(last, t.keys[last]))...)
}

// compareZone compares a zone as it is transferred by both servers with the answers to all questions about it.
func compareZone(t *testing.T, s, secondary *server, tree *skydnsTree) int {
	t.Helper()
	all := texts(zoneOf(t, s, tree.zone))
	slices.Sort(all)
	eventually(t, secondary, fmt.Sprintf("it has %q", all), func() bool { // a server of NSD ends when it has a new zone
		rrs, err := transfer(secondary.addr, new(dns.Msg).SetAxfr(tree.zone))
		got := texts(rrs)
		slices.Sort(got)
		return err == nil && slices.Equal(got, all)
	})
	answered := map[string]bool{}
	client := dialTCP(t, s.addr)
	for _, name := range tree.names() {
		for _, qtype := range append(treeTypes, dns.TypeNS, dns.TypeSOA) {
			m, err := client.ask(name, qtype)
			if err != nil {
				t.Fatal(err)
			}
			keepOwner(m, name)
			for _, line := range texts(m.Answer) {
				answered[line] = true
			}
		}
	}
	for _, line := range all {
		if !answered[line] {
			t.Errorf("%s: %q is in the zone, and no answer", tree.zone, line)
		}
	}
	for line := range answered {
		if !slices.Contains(all, line) {
			t.Errorf("%s: %q is an answer, and not in the zone", tree.zone, line)
		}
	}
	return len(all)
}

// TestSkyDNSReverse: keys of reverse zones of both families are PTR records, for as long as they are there, transferred
// too; nothing else of them is.
func TestSkyDNSReverse(t *testing.T) {
	c := &cluster{Cluster: rig.Etcd(t, 1), t: t}
	const six = "/skydns/arpa/ip6/2/0/0/1/0/d/b/8/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0"
	c.do(clientv3.OpPut("/skydns/arpa/in-addr/192/0/2/1", `{"host":"x1.db.example.org","ttl":60}`),
		clientv3.OpPut("/skydns/arpa/in-addr/192/0/2/2", `{"host":"192.0.2.9"}`),
		clientv3.OpPut("/skydns/arpa/in-addr/192/0/2/3/deep", `{"host":"below.example.org"}`),
		clientv3.OpPut(six+"/1", `{"host":"six.example.org"}`),
		putTree("x1.db", `{"host":"192.0.2.1"}`))
	s := start(t, t.TempDir(), fmt.Sprintf(treeZone, "example.org:1053 192.0.2.0/24:1053 2001:db8::/32", "transfer {\n        to *\n    }", c.URLs()[0]))
	servers := []*server{s}
	same(t, servers, "1.2.0.192.in-addr.arpa PTR", "1.2.0.192.in-addr.arpa. 60 in ptr x1.db.example.org.")
	reverse6, err := dns.ReverseAddr("2001:db8::1")
	if err != nil {
		t.Fatal(err)
	}
	same(t, servers, reverse6+" PTR", reverse6+" 300 in ptr six.example.org.")
	for question, want := range map[string]string{
		"1.2.0.192.in-addr.arpa A":        "NOERROR aa true\n", // the plugin has addresses, but who asks
		"2.2.0.192.in-addr.arpa PTR":      "NXDOMAIN aa true\n",
		"3.2.0.192.in-addr.arpa PTR":      "NOERROR aa true\n", // exactly the name, or none
		"deep.3.2.0.192.in-addr.arpa PTR": "NOERROR aa true\ndeep.3.2.0.192.in-addr.arpa.\t300\tin\tptr\tbelow.example.org.",
		"4.2.0.192.in-addr.arpa PTR":      "NXDOMAIN aa true\n",
	} {
		if got := answers(s, question); got != want {
			t.Errorf("%s: %q, want %q", question, got, want)
		}
	}
	if all := zoneOf(t, s, "2.0.192.in-addr.arpa."); len(all) != 5 {
		t.Errorf("%d records, want two PTR and NS between two SOA: %v", len(all), all)
	}
	before := serialOf(t, s, "2.0.192.in-addr.arpa")
	c.do(clientv3.OpPut("/skydns/arpa/in-addr/192/0/2/1", `{"host":"x2.db.example.org"}`), clientv3.OpDelete(six+"/1"))
	same(t, servers, "1.2.0.192.in-addr.arpa PTR", "ptr x2.db.example.org.")
	same(t, servers, reverse6+" PTR", "NXDOMAIN")
	if after := serialOf(t, s, "2.0.192.in-addr.arpa"); after <= before {
		t.Errorf("serial %d after %d", after, before)
	}
}
