package skydns

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

var zones = definition.Zones{"example.org.", "2.0.192.in-addr.arpa."}

// edits returns the edits of lines KEY VALUE.
func edits(lines string) (all []change.Edit) {
	for line := range strings.Lines(lines) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			value = strings.ReplaceAll(value, "|", "\n")
			all = append(all, change.Edit{Fragment: change.Fragment{Key: "/skydns/" + key, Text: value}})
		}
	}
	return all
}

// declared returns what some lines declare, printed, and the mistakes.
func declared(t *testing.T, lines string) (text string, errs definition.Errors) {
	t.Helper()
	tree := New("/skydns/", zones)
	_, errs = tree.Apply(edits(lines))
	return printed(t, tree), errs
}

func printed(t *testing.T, tree *Tree) string {
	t.Helper()
	set := new(definition.Set)
	tree.DeclareAll(set)
	var b bytes.Buffer
	if err := set.Print(&b, zones); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

// TestDeclare: what the keys of a tree declare, as statements.
func TestDeclare(t *testing.T) {
	for _, tc := range []struct{ name, keys, want string }{
		{"a name has its subtree", `
			org/example/db/x1 {"host":"192.0.2.1","port":5432}
			org/example/db/x2 {"host":"2001:db8::1","port":5432,"priority":5,"weight":10,"ttl":60}`, `
			ttl 1m
			host @ 192.0.2.1 2001:db8::1
			host db 192.0.2.1 2001:db8::1
			host x1.db 192.0.2.1 {
			ttl 5m
			}
			host x2.db 2001:db8::1
			service @ db {
			5 10 5432 x2.db
			10 100 5432 x1.db
			}
			service x1.db 10 100 5432 x1.db {
			ttl 5m
			}
			service x2.db 5 10 5432 x2.db`},
		{"a key with keys below it answers for those above it alone", `
			org/example/a/b {"host":"192.0.2.1"}
			org/example/a/b/c {"host":"192.0.2.2"}`, `
			ttl 5m
			host @ 192.0.2.1 192.0.2.2
			host a 192.0.2.1 192.0.2.2
			host b.a 192.0.2.2
			host c.b.a 192.0.2.2
			service @ a 10 100 0 b.a c.b.a
			service b.a c.b.a 10 100 0 c.b.a`},
		{"no name that only starts as another", `
			org/example/a {"host":"192.0.2.1"}
			org/example/ab {"host":"192.0.2.2"}
			org/example/a-b {"host":"192.0.2.3"}`, `
			ttl 5m
			host @ 192.0.2.1 192.0.2.2 192.0.2.3
			host a 192.0.2.1
			host a-b 192.0.2.3
			host ab 192.0.2.2
			service @ 10 100 0 a-b a ab
			service a 10 100 0 a
			service a-b 10 100 0 a-b
			service ab 10 100 0 ab`},
		{"a host name and nothing else is an alias", `
			org/example/www/1 {"host":"web.example.org","targetstrip":1}
			org/example/web {"host":"192.0.2.1"}`, `
			ttl 5m
			host @ 192.0.2.1
			host web 192.0.2.1
			service @ 10 100 0 @ web
			service web 10 100 0 web
			alias www 1.www web`},
		{"not with a port", `
			org/example/www {"host":"web.example.org","port":80}
			org/example/web {"host":"192.0.2.1"}`, `
			ttl 5m
			host @ 192.0.2.1
			host web 192.0.2.1
			host www 192.0.2.1
			service @ {
			10 100 0 web
			10 100 80 web
			}
			service web 10 100 0 web
			service www 10 100 80 web`},
		{"nor with two hosts", `
			org/example/www/1 {"host":"web1.example.net"}
			org/example/www/2 {"host":"web2.example.net"}`, `
			ttl 5m
			service @ www 10 100 0 web1.example.net. web2.example.net.
			alias 1.www web1.example.net.
			alias 2.www web2.example.net.`},
		{"nor below itself", `
			org/example/a/b {"host":"c.a.example.org"}`, `
			ttl 5m
			service @ a 10 100 0 c.a
			alias b.a c.a`},
		{"mail", `
			org/example/mx {"host":"192.0.2.1","mail":true,"priority":20}
			org/example/mail {"host":"mx.example.net","mail":true}`, `
			ttl 5m
			host @ 192.0.2.1
			host mx 192.0.2.1
			mail @ {
			10 mx.example.net.
			20 mx
			}
			mail mail 10 mx.example.net.
			mail mx 20 mx
			service @ {
			10 100 0 mx.example.net.
			20 100 0 mx
			}
			service mail 10 100 0 mx.example.net.
			service mx 20 100 0 mx`},
		{"targetstrip", `
			org/example/db/x1 {"host":"192.0.2.1","port":1,"targetstrip":1}
			org/example/db/x2 {"host":"192.0.2.2","port":1,"targetstrip":1,"priority":3}
			org/example/db/x3 {"host":"192.0.2.3","port":1,"targetstrip":9}`, `
			ttl 5m
			host @ 192.0.2.1 192.0.2.2 192.0.2.3
			host db 192.0.2.1 192.0.2.2 192.0.2.3
			host x1.db 192.0.2.1
			host x2.db 192.0.2.2
			host x3.db 192.0.2.3
			service @ db 10 100 1 db x3.db
			service x1.db 10 100 1 db
			service x2.db 3 100 1 db
			service x3.db 10 100 1 x3.db`},
		{"group", `
			org/example/a/1 {"host":"192.0.2.1","group":"g1"}
			org/example/a/sub/2 {"host":"192.0.2.2","group":"g2"}
			org/example/a/sub/3 {"host":"192.0.2.3"}`, `
			ttl 5m
			host @ 192.0.2.1 192.0.2.3
			host a 192.0.2.1 192.0.2.3
			host 1.a 192.0.2.1
			host sub.a 192.0.2.2 192.0.2.3
			host 2.sub.a 192.0.2.2
			host 3.sub.a 192.0.2.3
			service @ a 10 100 0 1.a 3.sub.a
			service 1.a 10 100 0 1.a
			service sub.a 10 100 0 2.sub.a 3.sub.a
			service 2.sub.a 10 100 0 2.sub.a
			service 3.sub.a 10 100 0 3.sub.a`},
		{"a shorter key without a group", `
			org/example/x/a/1 {"host":"192.0.2.1","group":"g1","text":""}
			org/example/x/b {"host":"192.0.2.2"}
			org/example/x/c/2 {"host":"192.0.2.3","group":"g2"}`, `
			ttl 5m
			host @ 192.0.2.1 192.0.2.2
			host x 192.0.2.1 192.0.2.2
			host a.x 192.0.2.1
			host 1.a.x 192.0.2.1
			host b.x 192.0.2.2
			host c.x 192.0.2.3
			host 2.c.x 192.0.2.3
			service @ x 10 100 0 1.a.x b.x
			service a.x 1.a.x 10 100 0 1.a.x
			service b.x 10 100 0 b.x
			service c.x 2.c.x 10 100 0 2.c.x`},
		{"groups that disagree", `
			org/example/a/1 {"host":"192.0.2.1","group":"g1"}
			org/example/a/2 {"host":"192.0.2.2","group":"g2"}`, `
			ttl 5m
			host @ 192.0.2.1 192.0.2.2
			host a 192.0.2.1 192.0.2.2
			host 1.a 192.0.2.1
			host 2.a 192.0.2.2
			service @ a 10 100 0 1.a 2.a
			service 1.a 10 100 0 1.a
			service 2.a 10 100 0 2.a`},
		{"texts", `
			org/example/t/1 {"text":"one","ttl":60}
			org/example/t/2 {"text":"one two"}
			org/example/t/3 {"text":"beside an address","host":"192.0.2.1"}`, `
			ttl 5m
			host @ 192.0.2.1
			host t 192.0.2.1
			host 3.t 192.0.2.1
			service @ t 3.t 10 100 0 3.t
			record @ t TXT "one two" {
			ttl 1m
			}
			record @ t 1.t TXT "one" {
			ttl 1m
			}
			record 2.t TXT "one two"`},
		{"the apex", `
			org/example/dns/apex {"host":"192.0.2.9"}
			org/example/dns/ns/a {"host":"192.0.2.8"}
			org/example/www {"host":"web.example.net"}`, `
			ttl 5m
			host @ 192.0.2.9
			host dns 192.0.2.8 192.0.2.9
			host apex.dns 192.0.2.9
			host ns.dns 192.0.2.8
			host a.ns.dns 192.0.2.8
			service @ 10 100 0 a.ns.dns apex.dns web.example.net.
			service dns 10 100 0 a.ns.dns apex.dns
			service apex.dns 10 100 0 apex.dns
			service ns.dns a.ns.dns 10 100 0 a.ns.dns
			alias www web.example.net.
			record @ NS a.ns.dns.example.org.`},
		{"addresses of hosts in the tree", `
			org/example/a/1 {"host":"192.0.2.1"}
			org/example/a/2 {"host":"b.example.org"}
			org/example/b/1 {"host":"192.0.2.2","ttl":30}
			org/example/b/2 {"host":"a.example.org"}`, `
			ttl 30
			host @ 192.0.2.1 192.0.2.2
			host a 192.0.2.1 192.0.2.2
			host 1.a 192.0.2.1 {
			ttl 5m
			}
			host b 192.0.2.1 192.0.2.2
			host 1.b 192.0.2.2
			service @ 10 100 0 1.a 1.b a b
			service a 10 100 0 1.a b {
			ttl 5m
			}
			service 1.a 10 100 0 1.a {
			ttl 5m
			}
			service b 10 100 0 1.b a
			service 1.b 10 100 0 1.b
			alias 2.a b {
			ttl 5m
			}
			alias 2.b a {
			ttl 5m
			}`},
		{"reverse", `
			arpa/in-addr/192/0/2/1 {"host":"a.example.org"}
			arpa/in-addr/192/0/2/2 {"host":"192.0.2.1"}`, `
			ttl 5m
			record 1.2.0.192.in-addr.arpa. PTR a.example.org.`},
		{"browsing", `
			org/example/_tcp/_http {"host":"a._http._tcp.example.org"}`, `
			ttl 5m
			service @ _tcp _http._tcp 10 100 0 a._http._tcp
			record _http._tcp PTR a._http._tcp.example.org.`},
		{"leases", `
			org/example/a lease 60|{"host":"192.0.2.1"}
			org/example/b lease 60|{"host":"192.0.2.2","ttl":45}
			org/example/c lease 5|{"host":"192.0.2.3"}
			org/example/d lease 100000|{"host":"192.0.2.4"}`, `
			ttl 30
			host @ 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4
			host a 192.0.2.1 {
			ttl 1m
			}
			host b 192.0.2.2 {
			ttl 45
			}
			host c 192.0.2.3
			host d 192.0.2.4 {
			ttl 24h
			}
			service @ 10 100 0 a b c d
			service a 10 100 0 a {
			ttl 1m
			}
			service b 10 100 0 b {
			ttl 45
			}
			service c 10 100 0 c
			service d 10 100 0 d {
			ttl 24h
			}`},
		{"any case", `
			org/example/DB/X1 {"Host":"192.0.2.1"}
			org/example/db/x1 {"host":"192.0.2.2"}`, `
			ttl 5m
			host @ 192.0.2.1 192.0.2.2
			host db 192.0.2.1 192.0.2.2
			host x1.db 192.0.2.1 192.0.2.2
			service @ db x1.db 10 100 0 x1.db`},
		{"elsewhere", `
			net/example/a {"host":"192.0.2.1"}`, ``},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, errs := declared(t, tc.keys)
			if len(errs) > 0 {
				t.Error(errs)
			}
			if got, want := strings.Fields(text), strings.Fields(tc.want); !slices.Equal(got, want) {
				t.Errorf("%s\nwant %s", text, tc.want)
			}
		})
	}
}

