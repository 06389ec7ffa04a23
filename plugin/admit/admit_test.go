package admit

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

var zones = definition.Zones{"example.org."}

// A server knows a Corefile, a file and fragments, and decides which names of these are served.
type server struct {
	*Admission
	base *definition.Set
	file *change.Document
	t    testing.TB
}

func newServer(t testing.TB, corefile string, allow ...change.Allowance) *server {
	t.Helper()
	base, errs := definition.Read("Corefile", corefile, zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	f := change.NewFragments(zones)
	s := &server{New(f, allow, lint.Options{Zones: zones}), base, change.NewDocument("file", "", definition.NewReader(zones)), t}
	s.file.Read(new(definition.Set))
	return s
}

// authoritative makes the zone an authoritative one, with name servers.
func (s *server) authoritative(servers ...definition.Name) *server {
	apex := definition.Apex{Pos: definition.Pos{Source: "Corefile", Line: 1}, Zone: "example.org."}
	for _, host := range servers {
		apex.Servers = append(apex.Servers, definition.NameServer{Pos: apex.Pos, Host: host})
	}
	s.base.Apexes = []definition.Apex{apex}
	return s
}

func (s *server) stores() []change.Store {
	return []change.Store{change.Static(s.base), s.file, s.fragments}
}

// all decides about everything.
func (s *server) all() *definition.Index {
	index, errs := s.All(func() (*definition.Index, definition.Errors) {
		set := definition.Merge(s.base)
		errs := s.file.Read(set)
		s.fragments.ReadAll(set)
		return set.Index(), errs
	})
	if len(errs) > 0 {
		s.t.Fatal(errs)
	}
	return index
}

// apply applies edits, and decides about what they concern.
func (s *server) apply(edits ...change.Edit) change.Part {
	s.t.Helper()
	changed, _ := s.fragments.Apply(edits)
	return s.part(changed)
}

func (s *server) part(changed definition.Names) change.Part {
	s.t.Helper()
	part, ok := s.Part(s.stores(), changed)
	if !ok {
		s.t.Fatal("too much for a part")
	}
	return part
}

func put(key string, created int64, text string) change.Edit {
	return change.Edit{Fragment: change.Fragment{Key: key, Text: text, Created: created}}
}

func gone(key string) change.Edit {
	return change.Edit{Fragment: change.Fragment{Key: key}, Gone: true}
}

// excluded lists what is excluded, as KEY:NAME without the zone, the oldest first.
func (s *server) excluded() string {
	all := s.fragments.Excluded()
	var words []string
	for _, f := range slices.SortedFunc(maps.Keys(all), (*change.Fragment).Compare) {
		for _, name := range slices.Sorted(maps.Keys(all[f])) {
			words = append(words, f.Key+":"+strings.TrimSuffix(strings.TrimSuffix(string(name), "example.org."), "."))
		}
	}
	return strings.Join(words, " ")
}

// manyExchanges returns the names of n hosts elsewhere.
func manyExchanges(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " mx%d.example.net.", i)
	}
	return b.String()
}

