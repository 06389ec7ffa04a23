package change

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

var zone = definition.Zones{"example.org."}

// stores returns the stores of a Corefile, a file, and fragments, which are parted by ";".
func stores(t *testing.T, corefile, file, fragments string) []Store {
	t.Helper()
	base, errs := definition.Read("Corefile", corefile, zone)
	d := NewDocument("x", file, definition.NewReader(zone))
	errs = append(errs, d.Read(new(definition.Set))...)
	f := NewFragments(zone)
	_, unread := f.Apply(puts(strings.Split(fragments, ";")...))
	if errs = append(errs, unread...); len(errs) > 0 {
		t.Fatal(errs)
	}
	return []Store{Static(base), d, f}
}

// puts returns the edits that put fragments a, b, c..., the oldest first.
func puts(texts ...string) []Edit {
	var edits []Edit
	for i, text := range texts {
		edits = append(edits, Edit{Fragment: Fragment{Key: string('a' + rune(i)), Text: text, Created: int64(i + 1)}})
	}
	return edits
}

// named returns names of example.org by their labels.
func named(words string) definition.Names {
	names := definition.Names{}
	for _, word := range strings.Fields(words) {
		name, err := definition.ParseName(word, zone[0])
		if err != nil {
			panic(err)
		}
		names[name] = true
	}
	return names
}

// TestAffected: what a change concerns, and what is declared of that and of what it points to.
func TestAffected(t *testing.T) {
	const published = "mail m 10 a {\nsrv\n}\nhost a 192.0.2.1\n"
	const beside = published + "service _smtp._tcp.m 1 1 25 b\nhost b 192.0.2.1"
	for _, tc := range []struct {
		name            string
		text            string
		changed         string
		concerned, read string // names, those of _smtp._tcp apart if nothing is declared of them
	}{
		{"nothing", "host a 192.0.2.1", "", "", ""},
		{"a name of which nothing is declared", "host a 192.0.2.1", "b", "b", ""},
		{"a host alone", "host a 192.0.2.1\nhost b 192.0.2.1", "a", "a", "a"},
		{"the addresses of an exchange", "host a 192.0.2.1\nmail m n 10 a\nmail o 10 b", "a", "a m n", "a m n"},
		{"and its other exchanges", "host a 192.0.2.1\nmail m 10 a b c\nhost b 192.0.2.2", "a", "a m", "a b m"},
		{"a mail domain", "host a 192.0.2.1\nmail m n 10 a", "m", "m", "a m"},
		{"a target", "host a 192.0.2.1\nservice _x._tcp 0 0 1 a", "a", "_x._tcp a", "_x._tcp a"},
		{"a chain of aliases", "alias a b\nalias b c\nalias c d\nhost d 192.0.2.1\nmail m 10 a", "c", "a b c m", "a b c d m"},
		{"a loop of aliases", "alias a b\nalias b a", "a", "a b", "a b"},
		{"a service that is published", published, "_smtp._tcp.m", "m", "a m"},
		{"a service beside one that is published", beside, "m", "_smtp._tcp.m m", "_smtp._tcp.m a b m"},
		{"records", "record r s TXT x\nrecord t HTTPS 1 a\nhost a 192.0.2.1", "a r", "a r t", "a r t"},
		{"the delegation above a name", "record d NS a.d\nhost a.d 192.0.2.1\nhost b.d 192.0.2.2\nhost c 192.0.2.2", "b.d", "b.d", "a.d b.d d"},
		{"the delegation above a target", "record d NS a\nhost a 192.0.2.1\nmail m 10 b.d", "m", "m", "a d m"},
		{"a target of such a service", beside, "b", "_smtp._tcp.m b m", "_smtp._tcp.m a b m"},
	} {
		for where, s := range map[string][]Store{
			"a Corefile": stores(t, tc.text, "", ""),
			"a file":     stores(t, "", tc.text, ""),
			"fragments":  stores(t, "", "", strings.NewReplacer("{\nsrv\n}", "{ srv }", "\n", ";").Replace(tc.text)),
		} {
			if where == "fragments" && strings.Contains(tc.text, " NS ") {
				continue // they do not delegate
			}
			t.Run(tc.name+" in "+where, func(t *testing.T) {
				part, ok := Affected(s, named(tc.changed))
				if !ok {
					t.Fatal("too much")
				}
				owners := part.Set.Owners()
				for name := range part.Concerned {
					if strings.HasPrefix(string(name), "_smtp._tcp.") && !owners[name] {
						delete(part.Concerned, name)
					}
				}
				if got := labels(part.Concerned); got != tc.concerned {
					t.Errorf("concerned %q, want %q", got, tc.concerned)
				}
				if got := labels(owners); got != tc.read {
					t.Errorf("read %q, want %q", got, tc.read)
				}
			})
		}
	}
}

