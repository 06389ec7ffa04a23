package admit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

var zones = definition.Zones{"example.org."}

// A store is what a server knows: a Corefile, fragments, and which are served.
type store struct {
	*Admission
	base   *definition.Set
	stores []change.Store
}

func newStore(t *testing.T, corefile string) *store {
	t.Helper()
	base, errs := definition.Read("Corefile", corefile, zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return storeOf(base)
}

func storeOf(base *definition.Set) *store {
	f := change.NewFragments(zones)
	return &store{New(f, lint.Options{Zones: zones}), base, []change.Store{change.Static(base), f}}
}

// authoritative makes the zone an authoritative one.
func authoritative(base *definition.Set) {
	base.Apexes = []definition.Apex{{Pos: definition.Pos{Source: "Corefile", Line: 1}, Zone: "example.org.",
		Servers: []definition.NameServer{{Pos: definition.Pos{Source: "Corefile", Line: 1}, Host: "ns.example.net."}}}}
}

// all decides about everything, and returns how often that was read.
func (s *store) all() (reads int) {
	s.All(s.stores, func() (*definition.Index, definition.Errors) {
		reads++
		set := definition.Merge(s.base)
		s.fragments.ReadAll(set)
		return set.Index(), nil
	})
	return reads
}

// apply applies edits, and decides about what they concern.
func (s *store) apply(t *testing.T, edits []change.Edit) change.Part {
	t.Helper()
	changed, _ := s.fragments.Apply(edits)
	part, ok := s.Part(s.stores, changed)
	if !ok {
		t.Fatal("too much for a part")
	}
	return part
}

// declared returns what is declared of each name.
func (s *store) declared() map[definition.Name]string {
	set := definition.Merge(s.base)
	s.fragments.ReadAll(set)
	all := make(map[definition.Name]string)
	for _, h := range set.Hosts {
		all[h.Owner] += fmt.Sprint(h)
	}
	for _, m := range set.Mails {
		all[m.Owner] += fmt.Sprint(m)
	}
	for _, v := range set.Services {
		all[v.Owner] += fmt.Sprint(v)
	}
	for _, a := range set.Aliases {
		all[a.Owner] += fmt.Sprint(a)
	}
	return all
}

func put(key string, created int64, text string) change.Edit {
	return change.Edit{Fragment: change.Fragment{Key: key, Text: text, Created: created}}
}

// excluded lists what is excluded.
func (s *store) excluded() string {
	var keys []string
	for _, f := range s.fragments.Excluded() {
		keys = append(keys, f.Key)
	}
	return strings.Join(keys, " ")
}

// TestAdmission: which are excluded, after everything is judged at once, after each fragment
// has come on its own, from the oldest on and from the youngest on, and after some have
// gone.
func TestAdmission(t *testing.T) {
	for _, tc := range []struct {
		name          string
		corefile      string
		authoritative bool
		fragments     string // by ";", named a, b, c, ... from the oldest on
		excluded      string
		gone          string
		after         string // excluded without those that are gone
	}{
		{"all are right", "", false,
			"host h 192.0.2.1; service _ldap._tcp 0 6 389 h; service _ldap._tcp 0 4 389 h", "", "a", ""},
		{"one does not read", "", false,
			"host h 192.0.2.1; hots g 192.0.2.1; host g 192.0.2.1", "b", "a", "b"},
		{"one breaks a rule alone", "", false,
			"host h 192.0.2.1; mail m_x 10 h; alias x y\nhost x 192.0.2.1", "b c", "b", "c"},
		{"the younger one yields", "", false,
			"host h 192.0.2.1; alias h g; host g 192.0.2.2", "b", "a", ""},
		{"to the Corefile too", "alias h g", false,
			"host h 192.0.2.1; host g 192.0.2.2", "a", "b", "a"},
		{"a star around the oldest", "", false,
			"alias h g; host h 192.0.2.1; mail h 10 g; service _x._tcp 0 0 1 h; alias h x", "b c d e", "a", "e"},
		{"one that goes makes room", "", false,
			"alias a x; mail b 10 a\nhost m 192.0.2.1; alias m x; mail d 10 m", "b d", "a", "c"},
		{"a loop", "", false, "alias a b; alias b c; alias c a", "b c", "a", ""},
		{"ttls", "", false,
			"host h 192.0.2.1; host h 192.0.2.2 {\nttl 60\n}; host h 192.0.2.3 {\nttl 30\n}; host h 192.0.2.4", "c", "b", ""},
		{"null", "", false, "mail m none; mail m 10 h; mail m 20 h; mail m none", "b c", "a", "d"},
		{"dot", "", false, "service _x._tcp 0 0 1 h; service _x._tcp none; service _x._tcp 0 0 2 h", "b", "a", "c"},
		{"alone and with others in one line", "", false,
			"alias a b c @ h; host a 192.0.2.1; host b 192.0.2.1; host c 192.0.2.1", "a", "a", ""},
		{"with others and alone in one line", "", false,
			"alias @ a b c h; host a 192.0.2.1; host b 192.0.2.1; host c 192.0.2.1", "a", "a", ""},
		{"a target that nobody declares", "", true,
			"service _x._tcp 0 0 1 h; host h 192.0.2.1", "", "b", "a"},
		{"one after the other", "", true,
			"host a 192.0.2.1\nmail a 10 b; host b 192.0.2.1\nmail b 10 c; host c 192.0.2.1", "", "c", "a b"},
		{"the Corefile may wait for a host", "mail @ 10 h", true, "host h 192.0.2.1", "", "a", ""},
		{"overlaid, another plugin may have it", "", false, "service _x._tcp 0 0 1 h", "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var edits []change.Edit
			for i, text := range strings.Split(tc.fragments, ";") {
				edits = append(edits, put(string('a'+rune(i)), int64(i+1), strings.TrimSpace(text)))
			}
			var gone []change.Edit
			for _, key := range strings.Fields(tc.gone) {
				gone = append(gone, change.Edit{Fragment: change.Fragment{Key: key}, Gone: true})
			}
			fresh := func() *store {
				s := newStore(t, tc.corefile)
				if tc.authoritative {
					authoritative(s.base)
				}
				return s
			}
			check := func(how string, s *store) {
				t.Helper()
				if got := s.excluded(); got != tc.excluded {
					t.Errorf("%s: excluded %q, want %q", how, got, tc.excluded)
				}
				s.apply(t, gone)
				if got := s.excluded(); got != tc.after {
					t.Errorf("%s, then without %s: excluded %q, want %q", how, tc.gone, got, tc.after)
				}
			}
			s := fresh()
			s.fragments.Apply(edits)
			s.all()
			check("at once", s)
			one := func(how string) {
				s := fresh()
				for i := range edits {
					s.apply(t, edits[i:i+1])
				}
				check(how, s)
			}
			one("one by one")
			slices.Reverse(edits)
			one("backwards")
		})
	}
}