// TestAdmission: which names of which fragments are excluded: after everything is decided at once, after each fragment
// has come on its own, from the oldest on and from the youngest on, and after some have gone.
func TestAdmission(t *testing.T) {
	servers := "ns"
	for _, tc := range []struct {
		name      string
		corefile  string
		fragments string // by ";", named a, b, c, ... from the oldest on
		excluded  string // as KEY:NAME
		gone      string
		after     string // excluded without those that are gone
	}{
		{"all are right", "", "host h 192.0.2.1; service _ldap._tcp 0 6 389 h; service _ldap._tcp 0 4 389 h", "", "a", ""},
		{"one does not read", "", "host h 192.0.2.1; hots g 192.0.2.1; host g 192.0.2.1", "", "a", ""},
		{"mistakes about some of its names", "", "host h 192.0.2.1\nmail m_x m 10 h\nalias self self; alias x y\nhost x 192.0.2.1\nhost z 192.0.2.1",
			"a:m_x a:self b:x", "a", "b:x"},
		{"policies that receivers ignore", "", `record s TXT "v=spf1 ip4:bad"
record t TXT "v=spf1 -all"; record t TXT "v=spf1 mx"; record u TXT "v=spf1 -all"
record u TXT "v=spf1 mx"; record s TXT "v=spf1 -all"
record _smtp._tls TXT v=TLSRPTv1`, "a:s b:t c:u d:_smtp._tls", "c", "a:s b:t d:_smtp._tls"},
		{"what the policy of another name says is nothing to one that includes it", "",
			`record s TXT "v=spf1 include:t.example.org mx:t.example.org a a a a a a a a -all"; ` +
				`record t TXT "v=spf1 mx a exists:%{i}.example.net -all"
mail t 10 ` + manyExchanges(11) + `; record w TXT "v=spf1 a a a a a a a a a a mx -all"`, "b:t c:w", "b", "c:w"},
		{"who makes a mistake about a name does not have it", "", "alias h g\nhost h 192.0.2.1; host h 192.0.2.2; host h 192.0.2.3",
			"a:h c:h", "a", "c:h"},

		{"the attack", "host mx1 192.0.2.1\nmail @ 10 mx1",
			"mail example.org. 0 mail.attacker.example.\nhost mx1.example.org. 203.0.113.66\nhost other 192.0.2.2", "a: a:mx1", "a", ""},
		{"what the Corefile declares is closed for each kind", "mail m 10 h\nhost h 192.0.2.1\nservice _s._tcp 0 0 1 h\nalias l h",
			"host m 192.0.2.2; alias h x; host h 192.0.2.3; service _s._tcp 0 0 2 h; alias l h; mail l 10 h",
			"a:m b:h c:h d:_s._tcp e:l f:l", "a b c", "d:_s._tcp e:l f:l"},
		{"but what is open there", "host h 192.0.2.1 {\nopen\n}\nservice _s._tcp 0 0 1 h {\nopen\n}",
			"host h 192.0.2.3; service _s._tcp 0 0 2 h; mail h 10 x; service _s._tcp none; alias h x", "c:h d:_s._tcp e:h", "a", "c:h d:_s._tcp e:h"},
		{"whoever has a host, it is drained", "host h 192.0.2.1\ndrain x", "drain h; drain h g; host g 192.0.2.1; drain x", "", "a", ""},
		{"a fragment that drains a host has it not", "", "drain h; host h 192.0.2.1; host h 192.0.2.2", "c:h", "a", "c:h"},
		{"one of several declarations there says open", "host h 192.0.2.1\nhost h 192.0.2.2 {\nopen\n}", "host h 192.0.2.3", "", "a", ""},
		{"open none", "service _s._tcp none {\nopen\n}", "service _s._tcp 0 0 2 h; service _s._tcp none", "a:_s._tcp", "a", ""},
		{"srv there", "host h 192.0.2.1\nmail m {\n10 h\nsrv\n}", "service _smtp._tcp.m 0 0 25 h; alias _smtp._tcp.m h", "a:_smtp._tcp.m b:_smtp._tcp.m", "a", "b:_smtp._tcp.m"},

		{"the oldest has a name", "", "host h 192.0.2.1; alias h g; host h 192.0.2.2; mail h 10 g", "b:h c:h d:h", "a", "c:h d:h"},
		{"what becomes of its other names does not matter", "host x 192.0.2.1", "host h 192.0.2.1\nhost x 192.0.2.9; host h 192.0.2.2", "a:x b:h", "a", ""},
		{"mail domains are not shared", "", "mail m 10 h; mail m 20 h; mail m 10 h", "b:m c:m", "a", "c:m"},
		{"services are", "", "service _s._tcp 0 0 1 h; service _s._tcp 0 0 2 h; host _s._tcp 192.0.2.1; service _s._tcp none; service _s._tcp 0 0 3 h",
			"c:_s._tcp d:_s._tcp", "a b e", "d:_s._tcp"},
		{"a service with a host at its name is the owner's only", "", "service _s._tcp 0 0 1 h\nhost _s._tcp 192.0.2.1; service _s._tcp 0 0 2 h; host _s._tcp 192.0.2.2",
			"c:_s._tcp", "a", "c:_s._tcp"},
		{"of shared ones some are wrong", "", "service _s._tcp 0 0 1 h; service _s._tcp 0 0 1 h+h; service _s._tcp 0 0 2 h; service _s._tcp 0 0 2 h+h; service _s._tcp 0 0 3 h",
			"b:_s._tcp d:_s._tcp", "a", "b:_s._tcp d:_s._tcp"},
		{"hosts are if the oldest says so", "", "host h 192.0.2.1 {\nopen\n}; host h 192.0.2.2; host h 192.0.2.3; host i 192.0.2.1; host i 192.0.2.2 {\nopen\n}",
			"e:i", "a d", "c:h"},
		{"ttls that differ are no reason", "", "service _s._tcp 0 0 1 h {\nttl 30\n}; service _s._tcp 0 0 2 h {\nttl 60\n}; ttl 90\nservice _s._tcp 0 0 3 h", "", "a", ""},
		{"but in one fragment", "", "service _s._tcp 0 0 1 h; service _s._tcp 0 0 2 h {\nttl 60\n}\nservice _s._tcp 0 0 3 h {\nttl 90\n}", "b:_s._tcp", "a", "b:_s._tcp"},
		{"and not in the last one", "", "service _s._tcp 0 0 1 h {\nttl 20\n}; service _s._tcp 0 0 2 h {\nttl 60\n}\nservice _s._tcp 0 0 3 h {\nttl 90\n}; service _s._tcp 0 0 4 h {\nttl 99\n}",
			"b:_s._tcp", "a", "b:_s._tcp"},
		{"orders that differ are no reason", "", "service _s._tcp 0 0 1 h {\norder weighted\n}; service _s._tcp 0 0 2 h {\norder fixed\n}; order fixed\nservice _s._tcp 0 0 3 h", "", "a", ""},
		{"but two in one fragment", "", "service _s._tcp 0 0 1 h; service _s._tcp 0 0 2 h {\norder fixed\n}\nservice _s._tcp 0 0 3 h {\norder weighted\n}", "b:_s._tcp", "a", "b:_s._tcp"},
		{"srv declares", "", "mail m {\n10 h\nsrv\n}; service _smtp._tcp.m 0 0 26 h; service _smtp._tcp.m none; alias _smtp._tcp.m h", "c:_smtp._tcp.m d:_smtp._tcp.m", "a", "c:_smtp._tcp.m d:_smtp._tcp.m"},
		{"srv comes too late", "", "alias _smtp._tcp.m h; mail m {\n10 h\nsrv\n}; mail m {\n10 h\nsrv\n}", "b:_smtp._tcp.m c:_smtp._tcp.m c:m", "a", "c:m"},

		{"who points to an alias is excluded, also if he is older", "", "mail m 10 a; alias a h; service _s._tcp 0 0 1 a; service _s._tcp 0 0 2 h; host h 192.0.2.1",
			"a:m c:_s._tcp", "b", ""},
		{"a chain, of which the last link does not point to an alias", "", "alias a b; alias b c; alias c d; alias d e", "a:a b:b c:c", "d", "a:a b:b"},
		{"a loop", "", "alias a b; alias b c; alias c a", "a:a b:b c:c", "a", "b:b"},
		{"to an alias of the Corefile", "alias a h\nhost h 192.0.2.1", "mail m 10 a; alias b a; mail n 10 h; alias c b; record m TXT x; record h HTTPS 1 a", "a:m d:c e:m f:h", "b", "a:m e:m f:h"},
		{"an alias that is not served is none", "host a 192.0.2.1", "alias a h; mail m 10 a", "a:a", "a", ""},
		{"an alias of a name that an older fragment has is none", "", "host a 192.0.2.1; alias a h; mail m 10 a", "b:a", "a", "c:m"},
		{"an alias that points to an alias is one", "", "alias a b; alias b h; mail m 10 a", "a:a c:m", "b", "c:m"},
		{"what the Corefile points to is no alias", "mail @ 10 mx1\nservice _s._tcp 0 0 1 s\nalias l t\nalias www external.example.net.",
			"alias mx1 h; alias s h; alias t h; alias ns h; host mx1 192.0.2.1; mail m 10 mx1", "a:mx1 b:s c:t d:ns", "a", "b:s c:t d:ns"},
		{"a name that srv publishes is no alias", "", "mail m {\n10 h\nsrv\n}; alias _smtp._tcp.m h; alias l _smtp._tcp.m", "b:_smtp._tcp.m", "a", "c:l"},
		{"delegations are for the Corefile", "record eu NS ns.example.net.", "host x.eu 192.0.2.1; record us NS ns.example.net.\nhost x.us 192.0.2.1; host h 192.0.2.1", "a:x.eu b:us", "b", "a:x.eu"},
		{"a target that nobody declares", "mail @ 10 h", "service _x._tcp 0 0 1 h; alias i j; mail m 10 k.example.org", "", "b", ""},

		{"too large together, and the youngest goes", "", "host h 192.0.2.1 {\nopen\n}; host h" + numbered(" 2001:db8::", 2300) + "; host h" + numbered(" 2001:db8:1::", 100) + "; host h 192.0.2.2",
			"c:h d:h", "a", "c:h d:h"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var edits []change.Edit
			for i, text := range strings.Split(tc.fragments, ";") {
				edits = append(edits, put(string('a'+rune(i)), int64(i+1), strings.TrimSpace(text)))
			}
			check := func(how string, s *server) {
				t.Helper()
				if got := s.excluded(); got != tc.excluded {
					t.Errorf("%s: excluded %q, want %q", how, got, tc.excluded)
				}
				for key := range strings.FieldsSeq(tc.gone) {
					s.apply(gone(key))
				}
				if got := s.excluded(); got != tc.after {
					t.Errorf("%s, then without %s: excluded %q, want %q", how, tc.gone, got, tc.after)
				}
			}
			fresh := func() *server {
				return newServer(t, tc.corefile).authoritative(definition.Name(servers + ".example.org."))
			}
			s := fresh()
			s.fragments.Apply(edits)
			s.all()
			check("at once", s)
			one := func(how string) {
				s := fresh()
				for i := range edits {
					s.apply(edits[i])
				}
				check(how, s)
			}
			one("one by one")
			slices.Reverse(edits)
			one("backwards")
		})
	}
}

