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

const (
	seeds = 12
	edits = 60
)

// TestProperties: however fragments and a file change, the decision is that of a server that starts now, and of one that
// got the fragments in another order; no error of a fragment is left; and what is served of a name changes only if
// something is declared otherwise of it, or of what it points to.
func TestProperties(t *testing.T) {
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := writer{rand.New(rand.NewPCG(seed, 1))}
			s := w.server(t)
			excluded := 0
			for step := range edits {
				before := s.served()
				part, touched := w.change(s, step)
				after := s.served()
				for name := range differing(before, after) {
					if !part.Concerned[name] {
						t.Fatalf("step %d: %s is served otherwise, and not concerned", step, name)
					}
					if !touched[name] {
						t.Fatalf("step %d: %s is served otherwise, although what changed, %v, is nothing to it", step, name, touched)
					}
				}
				s.checkSame(w, step)
				_, out := s.fragments.Len()
				excluded += out
			}
			if excluded < edits {
				t.Errorf("only %d were excluded", excluded)
			}
		})
	}
}

// checkSame compares the decision with those of two servers that come to know the same otherwise.
func (s *server) checkSame(w writer, step int) {
	s.t.Helper()
	var all []change.Edit
	for f := range s.fragments.All() {
		all = append(all, change.Edit{Fragment: *f})
	}
	w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	fresh, other := s.again(), s.again()
	fresh.fragments.Apply(all)
	index := fresh.all()
	other.all()
	for batch := range slices.Chunk(all, 3) {
		other.apply(batch...)
	}
	if got, want := s.excluded(), fresh.excluded(); got != want {
		s.t.Fatalf("step %d: excluded %q, from nothing %q, of\n%v\n%s", step, got, want, all, s.file.Text())
	}
	if got, want := other.excluded(), fresh.excluded(); got != want {
		s.t.Fatalf("step %d: in another order excluded %q, want %q, of\n%v\n%s", step, got, want, all, s.file.Text())
	}
	for _, f := range lint.Check(index, nil, s.lint()) {
		if f.Rule.Severity == lint.Error && s.fragments.Of(f.Pos.Source) != nil {
			s.t.Fatalf("step %d: %v is left, of\n%v\n%s", step, f, all, s.file.Text())
		}
	}
}

// lint returns the options with which a publisher checks what is served.
func (s *server) lint() lint.Options {
	return lint.Options{Zones: zones, OptionalTargets: true,
		Fragment: func(source string) bool { return s.fragments.Of(source) != nil }}
}

// again returns a server with the same Corefile and file, and no fragments.
func (s *server) again() *server {
	f := change.NewFragments(zones)
	again := &server{New(f, s.allow, lint.Options{Zones: zones}), s.base,
		change.NewDocument("file", s.file.Text(), definition.NewReader(zones)), s.t}
	again.all()
	return again
}

// served returns what is served of each name.
func (s *server) served() map[definition.Name]string {
	set, _ := change.Declaring(s.stores(), s.names())
	all := make(map[definition.Name]string)
	for o := range set.Index().Owners() {
		all[o.Name()] = fmt.Sprint(o.Addrs(), len(o.Mails()), len(o.Services()), len(o.Aliases()), len(o.Records()))
		all[o.Name()] += fmt.Sprint(o.HostOrder()) + fmt.Sprint(o.MailOrder()) + fmt.Sprint(o.ServiceOrder())
		for _, e := range o.Exchanges() {
			all[o.Name()] += fmt.Sprint(e.Preference, e.Host)
		}
		for _, v := range o.Targets() {
			all[o.Name()] += fmt.Sprint(v.Priority, v.Port, v.Host)
		}
		for _, a := range o.Aliases() {
			all[o.Name()] += string(a.Host)
		}
	}
	return all
}

// names returns all that are declared.
func (s *server) names() definition.Names {
	set := definition.Merge(s.base)
	s.file.Read(set)
	s.fragments.ReadAll(set)
	return change.WithSMTP(set.Owners())
}

// unfiltered returns what is declared, excluded or not.
func (s *server) unfiltered() *definition.Set {
	set := definition.Merge(s.base)
	s.file.Read(set)
	for f := range s.fragments.All() {
		own, _ := s.fragments.Read(f)
		set.Add(own)
	}
	return set
}

// pointing returns names, and those that are declared so that they point to one of them; and those that they point to
// in the Corefile and the file.
func (s *server) pointing(names definition.Names) definition.Names {
	all := definition.Names{}
	set := s.unfiltered()
	for h, target := range set.Pointers {
		if names[h.Owner] && s.fragments.Of(h.Source) == nil {
			all[target] = true
		}
	}
	all.Add(names)
	return change.WithSMTP(change.WithSMTP(withPointing(set, all)))
}

