package test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/test/rig"
)

// besideEtcd has mxsrv and the etcd plugin of CoreDNS read one tree.
const besideEtcd = `.:1053 {
    bind 127.0.0.1
    mxsrv %[1]s {
        order fixed
        etcd %[2]s {
            skydns /skydns
        }
    }
    prometheus 127.0.0.1:1054
}
.:1055 {
    bind 127.0.0.1
    etcd %[1]s {
        path /skydns
        endpoint %[2]s
    }
}
`

// A skydnsTree is the random keys of a zone.
type skydnsTree struct {
	zone  string
	keys  map[string]string
	plain bool // no strips, groups and leases, and each key has a host or a text
	rnd   *rand.Rand
}

// value is what a key has, as the etcd plugin writes it.
type skydnsValue struct {
	Host        string `json:"host,omitempty"`
	Port        int    `json:"port,omitempty"`
	Priority    int    `json:"priority,omitempty"`
	Weight      int    `json:"weight,omitempty"`
	Text        string `json:"text,omitempty"`
	Mail        bool   `json:"mail,omitempty"`
	TTL         uint32 `json:"ttl,omitempty"`
	TargetStrip int    `json:"targetstrip,omitempty"`
	Group       string `json:"group,omitempty"`
}

func newSkyDNSTree(n int) *skydnsTree {
	t := &skydnsTree{zone: fmt.Sprintf("t%d.test.", n), keys: make(map[string]string)}
	t.rnd = rand.New(rand.NewPCG(uint64(n), 22))
	t.plain = t.rnd.IntN(3) == 0
	for range 1 + t.rnd.IntN(14) {
		t.keys[t.someKey()] = t.someValue()
	}
	if !t.plain && t.rnd.IntN(8) == 0 {
		t.keys[t.someKey()] = "no JSON"
	}
	return t
}

func (t *skydnsTree) one(of ...string) string { return of[t.rnd.IntN(len(of))] }

// someKey returns a key at any depth: names that are prefixes of others, and those that the etcd plugin looks for.
func (t *skydnsTree) someKey() string {
	key := keyOf(t.zone)
	if t.rnd.IntN(8) == 0 {
		key += t.one("/dns/apex", "/dns/apex/x", "/dns/ns", "/dns/ns/a", "/dns/ns/b")
		return key
	}
	for range 1 + t.rnd.IntN(4) {
		key += "/" + t.one("a", "a", "ab", "a-b", "b", "c", "_tcp", "_ldap", "x1")
	}
	return key
}

func (t *skydnsTree) someValue() string {
	v := skydnsValue{}
	switch t.rnd.IntN(8) {
	case 0:
		v.Text = t.one("one", "two words", strings.Repeat("long", 70))
	case 1, 2:
		v.Host = t.one(nameOfKey(t.someKey()), nameOfKey(t.someKey()), "outside.example.net")
	case 3:
		v.Host = t.one("2001:db8::1", "2001:db8::2", "2001:db8::3")
	default:
		v.Host = t.one("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4")
	}
	if v.Host != "" {
		v.Port, v.Priority, v.Weight = t.rnd.IntN(3)*100, t.rnd.IntN(3)*10, t.rnd.IntN(4)*20
		v.Mail = t.rnd.IntN(4) == 0
	}
	v.TTL = uint32(t.rnd.IntN(3) * 60)
	if !t.plain {
		v.TargetStrip = max(0, t.rnd.IntN(6)-3)
		v.Group = t.one("", "", "", "g1", "g2")
		if v.Host != "" && t.rnd.IntN(8) == 0 {
			v.Text = "beside a host"
		}
	}
	text, _ := json.Marshal(v)
	return string(text)
}

func keyOf(name string) string {
	labels := dns.SplitDomainName(name)
	slices.Reverse(labels)
	return "/skydns/" + strings.Join(labels, "/")
}

func nameOfKey(key string) string {
	labels := strings.Split(strings.TrimPrefix(key, "/skydns/"), "/")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + "."
}