// numbered returns n words.
func numbered(word string, n int) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, "%s%x", word, i)
	}
	return all.String()
}

// TestAllow: a key may declare what a line of allow has for it, and another fragment has a name that it may not.
func TestAllow(t *testing.T) {
	s := newServer(t, "host fixed 192.0.2.1", change.Allowance{Key: "anna", Names: []definition.Name{"anna.example.org."}},
		change.Allowance{Key: "ops/", Names: []definition.Name{"example.org."}})
	s.apply(put("anna", 1, "host anna 192.0.2.1\nhost ben 192.0.2.1\nmail x.anna {\n10 anna\nsrv\n}"), put("other", 2, "host anna 192.0.2.2\nhost ben 192.0.2.2"),
		put("ops/1", 3, "host ben 192.0.2.3\nhost anna 192.0.2.3\nhost fixed 192.0.2.4"))
	if got, want := s.excluded(), "anna:ben other:anna other:ben ops/1:anna ops/1:fixed"; got != want {
		t.Errorf("excluded %q, want %q", got, want)
	}
}

// TestAllowDrain: a fragment drains hosts that it may declare, whoever has declared them.
func TestAllowDrain(t *testing.T) {
	s := newServer(t, "host fixed 192.0.2.1\ndrain a", change.Allowance{Key: "anna", Names: []definition.Name{"anna.example.org."}},
		change.Allowance{Key: "ops/", Names: []definition.Name{"example.org.", "example.net."}})
	s.apply(put("anna", 1, "drain anna fixed x.anna"), put("ops/1", 2, "drain fixed mx.example.net. mx.example.com."), put("other", 3, "drain anna"))
	const want = "anna:fixed ops/1:mx.example.com other:anna"
	for range 2 {
		if got := s.excluded(); got != want {
			t.Errorf("excluded %q, want %q", got, want)
		}
		index := s.all()
		var drained []string
		for _, d := range index.Set.Drains {
			drained = append(drained, d.Source+" "+string(d.Owner))
		}
		if got, want := strings.Join(drained, ", "), "Corefile a.example.org., etcd:anna anna.example.org., etcd:anna x.anna.example.org., "+
			"etcd:ops/1 fixed.example.org., etcd:ops/1 mx.example.net."; got != want {
			t.Errorf("drained %s, want %s", got, want)
		}
	}
	s.apply(put("ops/2", 4, "host fixed 192.0.2.2"), gone("other"))
	if got, want := s.excluded(), "anna:fixed ops/1:mx.example.com ops/2:fixed"; got != want {
		t.Errorf("excluded %q, want %q", got, want)
	}
	if f := s.Decisions()[0].Finding(); len(s.Decisions()) != 1 || f.Rule.ID != lint.FragmentClosed {
		t.Errorf("decisions %v", s.Decisions())
	}
}