// hasLine reports whether a text has the words of a line one after the other.
func hasLine(text, line string) bool {
	return strings.Contains(" "+strings.Join(strings.Fields(text), " ")+" ", " "+strings.Join(strings.Fields(line), " ")+" ")
}

// TestMistakes: a key that is wrong declares nothing and says why; the others stay.
func TestMistakes(t *testing.T) {
	for _, tc := range []struct{ name, key, want string }{
		{"no JSON", `org/example/a 192.0.2.1`, "etcd:/skydns/org/example/a:1: the value is not what the etcd plugin of CoreDNS reads: "},
		{"a port that is none", `org/example/a {"host":"192.0.2.1","port":"http"}`, "cannot unmarshal string into Go struct field value.Port"},
		{"neither host nor text", `org/example/a {"port":80}`, "neither host nor text: write one of them, or delete the key"},
		{"a port too high", `org/example/a {"host":"192.0.2.1","port":65536}`, "port 65536: write a number from 0 to 65535"},
		{"a negative weight", `org/example/a {"host":"192.0.2.1","weight":-1}`, "weight -1: write a number from 0 to 65535"},
		{"a TTL too high", `org/example/a {"host":"192.0.2.1","ttl":2147483648}`, "ttl 2147483648: write a number from 0 to 2147483647"},
		{"no host name", `org/example/a {"host":"b..c"}`, `"b..c" has an empty label`},
		{"the root as a host", `org/example/a {"host":"."}`, `host ".": write the name of a host, or an address`},
		{"an empty label", `org/example//a {"host":"192.0.2.1"}`, `"" is no label of a name`},
		{"a slash at the end", `org/example/a/ {"host":"192.0.2.1"}`, `"" is no label of a name`},
		{"a dot in a label", `org/example/a.b {"host":"192.0.2.1"}`, `"a.b" is no label of a name`},
		{"an asterisk", `org/example/* {"host":"192.0.2.1"}`, `"*" is no label of a name`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, errs := declared(t, tc.key+"\norg/example/z {\"host\":\"192.0.2.9\"}")
			if len(errs) != 1 || !strings.Contains(errs[0].Error(), tc.want) {
				t.Errorf("%v\nwant %s", errs, tc.want)
			}
			if !hasLine(text, "host z 192.0.2.9") {
				t.Error(text)
			}
		})
	}
}