// TestManyClashes: two thousand aliases of one name and as many lines that point to it
// are as many contradictions, not the product: one key may hold them.
func TestManyClashes(t *testing.T) {
	const lines = 2000
	var text strings.Builder
	for i := range lines {
		fmt.Fprintf(&text, "alias x h%d\nmail m%d 10 x\n", i, i)
	}
	s := newStore(t, "")
	s.fragments.Apply([]change.Edit{put("a", 1, text.String())})
	set := definition.Merge(s.base)
	s.fragments.ReadAll(set)
	clashes := 0
	for _, f := range lint.Errors(set.Index(), nil, s.opt) {
		clashes += len(f.Clashes)
	}
	if clashes < lines || clashes > 5*lines {
		t.Errorf("%d clashes of %d lines", clashes, 2*lines)
	}
	if s.all(); s.excluded() != "a" {
		t.Errorf("excluded %q", s.excluded())
	}
}

// TestProduct: a line of names and hosts is a mistake if it makes too many records of
// them.
func TestProduct(t *testing.T) {
	line := func(names int) string {
		return "mail" + numbered(" d", names) + " 10" + numbered(" h", 500)
	}
	s := newStore(t, "")
	_, errs := s.fragments.Apply([]change.Edit{put("few", 1, line(200)), put("many", 2, line(201))})
	if len(errs) != 1 || errs[0].Source != "etcd:many" || errs[0].ID != definition.ValueOutOfRange {
		t.Fatalf("mistakes %v", errs)
	}
	if got := s.excluded(); got != "many" {
		t.Errorf("excluded %q", got)
	}
}