// TestDecisions: what a decision has changed, the oldest fragment first, and why.
func TestDecisions(t *testing.T) {
	s := newServer(t, "host h 192.0.2.1\nmail @ 10 mx1", change.Allowance{Key: "", Names: []definition.Name{"example.org."}})
	s.allow[0].Key = "k/"
	decided := func() string {
		var all []string
		for _, d := range s.Decisions() {
			line := fmt.Sprintf("%s %s", d.Fragment.Key, d.Name)
			if d.Excluded {
				f := d.Finding()
				line = f.String()
				if f.Rule.ID != d.Rule() || f.Names[0] != d.Name {
					t.Errorf("%s of %v is of rule %s", d.Name, f, d.Rule())
				}
			}
			all = append(all, line)
		}
		return strings.Join(all, "\n")
	}
	for _, step := range []struct {
		edits []change.Edit
		want  string
	}{
		{[]change.Edit{put("k/b", 2, "alias h g\nhost b 192.0.2.2"), put("k/a", 1, "mail m_x 10 h"), put("k/c", 3, "host x 192.0.2.1\nhost x 192.0.2.2"), put("j", 4, "host j 192.0.2.1")},
			`etcd:k/a:1: error: mail domain "m_x.example.org.": write letters, digits and inner hyphens in each label [name-invalid, RFC 1035 §2.3, RFC 1123 §2.1, RFC 2782]
etcd:k/b:1: error: h.example.org. is declared at Corefile:1: delete it here [fragment-closed]
etcd:j:1: error: j.example.org. is a name that etcd:j may not declare: write one that a line of allow has for its key [fragment-not-allowed]`},
		{nil, ""},
		{[]change.Edit{put("k/a", 1, "mail a 10 b")}, ""}, // it is another fragment, of which nothing was excluded
		{[]change.Edit{put("k/d", 5, "alias x b\nhost b 192.0.2.3\nalias mx1 b\nmail m 10 x")},
			`etcd:k/d:2: error: b.example.org. belongs to etcd:k/b:2, which is older: delete it here, or write open into the block there [fragment-younger]
etcd:k/d:3: error: mx1.example.org. must not be an alias, because Corefile:2 points to it: write a host [fragment-closed]
etcd:k/d:1: error: x.example.org. belongs to etcd:k/c:1, which is older: delete it here or there [fragment-younger]`},
		{[]change.Edit{gone("k/c")}, `etcd:k/d:4: error: exchange x.example.org. of m.example.org. is an alias: write b.example.org. [mx-target-alias, RFC 2181 §10.3]
k/d x.example.org.`},
		{[]change.Edit{put("k/c", 6, "host x 192.0.2.1"), gone("k/b")}, `k/d b.example.org.
etcd:k/c:1: error: x.example.org. belongs to etcd:k/d:1, which is older: delete it here or there [fragment-younger]`},
	} {
		if s.apply(step.edits...); decided() != step.want {
			t.Errorf("after %v:\n%s\nwant\n%s", step.edits, decided(), step.want)
		}
	}
	if !s.Of(s.fragments) || s.Of(nil) {
		t.Error("it is the admission of other fragments")
	}
}