// TestTooManyBelow: a name with too many keys below it answers with none of them, and those below it do.
func TestTooManyBelow(t *testing.T) {
	var lines strings.Builder
	for n := range maxBelow + 1 {
		fmt.Fprintf(&lines, "org/example/a/x%d {\"host\":\"192.0.2.1\"}\n", n)
	}
	text, _ := declared(t, lines.String())
	if !hasLine(text, "x7.a") || hasLine(text, "host a") || hasLine(text, "host @") {
		t.Error(text[:500])
	}
	tree := New("/skydns/", zones)
	tree.Apply(edits(lines.String()))
	tree.Apply([]change.Edit{{Fragment: change.Fragment{Key: "/skydns/org/example/a/x7"}, Gone: true}})
	if text := printed(t, tree); !hasLine(text, "host a 192.0.2.1") {
		t.Error(text[:500])
	}
}

// TestWithLease: no value is taken for one with a lease.
func TestWithLease(t *testing.T) {
	const value = "lease -5\n{\"host\":\"192.0.2.1\"}"
	if text, errs := declared(t, "org/example/a "+strings.ReplaceAll(WithLease(0, value), "\n", "|")); len(errs) != 1 || text != "" {
		t.Errorf("%v\n%s", errs, text)
	}
	if text := WithLease(0, `{"text":"t"}`); text != `{"text":"t"}` {
		t.Error(text)
	}
}

