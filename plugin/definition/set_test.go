package definition

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// everything declares something of each kind.
const everything = "host a 192.0.2.1 192.0.2.2\nhost b 2001:db8::1\nmail m n 10 a 20 b\nmail no none\n" +
	"service _x._tcp 0 0 1 a c\nservice _y._tcp none\nalias www m\nrecord a n TXT x\nrecord s HTTPS 1 b\nrecord s TXT y\n"

// one reads a text in a single zone.
func one(t *testing.T, text string) *Set {
	t.Helper()
	set, errs := Read("x", text, Zones{"example.org."})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return set
}

// named returns names of example.org.
func named(words string) Names {
	names := Names{}
	for word := range strings.FieldsSeq(words) {
		name, _ := ParseName(word, "example.org.")
		names[name] = true
	}
	return names
}

// list returns names of example.org as they are written there, sorted.
func list(names Names) string {
	var words []string
	for name := range names {
		words = append(words, strings.TrimSuffix(string(name), ".example.org."))
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// TestSetNames: what is declared of names, and what points to them.
func TestSetNames(t *testing.T) {
	s := one(t, everything)
	s.Apexes = []Apex{{Zone: "example.org.", Servers: []NameServer{{Host: "ns.example.org."}}}}
	for _, tc := range []struct{ what, got, want string }{
		{"owners", list(s.Owners()), "_x._tcp _y._tcp a b m n no s www"},
		{"targets", list(s.Targets()), "a b c m ns"},
		{"declared of some", list(s.Declaring(named("a m www _x._tcp x")).Owners()), "_x._tcp a m www"},
		{"declared of none", list(s.Declaring(named("x")).Owners()), ""},
		{"pointing to a", list(s.Pointing(named("a")).Owners()), "_x._tcp m n"},
		{"pointing to m or c", list(s.Pointing(named("m c")).Owners()), "_x._tcp www"},
		{"pointing to b", list(s.Pointing(named("b")).Owners()), "m n s"},
		{"pointing to the name server", list(s.Pointing(named("ns")).Owners()), ""},
		{"apexes", fmt.Sprint(len(s.Declaring(nil).Apexes), len(s.Pointing(named("ns")).Apexes)), "1 0"},
		{"without", list(named("a b c").Without(named("b d"))), "a c"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %q, want %q", tc.what, tc.got, tc.want)
		}
	}
}

// TestEach: names come in the order of declaration, as often as that is, but the targets
// that owners share once.
func TestEach(t *testing.T) {
	s := one(t, "mail m n 10 a 20 b\nmail o 10 a\nhost a 192.0.2.1\nhost a 192.0.2.2\nalias x y\n"+
		"service _x._tcp _y._tcp 1 2 3 b")
	var owners, targets []string
	for name := range s.EachOwner {
		owners = append(owners, name.Labels()[0])
	}
	for name := range s.EachTarget {
		targets = append(targets, name.Labels()[0])
	}
	if got := strings.Join(owners, " "); got != "a a m n o _x _y x" {
		t.Errorf("owners %q", got)
	}
	if got := strings.Join(targets, " "); got != "a b a b y" {
		t.Errorf("targets %q", got)
	}
	for range s.EachOwner {
		break
	}
	for range s.EachTarget {
		break
	}
}

// TestMerge: all that sets declare, in their order; none of them changes when more is added.
func TestMerge(t *testing.T) {
	a, b := one(t, everything), one(t, "host z 192.0.2.9\nalias y z")
	a.Apexes = []Apex{{Zone: "example.org."}}
	merged := Merge(a, new(Set), b)
	if got := counts(merged); got != "3 3 2 2 1" || merged.Hosts[2].Owner != "z.example.org." {
		t.Errorf("%s of each kind: %+v", got, merged)
	}
	further := Merge(new(Set), b)
	_ = append(further.Hosts, Host{Head: Head{Owner: "x."}})
	further = Merge(b, b)
	if len(b.Hosts) != 1 || len(further.Hosts) != 2 {
		t.Errorf("%d and %d hosts", len(b.Hosts), len(further.Hosts))
	}
}

// counts returns how many declarations of each kind there are.
func counts(s *Set) string {
	return fmt.Sprint(len(s.Hosts), len(s.Mails), len(s.Services), len(s.Aliases), len(s.Apexes))
}

// TestInto: a reader adds to a set, and gives its default TTL only to what it adds.
func TestInto(t *testing.T) {
	set := one(t, everything)
	set.Apexes = []Apex{{TTL: TTL{Seconds: 1}}}
	before := *set
	r := NewReader(Zones{"example.org."}).Into(set)
	r.SetDefaults(Defaults{TTL: TTL{60, true}, Order: Order{true, ByItself}})
	var seen []string
	r.Text(Pos{"y", 7}, "host z 192.0.2.9\nnothing\nalias z2 z {\nttl 5\n}\nmail z2 none", func(s Statement) {
		seen = append(seen, fmt.Sprint(s.Line, " ", s.Words[0], " ", s.Offset))
	})
	if got := strings.Join(seen, ", "); got != "7 host 0, 8 nothing 17, 9 alias 25, 12 mail 46" {
		t.Errorf("statements %q", got)
	}
	_, errs := r.Set()
	want := `y:8: unknown word "nothing": write one of alias, drain, host, mail, order, record, service, ttl`
	if errs.Error() != want || r.Defaults().TTL.Seconds != 60 {
		t.Errorf("%v, %v", errs, r.Defaults())
	}
	added := set.Since(&before)
	if counts(&added) != "1 1 0 1 0" {
		t.Fatalf("added %+v", added)
	}
	if added.Hosts[0].TTL != (TTL{60, false}) || added.Aliases[0].TTL != (TTL{5, true}) {
		t.Errorf("TTLs %v, %v", added.Hosts[0].TTL, added.Aliases[0].TTL)
	}
	if set.Hosts[0].Order != (Order{}) || added.Hosts[0].Order != (Order{true, ByDefault}) {
		t.Errorf("orders %v, %v", set.Hosts[0].Order, added.Hosts[0].Order)
	}
	if set.Hosts[0].TTL.Seconds != DefaultTTL || set.Apexes[0].TTL.Seconds != 1 {
		t.Errorf("TTLs of before %v, %v", set.Hosts[0].TTL, set.Apexes[0].TTL)
	}
}

// TestIndex: a set owner by owner, numbered in the order of declaration.
func TestIndex(t *testing.T) {
	s := one(t, everything+"host m 192.0.2.3\nmail m 5 c {\nsrv\n}\nalias www x")
	s.Apexes = []Apex{{Zone: "example.org.", Contact: "first"}, {Zone: "example.org.", Contact: "second"}}
	x := s.Index()
	var owners []string
	for o := range x.Owners() {
		owners = append(owners, fmt.Sprintf("%s %d: %d %d %d %d %d", list(Names{o.Name(): true}), o.Number(),
			len(o.Hosts()), len(o.Mails()), len(o.Services()), len(o.Aliases()), len(o.Records())))
		if x.Numbers()[o.Name()] != o.Number() || x.At(o.Name()) != o {
			t.Errorf("%s is not number %d", o.Name(), o.Number())
		}
	}
	want := []string{"example.org. 0: 0 0 0 0 0", "a 1: 1 0 0 0 1", "b 2: 1 0 0 0 0", "m 3: 1 2 0 0 0", "n 4: 0 1 0 0 1",
		"no 5: 0 1 0 0 0", "_x._tcp 6: 0 0 1 0 0", "_y._tcp 7: 0 0 1 0 0", "_smtp._tcp.m 8: 0 0 1 0 0", "www 9: 0 0 0 2 0",
		"s 10: 0 0 0 0 2"}
	if !slices.Equal(owners, want) {
		t.Errorf("owners %q\nwant %q", owners, want)
	}
	if a := x.At("example.org.").Apex(); a == nil || a.Contact != "first" || x.Len() != len(want) {
		t.Errorf("apex %+v, %d owners", a, x.Len())
	}
	if m := x.At("m.example.org."); len(m.Exchanges()) != 3 || m.Exchanges()[0].Preference != 5 || m.Apex() != nil {
		t.Errorf("exchanges %v", m.Exchanges())
	}
	for range x.Owners() {
		break
	}
	x.Numbers()["beyond."] = uint32(x.Len())
	for _, nobody := range []Owner{x.At("x."), x.At("beyond."), {}} {
		declared := len(nobody.Hosts()) + len(nobody.Mails()) + len(nobody.Services()) + len(nobody.Aliases()) +
			len(nobody.Addrs()) + len(nobody.Exchanges()) + len(nobody.Targets())
		if nobody.Name() != "" || nobody.Apex() != nil || declared > 0 {
			t.Errorf("something is declared of %+v", nobody)
		}
	}
}

// TestWithout: what is declared of other names, and no service is published that is one of these.
func TestWithout(t *testing.T) {
	set := read(t, "host a 192.0.2.1\nmail m {\n10 a\nsrv\n}\nmail n {\n10 a\nsrv\n}\nalias l a")
	rest := set.Without(Names{"a.example.org.": true, "_smtp._tcp.m.example.org.": true})
	if len(rest.Hosts) != 0 || len(rest.Aliases) != 1 || len(rest.Mails) != 2 || rest.Mails[0].SRV || !rest.Mails[1].SRV || !set.Mails[0].SRV {
		t.Errorf("%+v", rest)
	}
}

// TestEachPointer: each target with who points to it, also where owners share them.
func TestEachPointer(t *testing.T) {
	set := read(t, "host a 192.0.2.1\nmail m n 10 a b\nservice _s._tcp 0 0 1 c\nalias l a")
	var all []string
	for h, target := range set.Pointers {
		all = append(all, h.Owner.Labels()[0]+">"+target.Labels()[0])
	}
	if got := strings.Join(all, " "); got != "m>a m>b n>a n>b _s>c l>a" {
		t.Error(got)
	}
	for range set.Pointers {
		break
	}
	if got := set.Filter(func(h *Head) bool { return h.Owner == "n.example.org." }); len(got.Mails) != 1 || len(got.Aliases)+len(got.Hosts) > 0 {
		t.Errorf("%+v", got)
	}
	both := read(t, "host x 192.0.2.1")
	if both.Add(set); len(both.Hosts) != 2 || len(both.Mails) != 2 || len(both.Services) != 1 || len(both.Aliases) != 1 {
		t.Errorf("%+v", both)
	}
}

// TestExplicit: services that srv publishes are declared, those of each source by itself, with what it says of the domain
// elsewhere.
func TestExplicit(t *testing.T) {
	set := read(t, "mail m {\n10 a\nsrv\n}\nmail m 20 b {\nttl 60\n}\nmail n 10 a\nmail o {\nnone\nsrv\n}\nservice _smtp._tcp.m 0 0 26 c")
	other, _ := Read("y", "mail m 30 c\nmail o {\n10 c\nsrv\n}", zones[:1])
	all := Merge(set, other)
	explicit := all.Explicit()
	var got []string
	for _, v := range explicit.Services {
		line := fmt.Sprintf("%s:%d %s %v", v.Source, v.Line, v.Owner, v.TTL)
		for _, t := range v.Targets {
			line += fmt.Sprintf(" %d %d %s", t.Priority, t.Port, t.Host)
		}
		got = append(got, line)
	}
	want := `x:13 _smtp._tcp.m.example.org. {3600 false} 0 26 c.example.org.
x:1 _smtp._tcp.m.example.org. {60 true} 10 25 a.example.org. 20 25 b.example.org.
x:10 _smtp._tcp.o.example.org. {3600 false}
y:2 _smtp._tcp.o.example.org. {3600 false} 10 25 c.example.org.`
	if got := strings.Join(got, "\n"); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for i := range explicit.Mails {
		if explicit.Mails[i].SRV || len(explicit.Mails) != len(all.Mails) || !all.Mails[0].SRV {
			t.Errorf("mail domains %+v, of %+v", explicit.Mails, all.Mails)
		}
	}
	if none := read(t, "mail m 10 a"); none.Explicit() != none {
		t.Error("a set without srv is copied")
	}
}

// read returns what a text without mistakes declares.
func read(t *testing.T, text string) *Set {
	t.Helper()
	set, errs := Read("x", text, zones[:1])
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return set
}