// TestPartTooMuch: what is too much for a part leaves what is excluded as it was, and all decides.
func TestPartTooMuch(t *testing.T) {
	s := newServer(t, "")
	edits := []change.Edit{put("b", 2, "alias x y")}
	for i := range 2500 {
		edits = append(edits, put(fmt.Sprint("m", i), int64(i+3), fmt.Sprintf("mail d%d 10 x", i)))
	}
	s.fragments.Apply(edits)
	s.all()
	all, excluded := s.fragments.Len()
	if all != 2501 || excluded != 2500 {
		t.Fatalf("%d of %d are excluded", excluded, all)
	}
	changed, _ := s.fragments.Apply([]change.Edit{put("a", 1, "host x 192.0.2.1")})
	if _, ok := s.Part(s.stores(), changed); ok || len(s.Decisions()) > 0 {
		t.Fatalf("it is not too much, decided %d", len(s.Decisions()))
	}
	if _, excluded := s.fragments.Len(); excluded != 2500 {
		t.Errorf("%d are excluded by what was not decided", excluded)
	}
	if s.all(); s.excluded() != "b:x" {
		t.Errorf("of all, excluded %.100q", s.excluded())
	}
}

// TestContenders: of what a hundred fragments and more contend for, a part is decided as all is.
func TestContenders(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	lines := []string{"host x 192.0.2.1", "host x 192.0.2.1", "host x 192.0.2.2 {\nopen\n}", "alias x x", "alias x y", "mail x 10 z",
		"mail x none\nmail x 10 z", "mail m 10 x", "host y 192.0.2.3"}
	for _, corefile := range []string{"", "host x 192.0.2.1", "host x 192.0.2.1 {\nopen\n}", "mail @ 10 x"} {
		s := newServer(t, corefile)
		edit := func(age int) change.Edit {
			return put(fmt.Sprint(r.IntN(300)), int64(r.IntN(age)), lines[r.IntN(len(lines))]+"\nhost h 192.0.2.1")
		}
		for range 300 {
			s.apply(edit(1000))
		}
		for step := range 100 {
			e := edit(1 + step%200)
			if old := s.oldest("x.example.org."); old != nil && r.IntN(2) == 0 {
				e = gone(old.Key)
			}
			s.apply(e)
			fresh := s.again()
			for f := range s.fragments.All() {
				fresh.fragments.Apply([]change.Edit{{Fragment: *f}})
			}
			if fresh.all(); s.excluded() != fresh.excluded() {
				t.Fatalf("%q, step %d: after %v excluded\n%s, from nothing\n%s", corefile, step, e, s.excluded(), fresh.excluded())
			}
		}
		if _, excluded := s.fragments.Len(); excluded < 70 {
			t.Errorf("%q: only %d are excluded", corefile, excluded)
		}
	}
}