func withPointing(set *definition.Set, names definition.Names) definition.Names {
	all := definition.Names{}
	all.Add(names)
	all.Add(set.Pointing(names).Owners())
	return all
}

func differing(a, b map[definition.Name]string) definition.Names {
	names := definition.Names{}
	for _, one := range []map[definition.Name]string{a, b} {
		for name := range one {
			if a[name] != b[name] {
				names[name] = true
			}
		}
	}
	return names
}

// A writer writes fragments and files about few names, so that they meet.
type writer struct{ *rand.Rand }

func (w writer) server(t *testing.T) *server {
	var allow []change.Allowance
	if w.IntN(3) == 0 {
		allow = []change.Allowance{{Key: "", Names: []definition.Name{"a.example.org.", "b.example.org.", "d.example.org."}},
			{Key: "0/", Names: []definition.Name{"example.org."}}}
	}
	s := newServer(t, "host fixed 192.0.2.1\nalias also fixed\nhost e 192.0.2.1 {\nopen\n}\nalias www f\nmail own {\n10 g\nsrv\n}", allow...)
	if w.IntN(2) == 0 {
		s.authoritative("c.example.org.")
	}
	return s
}

// change edits some fragments, or the file, and returns what that concerns, and the names whose service it may change.
func (w writer) change(s *server, step int) (change.Part, definition.Names) {
	if w.IntN(5) == 0 {
		return w.rewrite(s)
	}
	var batch []change.Edit
	for n := range 1 + w.IntN(3) {
		e := put(fmt.Sprint(n, "/", w.IntN(12)), int64(w.IntN(step+1)), w.text())
		e.Gone = w.IntN(4) == 0
		batch = append(batch, e)
	}
	before := s.unfiltered()
	changed, _ := s.fragments.Apply(batch)
	touched := withPointing(before, changed)
	touched.Add(withPointing(s.unfiltered(), change.WithSMTP(changed)))
	return s.part(changed), change.WithSMTP(touched)
}

// rewrite changes the file.
func (w writer) rewrite(s *server) (change.Part, definition.Names) {
	var lines []string
	for range w.IntN(4) {
		lines = append(lines, w.line())
	}
	was := s.unfiltered()
	old := s.again()
	changed, ok := s.file.Change(strings.Join(lines, "\n"))
	if !ok {
		s.t.Fatalf("the file is not read in part: %q", lines)
	}
	touched := old.pointing(changed)
	touched.Add(withPointing(was, touched))
	touched.Add(s.pointing(changed))
	return s.part(changed), change.WithSMTP(touched)
}

func (w writer) text() string {
	switch w.IntN(15) {
	case 0:
		return "hots a 192.0.2.1"
	case 1:
		return []string{"ttl 600\n", "order fixed\n"}[w.IntN(2)] + w.line()
	case 2, 3, 4, 5, 6:
		return w.line() + "\n" + w.line()
	}
	return w.line()
}

// line returns a statement.
func (w writer) line() string {
	name := func() string { return string('a' + rune(w.IntN(7))) }
	block := []string{"", "", "", " {\nttl 60\n}", " {\nttl 90\n}"}[w.IntN(5)]
	own := []string{block, block, block, " {\norder fixed\n}", " {\norder weighted\n}"}[w.IntN(5)]
	switch w.IntN(18) {
	case 0, 1, 2:
		return fmt.Sprintf("host %s 192.0.2.%d%s", name(), 1+w.IntN(9), own)
	case 3:
		return fmt.Sprintf("host %s 192.0.2.%d {\nopen\n}", name(), 1+w.IntN(9))
	case 4, 5:
		return "alias " + name() + " " + name() + block
	case 6:
		return "mail " + name() + " " + name() + " 10 " + name() + own
	case 7:
		return "mail " + name() + " {\n10 " + name() + "\nsrv\n}"
	case 8:
		return "mail " + name() + " none" + own
	case 9:
		return "mail " + name() + " {\nnone\nsrv\n}"
	case 10:
		return "alias _smtp._tcp." + name() + " " + name()
	case 11:
		return "service _smtp._tcp." + name() + " none"
	case 13:
		return "record " + name() + " TXT x" + block
	case 16:
		return "record " + name() + ` TXT "v=spf1 a a a a a a a a a include:` + name() + `.example.org -all"`
	case 17:
		return "record " + name() + ` TXT "v=spf1 mx` + strings.Repeat(" a", w.IntN(13)) + ` -all"`
	case 14:
		return "record " + name() + " HTTPS 1 " + name() + block
	case 12:
		return "service _smtp._tcp." + name() + " 0 0 1 " + name() + own
	default:
		return "service _" + string('a'+rune(w.IntN(2))) + "._tcp 0 0 1 " + name() + own
	}
}