// names returns all names of the tree, and one that is in none.
func (t *skydnsTree) names() []string {
	names := map[string]bool{"none." + t.zone: true}
	for key := range t.keys {
		for name := nameOfKey(key); name != t.zone; _, name, _ = strings.Cut(name, ".") {
			names[name] = true
		}
	}
	return append(slices.Sorted(maps.Keys(names)), t.zone)
}

// broken reports whether the etcd plugin fails for a name because of a key that is no JSON.
func (t *skydnsTree) broken(name string) bool {
	for key, text := range t.keys {
		if text == "no JSON" && dns.IsSubDomain(name, nameOfKey(key)) {
			return true
		}
	}
	return false
}

// write puts the keys into etcd, some with a lease.
func (t *skydnsTree) write(c *cluster, lease clientv3.LeaseID, keys map[string]string) {
	var ops []clientv3.Op
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !t.plain && t.rnd.IntN(5) == 0 {
			ops = append(ops, clientv3.OpPut(key, keys[key], clientv3.WithLease(lease)))
		} else {
			ops = append(ops, clientv3.OpPut(key, keys[key]))
		}
	}
	c.do(ops...)
}

// change changes some keys of the tree.
func (t *skydnsTree) change(c *cluster, lease clientv3.LeaseID) {
	news := make(map[string]string)
	for range 1 + t.rnd.IntN(3) {
		key := t.someKey()
		if old := slices.Sorted(maps.Keys(t.keys)); len(old) > 2 && t.rnd.IntN(2) == 0 {
			key = old[t.rnd.IntN(len(old))]
		}
		if delete(news, key); len(t.keys) > 2 && t.rnd.IntN(3) == 0 {
			delete(t.keys, key)
			c.do(clientv3.OpDelete(key))
			continue
		}
		news[key] = t.someValue()
		t.keys[key] = news[key]
	}
	t.write(c, lease, news)
}

// A tcpClient asks over one connection.
type tcpClient struct{ *dns.Conn }

func dialTCP(t *testing.T, addr string) tcpClient {
	t.Helper()
	conn, err := dns.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return tcpClient{conn}
}

func (c tcpClient) ask(name string, qtype uint16) (*dns.Msg, error) {
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if err := c.WriteMsg(new(dns.Msg).SetQuestion(name, qtype)); err != nil {
		return nil, err
	}
	return c.ReadMsg()
}

// compare asks both servers all questions of a tree, and returns in what they differ but for what docs/etcd.md lists.
func (t *skydnsTree) compare(ours, theirs tcpClient) (differences []string, questions int) {
	for _, name := range t.names() {
		for _, qtype := range []uint16{
			dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypeMX, dns.TypeTXT, dns.TypePTR, dns.TypeCNAME, dns.TypeNS,
		} {
			a, err := ours.ask(name, qtype)
			b, err2 := theirs.ask(name, qtype)
			if err := cmp.Or(err, err2); err != nil {
				return append(differences, err.Error()), questions
			}
			questions++
			if why := cmp.Or(t.differ(name, qtype, a, b), t.glueMissing(ours, a, b)); why != "" {
				differences = append(differences, fmt.Sprintf("%s %s: %s\nmxsrv: %v\netcd: %v\nkeys: %q",
					name, dns.Type(qtype), why, a, b, t.keys))
			}
		}
	}
	return differences, questions
}

// differ returns in what our answer a differs from b.
func (t *skydnsTree) differ(name string, qtype uint16, a, b *dns.Msg) string {
	alias := len(a.Answer) > 0 && a.Answer[0].Header().Rrtype == dns.TypeCNAME
	switch {
	case b.Rcode == dns.RcodeServerFailure && (t.broken(name) || qtype == dns.TypeNS):
		return "" // one key makes it fail; and name servers that are names do
	case qtype == dns.TypeA && a.Rcode != b.Rcode && name != t.zone:
		return "rcode"
	case qtype == dns.TypePTR && !strings.HasPrefix(name, "_"):
		return ""
	case qtype == dns.TypeCNAME:
		return t.differInAlias(a, b, alias, name)
	case alias && (qtype == dns.TypeSRV || qtype == dns.TypeMX || qtype == dns.TypeNS):
		if withPort := slices.ContainsFunc(b.Answer, func(rr dns.RR) bool {
			srv, ok := rr.(*dns.SRV)
			return !ok || srv.Port > 0
		}); withPort {
			return "records of an alias"
		}
		return ""
	}
	if qtype == dns.TypeTXT {
		keepOwner(a, name)
		keepOwner(b, name)
	}
	if x, y := summary(a, qtype), summary(b, qtype); !slices.Equal(x, y) {
		return fmt.Sprintf("%q, not %q", x, y)
	}
	if qtype == dns.TypeSRV || qtype == dns.TypeMX || qtype == dns.TypeTXT {
		return t.differInNumbers(a, b)
	}
	return ""
}