// TestAffectedAcross: names are looked for in all stores, and declarations come in their order.
func TestAffectedAcross(t *testing.T) {
	s := stores(t, "mail m 10 a", "host a 192.0.2.1", "mail m 10 b; alias n m; host c 192.0.2.1")
	part, ok := Affected(s, named("a"))
	if got := labels(part.Concerned); !ok || !strings.HasSuffix(got, " a m n") {
		t.Errorf("concerned %q, %v", got, ok)
	}
	var from []string
	for _, m := range part.Set.Mails {
		from = append(from, m.Source)
	}
	if want := []string{"Corefile", "etcd:a"}; !slices.Equal(from, want) {
		t.Errorf("%q, want %q", from, want)
	}
}

// TestAffectedApexes: what is declared of the apexes of authoritative zones and of their aliases
// comes along. They are concerned if a name server is.
func TestAffectedApexes(t *testing.T) {
	base, _ := definition.Read("Corefile", "host ns 192.0.2.1\nalias top @\nhost a 192.0.2.2", zone)
	base.Apexes = []definition.Apex{{Zone: zone[0], Servers: []definition.NameServer{{Host: "ns.example.org."}}}}
	s := []Store{Static(base)}
	part, _ := Affected(s, named("a"))
	if got := labels(part.Names); got != "@ _smtp._tcp.a a top" {
		t.Errorf("names %q", got)
	}
	if got := labels(part.Set.Owners()); got != "a ns top" {
		t.Errorf("read %q, want the name server, too", got)
	}
	if got := labels(part.Concerned); got != "_smtp._tcp.a a" {
		t.Errorf("concerned %q", got)
	}
	part, _ = Affected(s, named("ns"))
	if got := labels(part.Concerned); got != "@ _smtp._tcp _smtp._tcp.ns _smtp._tcp.top ns top" {
		t.Errorf("concerned by a name server %q", got)
	}
}

// TestAffectedLimits: what is too much.
func TestAffectedLimits(t *testing.T) {
	few := maxNames / 2 // and their _smtp._tcp
	mail := func(n int) string { return "mail" + numbered(" d", n) + " 10 a" }
	for _, tc := range []struct {
		name    string
		file    string
		changed string
		ok      bool
	}{
		{"2000 names", "", numbered(" d", few), true},
		{"2001 names", "", numbered(" d", few+1), false},
		{"an exchange of 1999", mail(few - 1), "a", true},
		{"an exchange of 2000", mail(few), "a", false},
		{"7998 targets", "mail d 10" + numbered(" h", 4*few-2), "d", true},
		{"7999 targets", "mail d 10" + numbered(" h", 4*few-1), "d", false},
		{"16000 stanzas of a name", strings.Repeat("host a 192.0.2.1\n", maxFound), "a", true},
		{"16001 stanzas of a name", strings.Repeat("host a 192.0.2.1\n", maxFound+1), "a", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if part, ok := Affected(stores(t, "", tc.file, ""), named(tc.changed)); ok != tc.ok {
				t.Errorf("%v with %d names", ok, len(part.Names))
			}
		})
	}
}

// TestAffectedRejected: of a document with a mistake nothing is known.
func TestAffectedRejected(t *testing.T) {
	d, _, _ := document("host a 192.0.2.1\nhost b")
	if _, ok := Affected([]Store{d}, named("a")); ok {
		t.Error("it is known")
	}
}