// TestTooManyCollected: of hosts that have too many addresses together only some are gone through.
func TestTooManyCollected(t *testing.T) {
	var lines strings.Builder
	for h := range 20 {
		fmt.Fprintf(&lines, "org/example/all/%d {\"host\":\"h%d.example.org\"}\n", h, h)
		for n := range maxBelow / 2 {
			fmt.Fprintf(&lines, "org/example/h%d/%d {\"host\":\"192.0.2.%d\"}\n", h, n, n%250)
		}
	}
	tree := New("/skydns/", zones)
	tree.Apply(edits(lines.String()))
	c := collector{tree: tree, seen: definition.Names{}}
	if c.collect("all.example.org."); len(c.addrs) != maxBelow+1 {
		t.Errorf("%d addresses are gone through", len(c.addrs))
	}
	if set, _ := tree.Declaring(definition.Names{"all.example.org.": true, "h1.example.org.": true}); len(set.Hosts) != 1 {
		t.Error(set.Hosts)
	}
}

// TestLarge: records that no message has room for are none; those of other types stay.
func TestLarge(t *testing.T) {
	var lines strings.Builder
	for n := range 1500 {
		fmt.Fprintf(&lines, "org/example/a/%060d {\"host\":\"192.0.2.%d\",\"mail\":true}\n", n, n%250)
		fmt.Fprintf(&lines, "org/example/t/x%d {\"text\":\"%0200d\"}\n", n, n)
	}
	tree := New("/skydns/", zones)
	tree.Apply(edits(lines.String()))
	set, _ := tree.Declaring(definition.Names{"a.example.org.": true, "t.example.org.": true})
	if len(set.Hosts) != 1 || len(set.Hosts[0].Addrs) != 250 || len(set.Services)+len(set.Mails)+len(set.Records) > 0 {
		t.Errorf("%d hosts, %d services, %d mail domains, %d records",
			len(set.Hosts), len(set.Services), len(set.Mails), len(set.Records))
	}
}