// TestWildcards: a fragment may have one in an authoritative zone alone, where all is decided.
func TestWildcards(t *testing.T) {
	for _, overlaid := range []bool{false, true} {
		s, want := newServer(t, ""), "0:*.x a:*.x b:*.x b:*.y c:*.x"
		if !overlaid {
			s.authoritative()
			want = "0:*.x b:*.x b:*.y"
		}
		s.fragments.Apply([]change.Edit{put("0", 0, "alias *.x self*"), put("a", 1, "host *.x 192.0.2.1 {\nopen\n}"), put("b", 2, "alias *.x h\nmail *.y 10 h\nhost h 192.0.2.2"), put("c", 3, "host *.x 192.0.2.3")})
		if s.all(); s.excluded() != want {
			t.Errorf("overlaid %v: excluded %q, want %q", overlaid, s.excluded(), want)
		}
	}
}

// TestReverse: hosts share the name of an address, and one that is excluded has none.
func TestReverse(t *testing.T) {
	all := definition.Zones{"example.org.", "2.0.192.in-addr.arpa."}
	const ptr = "1.2.0.192.in-addr.arpa."
	f := change.NewFragments(all)
	a := New(f, nil, lint.Options{Zones: all})
	stores := []change.Store{change.Static(new(definition.Set)), f}
	for _, step := range []struct {
		edit change.Edit
		want string
	}{
		{put("a", 1, "host h 192.0.2.1"), "h"}, {put("b", 2, "host i 192.0.2.1"), "h i"}, {put("c", 3, "host h 192.0.2.9\nmail h 10 i"), "h i"},
		{put("0", 0, "mail h none"), "i"}, {gone("0"), "h i"}, {gone("b"), "h"},
	} {
		changed, _ := f.Apply([]change.Edit{step.edit})
		part, ok := a.Part(stores, changed)
		served, _ := f.Declaring(definition.Names{ptr: true})
		var hosts []string
		for _, r := range served.Records {
			hosts = append(hosts, r.Host().Labels()[0])
		}
		if got := strings.Join(hosts, " "); got != step.want || !ok || step.edit.Key != "c" && !part.Concerned[ptr] {
			t.Errorf("after %v: %q, want %q, concerned %v", step.edit, got, step.want, part.Concerned)
		}
	}
}