// above reports whether there are keys below that of a name.
func (t *skydnsTree) above(name string) bool {
	for key := range t.keys {
		if nameOfKey(key) != name && dns.IsSubDomain(name, nameOfKey(key)) {
			return true
		}
	}
	return false
}

// differInAlias: what we say to be an alias of a host, a key has as that host.
func (t *skydnsTree) differInAlias(a, b *dns.Msg, alias bool, name string) string {
	for _, m := range []*dns.Msg{a, b} {
		keepOwner(m, name)
	}
	if alias && len(b.Answer) > 0 && !t.above(name) && a.Answer[0].(*dns.CNAME).Target != b.Answer[0].(*dns.CNAME).Target {
		return "another host"
	}
	return ""
}

// differInNumbers compares TTLs, which are the lowest of the RRset, and weights, which are not made percents.
func (t *skydnsTree) differInNumbers(a, b *dns.Msg) string {
	if !t.plain || len(a.Answer) == 0 || a.Answer[0].Header().Rrtype == dns.TypeCNAME || len(b.Answer) == 0 {
		return ""
	}
	lowest := uint32(math.MaxUint32)
	for _, rr := range b.Answer {
		if rr.Header().Rrtype == a.Question[0].Qtype {
			lowest = min(lowest, rr.Header().Ttl)
		}
	}
	if ttl := a.Answer[0].Header().Ttl; ttl != lowest {
		return fmt.Sprintf("TTL %d, not %d", ttl, lowest)
	}
	if len(a.Answer) != len(b.Answer) { // repetitions
		return ""
	}
	sum := make(map[uint16]int)
	for _, rr := range a.Answer {
		if srv, ok := rr.(*dns.SRV); ok {
			sum[srv.Priority] += int(srv.Weight)
		}
	}
	var x, y []string
	for i := range a.Answer {
		if srv, ok := a.Answer[i].(*dns.SRV); ok {
			percent := max(1, math.Floor(100.0/float64(sum[srv.Priority])*float64(srv.Weight)))
			x = append(x, fmt.Sprint(srv.Priority, srv.Target, srv.Port, percent))
		}
		if srv, ok := b.Answer[i].(*dns.SRV); ok {
			y = append(y, fmt.Sprint(srv.Priority, srv.Target, srv.Port, srv.Weight))
		}
	}
	if slices.Sort(x); true {
		slices.Sort(y)
	}
	if !slices.Equal(x, y) && len(y) == len(slices.Compact(summary(b, dns.TypeSRV))) && !t.repeats(b) {
		return fmt.Sprintf("percents %q, not %q", x, y)
	}
	return ""
}

// repeats reports whether the etcd plugin has perhaps counted services in the sum of weights that it has left out.
func (t *skydnsTree) repeats(b *dns.Msg) bool {
	hosts := 0
	name := b.Question[0].Name
	for key, text := range t.keys {
		var v skydnsValue
		if json.Unmarshal([]byte(text), &v) == nil && v.Host != "" && dns.IsSubDomain(name, nameOfKey(key)) && nameOfKey(key) != name {
			hosts++
		}
	}
	return hosts != len(b.Answer)
}

// keepOwner drops what other names have.
func keepOwner(m *dns.Msg, owner string) {
	m.Answer = slices.DeleteFunc(m.Answer, func(rr dns.RR) bool { return rr.Header().Name != owner })
}