// someEdit returns an edit of a few keys, so that many meet.
func someEdit(r *rand.Rand) change.Edit {
	key := "/skydns/org/example"
	for range 1 + r.IntN(3) {
		key += "/" + []string{"a", "ab", "a-b", "b"}[r.IntN(4)]
	}
	text := fmt.Sprintf(`{"host":"%s","port":%d,"targetstrip":%d,"mail":%v}`,
		[]string{"192.0.2.1", "192.0.2.2", "a.example.org", "b.ab.example.org", "c.example.net"}[r.IntN(5)],
		r.IntN(2), r.IntN(4), r.IntN(3) == 0)
	if r.IntN(20) == 0 {
		text = "no JSON"
	}
	return change.Edit{Fragment: change.Fragment{Key: key, Text: text}, Gone: r.IntN(3) == 0}
}

// TestApply: after any edits a tree is as one that has had the last state alone; what Apply and Pointing do not name is
// declared as before.
func TestApply(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	tree, texts := New("/skydns/", zones), make(map[string]string)
	for range 400 {
		var some []change.Edit
		for range 1 + r.IntN(2*few)*r.IntN(2) {
			e := someEdit(r)
			if slices.ContainsFunc(some, func(o change.Edit) bool { return o.Key == e.Key }) {
				continue
			}
			some = append(some, e)
			if texts[e.Key] = e.Text; e.Gone {
				delete(texts, e.Key)
			}
		}
		before := owners(tree)
		changed, _ := tree.Apply(some)
		checkConcerned(t, tree, before, changed)
		fresh := New("/skydns/", zones)
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			fresh.Apply([]change.Edit{{Fragment: change.Fragment{Key: key, Text: texts[key]}}})
		}
		if a, b := printed(t, tree), printed(t, fresh); a != b {
			t.Fatalf("%s\nafter edits is\n%s\nand from the start\n%s", texts, a, b)
		}
		a, b := [2]int{}, [2]int{}
		a[0], a[1] = tree.Len()
		b[0], b[1] = fresh.Len()
		if a != b || len(tree.pointing) != len(fresh.pointing) {
			t.Fatalf("%v keys, %d pointing, want %v and %d", a, len(tree.pointing), b, len(fresh.pointing))
		}
	}
}