// TestContendersWrong: where many old ones are wrong, the oldest that is right is found behind them.
func TestContendersWrong(t *testing.T) {
	s := newServer(t, "")
	var edits []change.Edit
	for i := range 100 {
		edits = append(edits, put(fmt.Sprint("wrong", i), int64(i), "alias x x"))
	}
	s.apply(append(edits, put("owner", 100, "host x 192.0.2.1"), put("next", 200, "host x 192.0.2.1"))...)
	s.apply(gone("owner"), put("last", 300, "host x 192.0.2.1"))
	if got := s.excluded(); !strings.HasSuffix(got, "wrong99:x last:x") {
		t.Errorf("excluded %q", got)
	}
}

// oldest returns the oldest fragment that declares a name.
func (s *server) oldest(name definition.Name) *change.Fragment {
	for f := range s.fragments.All() {
		if own, _ := s.fragments.Read(f); own.Owners()[name] {
			return f
		}
	}
	return nil
}

// TestPointedAt: once a file does not point to a name any more, a fragment may make an alias of it, and the other way round.
func TestPointedAt(t *testing.T) {
	s := newServer(t, "")
	s.apply(put("a", 1, "alias q h"), put("b", 2, "host q 192.0.2.1"), put("c", 3, "mail m 10 q"))
	for _, step := range []struct{ file, excluded string }{
		{"", "b:q c:m"}, {"mail n 10 q", "a:q"}, {"mail n 10 r", "b:q c:m"}, {"alias n q", "a:q"}, {"", "b:q c:m"},
	} {
		changed, ok := s.file.Change(step.file)
		if s.part(changed); !ok || s.excluded() != step.excluded {
			t.Errorf("with %q excluded %q, want %q", step.file, s.excluded(), step.excluded)
		}
	}
	if s.all(); len(s.pointed) > 0 || s.excluded() != "b:q c:m" {
		t.Errorf("excluded %q, because of %v", s.excluded(), s.pointed)
	}
}

// TestCost: what a change costs does not depend on how many fragments there are that point to each other, or declare the
// same names.
func TestCost(t *testing.T) {
	for _, tc := range []struct{ name, format string }{
		{"a chain", "alias c%d c%d"},
		{"neighbours", "host n%d 192.0.2.1\nhost n%d 192.0.2.1"},
		{"all of them", "host x 192.0.2.1\nhost h%d 192.0.2.1\nmail m%d none"},
	} {
		cost := func(n int) float64 {
			s := newServer(t, "")
			var edits []change.Edit
			for i := range n {
				edits = append(edits, put(fmt.Sprint(i), int64(i), fmt.Sprintf(tc.format, i, i+1)))
			}
			s.fragments.Apply(edits)
			s.all()
			return testing.AllocsPerRun(2, func() { // the oldest goes, and comes back
				s.apply(gone("0"))
				s.apply(put("0", 0, edits[0].Text))
			})
		}
		if few, many := cost(200), cost(2000); many > 2*few {
			t.Errorf("%s: %v allocations with 200 fragments, %v with 2000", tc.name, few, many)
		}
	}
}

// TestKeys: whatever a key holds, its fragment is found by its positions, and makes one line in a log.
func TestKeys(t *testing.T) {
	for _, key := range []string{"/mxsrv/a b", "/a\n[ERROR] b", "\x1b[2J", `"`, `a"b`, `\`, "\xff", "é", "\ufffd", ""} {
		s := newServer(t, "host x 192.0.2.1", change.Allowance{Key: key, Names: []definition.Name{"x.example.org.", "m_x.example.org."}})
		s.fragments.Apply([]change.Edit{put(key, 1, "mail m_x 10 h\nhost x 192.0.2.2\nhost y 192.0.2.2")})
		s.all()
		for _, d := range s.Decisions() {
			if why := d.Finding(); strings.ContainsAny(why.String(), "\n\x1b") {
				t.Errorf("key %q: %q", key, why)
			}
		}
		if got := len(s.Decisions()); got != 3 {
			t.Errorf("key %q: %d excluded", key, got)
		}
	}
}