// TestContentRead: everything that a source declares, with its mistakes, step by step.
func TestContentRead(t *testing.T) {
	var nothing *Content
	if set, errs := nothing.Read(); set != nil || errs != nil {
		t.Errorf("no content declares %v, %v", set, errs)
	}
	set, _ := definition.Read("Corefile", "host a 192.0.2.1", zone)
	reader := definition.NewReader(zone)
	var steps []string
	c := &Content{
		Set:       set,
		Documents: []*Document{NewDocument("x", "host b 192.0.2.1", reader), NewDocument("y", "host c", reader)},
		Errs:      definition.Errors{{Text: "before"}},
		Doing:     func(step string) { steps = append(steps, step) },
		Zones:     zone,
		Edits:     puts("host d 192.0.2.1"),
	}
	if changed, unread := c.Apply(nil); labels(changed) != "d" || len(unread) > 0 {
		t.Errorf("fragments have changed %v, %v", changed, unread)
	}
	all, errs := c.Read()
	if got := labels(all.Owners()); got != "a b d" {
		t.Errorf("declared %q", got)
	}
	if got := errs.Error(); got != ":0: before\ny:1: usage: host NAME ADDRESS..." {
		t.Errorf("mistakes %q", got)
	}
	if want := []string{"parsing x", "parsing y", ""}; !slices.Equal(steps, want) {
		t.Errorf("steps %q", steps)
	}
	if got := len(c.Stores()); got != 4 || c.Fragments() == nil {
		t.Errorf("%d stores, fragments %v", got, c.Fragments())
	}
	next := &Content{Zones: zone, Edits: puts("host e 192.0.2.1")}
	if changed, _ := next.Apply(c); labels(changed) != "d e" || next.Fragments() != c.Fragments() {
		t.Errorf("other fragments have changed %v", changed)
	}
	if changed, _ := new(Content).Apply(c); changed != nil {
		t.Errorf("a source without fragments has changed %v", changed)
	}
}

// TestContentChange: what can be said of a change without reading everything.
func TestContentChange(t *testing.T) {
	content := func(texts ...string) *Content {
		c := new(Content)
		for i, text := range texts {
			d := NewDocument(fmt.Sprint(i), text, definition.NewReader(zone))
			d.Read(new(definition.Set))
			c.Documents = append(c.Documents, d)
		}
		return c
	}
	const a, b, c = "host a 192.0.2.1\n", "host b 192.0.2.1\n", "host c 192.0.2.1\n"
	broken := content(a)
	broken.Errs = definition.Errors{{Text: "unreadable"}}
	for _, tc := range []struct {
		name     string
		from, to *Content
		want     string
	}{
		{"nothing", content(a, b), content(a, b), ""},
		{"one of two files", content(a, b), content(a, c), "b c"},
		{"both", content(a, b), content(b, a), "a b"},
		{"one with a mistake", content(a, b), content(b, "host"), "all"},
		{"one more", content(a), content(a, b), "all"},
		{"one fewer", content(a, b), content(a), "all"},
		{"what cannot be read", content(a), broken, "all"},
		{"what could not be read", broken, content(a), "all"},
		{"a set", &Content{Set: new(definition.Set)}, content(a), "all"},
		{"to a set", content(), &Content{Set: new(definition.Set)}, "all"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			names, ok := tc.from.Change(tc.to)
			got := labels(names)
			if !ok {
				got = "all"
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// TestStatic: the store of a set has all its declarations.
func TestStatic(t *testing.T) {
	set, _ := definition.Read("Corefile", "host a 192.0.2.1\nmail m 10 a\nalias b a\nservice _x._tcp 1 2 3 a", zone)
	s := Static(set)
	declaring, _ := s.Declaring(named("a b"))
	pointing, _ := s.Pointing(named("a"))
	for got, want := range map[*definition.Set]string{declaring: "a b", pointing: "_x._tcp b m"} {
		if labels(got.Owners()) != want {
			t.Errorf("%q, want %q", labels(got.Owners()), want)
		}
	}
	if !reflect.DeepEqual(s.Apexes(), set.Apexes) {
		t.Errorf("apexes %v", s.Apexes())
	}
}

// TestCuts: a change of a name that has or had NS records concerns everything.
func TestCuts(t *testing.T) {
	const delegates, without = "record d NS a\nhost a 192.0.2.1\n", "host a 192.0.2.1\n"
	d, _, _ := document(delegates)
	if changed, ok := d.Change(without); !ok || !d.Cuts()["d.example.org."] {
		t.Errorf("changed %v, %v; delegations %v", changed, ok, d.Cuts())
	}
	for where, s := range map[string][]Store{
		"a Corefile": stores(t, delegates, "", ""), "a file": stores(t, "", delegates, ""), "a file that had it": {d},
	} {
		if part, ok := Affected(s, named("d")); ok {
			t.Errorf("%s: %v, want that it is too much", where, part.Names)
		}
		if _, ok := Affected(s, named("a")); !ok {
			t.Errorf("%s: the address of a name server is too much", where)
		}
	}
}