// summary returns what matters of the records of a type, sorted, each once.
func summary(m *dns.Msg, qtype uint16) (lines []string) {
	for _, rr := range m.Answer {
		if rr.Header().Rrtype != qtype {
			continue
		}
		switch rr := rr.(type) {
		case *dns.SRV:
			lines = append(lines, fmt.Sprint(rr.Priority, rr.Port, rr.Target))
		case *dns.TXT:
			lines = append(lines, strings.Join(rr.Txt, ""))
		default:
			lines = append(lines, strings.TrimPrefix(rr.String(), rr.Header().String()))
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// glueMissing returns an address of a target that the etcd plugin adds and we do not, though we have it.
func (t *skydnsTree) glueMissing(ours tcpClient, a, b *dns.Msg) string {
	for _, rr := range b.Extra {
		x, ok := rr.(*dns.A)
		has := func(rr dns.RR) bool { y, ok := rr.(*dns.A); return ok && y.A.Equal(x.A) && y.Hdr.Name == x.Hdr.Name }
		if !ok || slices.ContainsFunc(a.Extra, has) || !slices.ContainsFunc(a.Answer, func(rr dns.RR) bool {
			return targetOf(rr) == x.Hdr.Name
		}) {
			continue
		}
		if m, err := ours.ask(x.Hdr.Name, dns.TypeA); err != nil || slices.ContainsFunc(m.Answer, has) {
			return fmt.Sprint(x, err)
		}
	}
	return ""
}

// startBesideEtcd writes trees to etcd and starts a server that answers from them in both ways.
func startBesideEtcd(t *testing.T, c *cluster, trees []*skydnsTree) (*server, clientv3.LeaseID) {
	r, err := c.Client.Grant(t.Context(), 3600)
	if err != nil {
		t.Fatal(err)
	}
	var zones []string
	for _, tree := range trees {
		tree.write(c, r.ID, tree.keys)
		zones = append(zones, tree.zone)
	}
	return start(t, t.TempDir(), fmt.Sprintf(besideEtcd, strings.Join(zones, " "), c.URLs()[0])), r.ID
}

// TestSkyDNSAsEtcd: random trees are answered as by the etcd plugin, when they are loaded and after changes.
func TestSkyDNSAsEtcd(t *testing.T) {
	c := &cluster{Cluster: rig.Etcd(t, 1), t: t}
	var trees []*skydnsTree
	for n := range orLong(t, 40, 1000) {
		trees = append(trees, newSkyDNSTree(n))
	}
	s, lease := startBesideEtcd(t, c, trees)
	compareTrees(t, s, trees)
	for _, tree := range trees {
		tree.change(c, lease)
	}
	last := trees[len(trees)-1]
	key := keyOf("last." + last.zone)
	last.keys[key] = `{"text":"changed"}`
	c.do(clientv3.OpPut(key, last.keys[key]))
	ours := dialTCP(t, s.addr)
	eventually(t, s, "the last change", func() bool {
		m, err := ours.ask("last."+last.zone, dns.TypeTXT)
		return err == nil && len(m.Answer) == 1
	})
	compareTrees(t, s, trees)
}

// compareTrees compares the answers for all trees, several at a time.
func compareTrees(t *testing.T, s *server, trees []*skydnsTree) {
	t.Helper()
	var mu sync.Mutex
	var all []string
	questions := 0
	next := make(chan *skydnsTree)
	var asking sync.WaitGroup
	for range 8 {
		ours, theirs := dialTCP(t, s.addr), dialTCP(t, s.at[":1055"])
		asking.Go(func() {
			for tree := range next {
				differences, n := tree.compare(ours, theirs)
				mu.Lock()
				all, questions = append(all, differences...), questions+n
				mu.Unlock()
			}
		})
	}
	for _, tree := range trees {
		next <- tree
	}
	close(next)
	asking.Wait()
	for _, d := range all[:min(len(all), 5)] {
		t.Error(d)
	}
	t.Logf("%d of %d answers differ", len(all), questions)
}