// TestKeys: whatever a key holds, its fragment is found by its positions, and makes one
// line in a log.
func TestKeys(t *testing.T) {
	for _, key := range []string{"/mxsrv/a b", "/a\n[ERROR] b", "\x1b[2J", `"`, `a"b`, `\`, "\xff", "é", "\ufffd", ""} {
		s := newStore(t, "")
		s.fragments.Apply([]change.Edit{put(key, 1, "mail m_x 10 h")})
		s.all()
		for _, f := range s.fragments.Excluded() {
			if why, ok := s.Why(f); !ok || strings.ContainsAny(why.String(), "\n\x1b") {
				t.Errorf("key %q: %q", key, why)
			}
		}
		if got := len(s.fragments.Excluded()); got != 1 {
			t.Errorf("key %q: %d excluded", key, got)
		}
	}
}

// numbered returns n words.
func numbered(word string, n int) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprint(&all, word, i)
	}
	return all.String()
}

// TestPartIsAll: however fragments come and go, those are excluded that would be if
// all were looked at anew.
func TestPartIsAll(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			s := newStore(t, "host fixed 192.0.2.1\nalias also fixed")
			if seed%2 == 1 {
				authoritative(s.base)
			}
			left := 0
			for step := range 100 {
				var edits []change.Edit
				for key := range 1 + r.IntN(3) {
					e := put(fmt.Sprint(key, r.IntN(12)), int64(r.IntN(step+1)), text(r))
					e.Gone = r.IntN(4) == 0
					edits = append(edits, e)
				}
				before := s.declared()
				part := s.apply(t, edits)
				after := s.declared()
				for _, one := range []map[definition.Name]string{before, after} {
					for name := range one {
						if before[name] != after[name] && !part.Concerned[name] {
							t.Fatalf("step %d: %s is declared otherwise, and not concerned", step, name)
						}
					}
				}
				want := storeOf(s.base)
				want.fragments.Apply(s.edits())
				want.all()
				if got, want := s.excluded(), want.excluded(); got != want {
					t.Fatalf("step %d: excluded %q, want %q, of\n%v", step, got, want, s.edits())
				}
				_, out := s.fragments.Len()
				left += out
			}
			if left == 0 {
				t.Error("none was ever excluded")
			}
		})
	}
}

// edits returns what would make the same fragments, shuffled by a map.
func (s *store) edits() []change.Edit {
	var edits []change.Edit
	for f := range s.fragments.All() {
		edits = append(edits, change.Edit{Fragment: *f})
	}
	return edits
}

// text returns a fragment of some lines about few names.
func text(r *rand.Rand) string {
	name := func() string { return string('a' + rune(r.IntN(7))) }
	var lines []string
	for range 1 + r.IntN(2) {
		ttl := ""
		if r.IntN(5) == 0 {
			ttl = fmt.Sprintf(" {\nttl %d\n}", 60+r.IntN(2))
		}
		switch r.IntN(12) {
		case 11:
			lines = append(lines, "record "+name()+" TXT "+name()+ttl)
		case 10:
			lines = append(lines, "ttl 600")
		case 0, 1, 2, 3:
			lines = append(lines, fmt.Sprintf("host %s 192.0.2.%d%s", name(), 1+r.IntN(9), ttl))
		case 4, 5:
			lines = append(lines, "alias "+name()+" "+name()+ttl)
		case 6, 7:
			lines = append(lines, "mail "+name()+" 10 "+name()+ttl)
		case 8:
			lines = append(lines, "mail "+name()+" none"+ttl)
		case 9:
			lines = append(lines, "service _"+name()+"._tcp 0 0 1 "+name()+ttl)
		}
	}
	return strings.Join(lines, "\n")
}

// TestChain: a chain that would take as many rounds as it has fragments, more than there
// may be, comes to an end, and no error is left.
func TestChain(t *testing.T) {
	for _, link := range []string{"alias a%d a%d", "host a%[1]d 192.0.2.1\nmail a%[1]d 10 a%[2]d"} {
		t.Run(strings.Fields(link)[0], func(t *testing.T) {
			t.Parallel()
			s := newStore(t, "")
			authoritative(s.base)
			var edits []change.Edit
			for i := range 500 {
				edits = append(edits, put(fmt.Sprint(i), int64(i), fmt.Sprintf(link, i, i+1)))
			}
			s.fragments.Apply(edits)
			if reads := s.all(); reads > 1+2*(maxReads+1) {
				t.Errorf("all was read %d times", reads)
			}
			set := definition.Merge(s.base)
			s.fragments.ReadAll(set)
			opt := lint.Options{Zones: zones, RequireTargets: func(string) bool { return false }}
			if errs := lint.Errors(set.Index(), nil, opt); len(errs) > 0 {
				t.Errorf("%d errors are left, the first %v", len(errs), errs[0])
			}
			if all, out := s.fragments.Len(); out == 0 || out == all {
				t.Errorf("%d of %d are excluded", out, all)
			}
		})
	}
}

// TestDecisions: what a decision has changed, the oldest fragment first, and why.
func TestDecisions(t *testing.T) {
	s := newStore(t, "host h 192.0.2.1")
	decided := func() string {
		var all []string
		for _, d := range s.Decisions() {
			all = append(all, fmt.Sprintf("%s %v %s", d.Fragment.Key, d.Excluded, d.Why.Rule.ID))
		}
		return strings.Join(all, ", ")
	}
	gone := func(key string) change.Edit { return change.Edit{Fragment: change.Fragment{Key: key}, Gone: true} }
	for _, step := range []struct {
		edits []change.Edit
		want  string
	}{
		{[]change.Edit{put("b", 2, "alias h g"), put("a", 1, "mail m_x 10 h"), put("c", 3, "host x 192.0.2.1")},
			"a true name-invalid, b true alias-with-other-data"},
		{nil, ""},
		{[]change.Edit{put("a", 1, "mail a 10 h")}, ""}, // it is another fragment, which was never excluded
		{[]change.Edit{put("d", 4, "alias x g")}, "d true alias-with-other-data"},
		{[]change.Edit{gone("c")}, "d false "},
		{[]change.Edit{put("c", 5, "host x 192.0.2.1"), gone("b")}, "c true alias-with-other-data"},
	} {
		if s.apply(t, step.edits); decided() != step.want {
			t.Errorf("after %v: %q, want %q", step.edits, decided(), step.want)
		}
		if again := decided(); again != step.want {
			t.Errorf("asked again: %q", again)
		}
	}
	if len(s.why) != 1 || len(s.excludedFor) == 0 {
		t.Errorf("why %v, for %v: want what is about c", s.why, s.excludedFor)
	}
	s.fragments.Apply([]change.Edit{gone("c")})
	s.all()
	if s.Decisions(); len(s.why)+len(s.excludedFor) > 0 {
		t.Errorf("why %v, for %v of no fragments", s.why, s.excludedFor)
	}
}

// TestPartTooMuch: what is too much for a part, if only once fragments are readmitted for it,
// leaves what is excluded as it was, and all decides.
func TestPartTooMuch(t *testing.T) {
	s := newStore(t, "alias q g")
	edits := []change.Edit{put("a", 1, "host q 192.0.2.1\nhost x 192.0.2.1")}
	for i := range 2500 {
		edits = append(edits, put(fmt.Sprint("m", i), int64(i+3), fmt.Sprintf("mail d%d 10 x", i)))
	}
	s.fragments.Apply(edits)
	s.all()
	if got := s.excluded(); got != "a" {
		t.Fatalf("excluded %.100q", got)
	}
	changed, _ := s.fragments.Apply([]change.Edit{put("z", 9999, "mail z 10 q")})
	if _, ok := s.Part(s.stores, changed); ok {
		t.Fatal("it is not too much")
	}
	if got := s.excluded(); got != "a" || len(s.Decisions()) > 0 {
		t.Errorf("excluded %.100q, decided %v", got, s.Decisions())
	}
	if s.all(); s.excluded() != "a z" {
		t.Errorf("of all, excluded %.100q", s.excluded())
	}
	if !s.Of(s.fragments) || s.Of(nil) {
		t.Error("it is the admission of other fragments")
	}
}