// owners returns what is declared of each name.
func owners(tree *Tree) map[definition.Name]string {
	set := new(definition.Set)
	tree.DeclareAll(set)
	all := make(map[definition.Name]string)
	for name := range set.Owners() {
		of := set.Declaring(definition.Names{name: true})
		all[name] = fmt.Sprint(of.Hosts, of.Services, of.Mails, of.Aliases, of.Records)
	}
	return all
}

func checkConcerned(t *testing.T, tree *Tree, before map[definition.Name]string, changed definition.Names) {
	t.Helper()
	concerned := maps.Clone(changed)
	for next := changed; len(next) > 0; {
		set, ok := tree.Pointing(next)
		if !ok {
			return
		}
		next = set.Owners().Without(concerned)
		concerned.Add(next)
	}
	after := owners(tree)
	for name := range maps.Keys(before) {
		if before[name] != after[name] && !concerned[name] {
			t.Fatalf("%s was %s and is %s: it is not among %v", name, before[name], after[name], concerned)
		}
	}
	for name := range after {
		if before[name] == "" && !concerned[name] {
			t.Fatalf("%s is new, and not among %v", name, concerned)
		}
	}
}

// TestPointingAtTooMany: a name that very many keys point to.
func TestPointingAtTooMany(t *testing.T) {
	var lines strings.Builder
	for n := range maxPointing + 1 {
		fmt.Fprintf(&lines, "org/example/x%d/1 {\"host\":\"web.example.org\"}\n", n)
	}
	tree := New("/skydns/", zones)
	tree.Apply(edits(lines.String()))
	if _, ok := tree.Pointing(definition.Names{"web.example.org.": true}); ok {
		t.Error("it is not too much")
	}
	if set, ok := tree.Pointing(definition.Names{"x7.example.org.": true}); !ok || len(set.Owners()) > 2 {
		t.Error("it is too much, or more than those above it")
	}
	if len(tree.Apexes()) > 0 || len(tree.Cuts()) > 0 {
		t.Error("a tree delegates")
	}
}

// FuzzApply: whatever a key has, it declares names in the zones or a mistake.
func FuzzApply(f *testing.F) {
	f.Add("org/example/a", `{"host":"192.0.2.1","port":1}`)
	f.Add("org/example/a/b", "lease 5\n{\"host\":\"b.example.org\",\"mail\":true,\"targetstrip\":2,\"group\":\"x\"}")
	f.Add("arpa/in-addr/192/0/2/1", `{"host":"b.example.org"}`)
	f.Add("org/example/dns/ns", `{"text":"t"}`)
	f.Fuzz(func(t *testing.T, key, text string) {
		tree := New("/skydns/", zones)
		e := change.Edit{Fragment: change.Fragment{Key: "/skydns/" + key, Text: text}}
		changed, errs := tree.Apply([]change.Edit{e})
		set := new(definition.Set)
		tree.DeclareAll(set)
		if len(errs) > 0 && len(set.Owners()) > 0 {
			t.Error("a mistake declares something")
		}
		for name := range set.Owners() {
			if zones.Set().Of(name) == "" || !changed[name] {
				t.Errorf("%s is declared", name)
			}
		}
		set.Index()
		e.Gone = true
		if tree.Apply([]change.Edit{e}); len(tree.sorted)+len(tree.pointing)+len(tree.keys)+tree.excluded > 0 {
			t.Error("something stays")
		}
	})
}
