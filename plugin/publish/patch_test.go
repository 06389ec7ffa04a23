package publish

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// edited is a source of two texts that are edited.
type edited struct {
	reader *definition.Reader
	texts  [2]string
	next   chan [2]string
}

func (e *edited) String() string { return "edited" }

func (e *edited) Load() *change.Content { return e.content(e.texts) }

func (e *edited) Run(ctx context.Context, deliver func(*change.Content)) {
	for {
		select {
		case <-ctx.Done():
			return
		case texts := <-e.next:
			deliver(e.content(texts))
		}
	}
}

func (e *edited) content(texts [2]string) *change.Content {
	c := new(change.Content)
	for i, text := range texts {
		c.Documents = append(c.Documents, change.NewDocument(fmt.Sprint(i, ".conf"), text, e.reader))
	}
	return c
}

// publisherOf returns a publisher of texts beside a Corefile, which has loaded nothing yet.
func publisherOf(t *testing.T, corefile, server string, texts [2]string) (*Publisher, *recorder, *edited) {
	t.Helper()
	e := &edited{texts: texts, next: make(chan [2]string)}
	c := configOf(corefile, server, e)
	e.reader = definition.NewReader(c.Zones)
	p, log := newPublisher(t, c)
	return p, log, e
}

// A stage is a publisher of edited texts beside a Corefile. It needs a bubble of synctest.
type stage struct {
	corefile string
	*Publisher
	log    *recorder
	edited *edited
	before definition.Names // that had records at any time, and names around them
}

// newStage loads texts and follows their edits until the test ends, after some other plugins. It returns nil
// if the texts are rejected.
func newStage(t *testing.T, corefile string, texts [2]string, plugins ...string) *stage {
	t.Helper()
	s := &stage{corefile: corefile}
	s.Publisher, s.log, s.edited = publisherOf(t, corefile, "patched "+t.Name(), texts)
	if s.Load() != nil {
		return nil
	}
	if err := s.SetPlugins(lint.Plugins{Before: plugins}); err != nil {
		t.Fatal(err)
	}
	expect(t, "logged before it is followed", append(s.log.infos, s.log.warnings...))
	s.Follow()
	t.Cleanup(s.Stop)
	synctest.Wait()
	return s
}

// What becomes of an edit.
const (
	patched  = "patched"
	loadedAs = "loaded"
	rejected = "rejected"
)

// edit serves other texts, if these may be served: then all must be as if they
// had been loaded from nothing, and else as it was, with the same errors in the
// log. It returns which of the three it was.
func (s *stage) edit(t *testing.T, texts [2]string) string {
	t.Helper()
	last, hadFailed := s.Table(), s.Status().Failed
	*s.log = recorder{}
	s.edited.next <- texts
	synctest.Wait()
	fresh, _, _ := publisherOf(t, s.corefile, "fresh "+t.Name(), texts)
	if err := fresh.Load(); err != nil {
		if s.Table() != last || !s.Status().Failed {
			t.Fatalf("served in spite of\n%v", err)
		}
		want := strings.Split(err.Error(), "\n")
		slices.Sort(want)
		if got := s.log.findings(); !slices.Equal(got, want) {
			t.Fatalf("errors\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return rejected
	}
	if s.Status().Failed {
		t.Fatalf("rejected: %q", s.log.errors)
	}
	s.compare(t, fresh)
	if s.Table().Patched() == nil {
		return loadedAs
	}
	if hadFailed {
		t.Fatal("patched what is not served")
	}
	return patched
}

// compare compares what is served with what a full load serves.
func (s *stage) compare(t *testing.T, fresh *Publisher) {
	t.Helper()
	got, want := s.Table(), fresh.Table()
	owners := definition.Names{}
	for _, zone := range s.config.Zones {
		all := func(tbl *table.Table) (lines []string) {
			for rrset := range tbl.All(zone) {
				owners[definition.Name(rrset[0].Header().Name)] = true
				lines = append(lines, timeless(rrset)...)
			}
			return lines
		}
		if g, w := all(got), all(want); !slices.Equal(g, w) {
			t.Fatalf("zone %s:\n%s\nwant\n%s", zone, strings.Join(g, "\n"), strings.Join(w, "\n"))
		}
		if g, w := s.serials[zone].content, fresh.serials[zone].content; g != w {
			t.Fatalf("digest of %s: %v, want %v", zone, g, w)
		}
	}
	if len(owners) > 10000 { // to ask for all takes seconds
		some := slices.Sorted(maps.Keys(got.Patched()))
		owners = with(nil, some[:min(len(some), 100)]...)
	}
	for name := range owners {
		s.before = with(s.before, name, name.Parent(), name.Parent().Parent(), "x."+name, "_tcp."+name)
	}
	for name := range s.before {
		for _, qtype := range asked {
			s.newest(t, name, qtype)
			if g, w := answered(got, name, qtype), answered(want, name, qtype); g != w {
				t.Fatalf("%s %s:\n%s\nwant\n%s", name, dns.TypeToString[qtype], g, w)
			}
		}
	}
	if g, w := s.Status(), fresh.Status(); !maps.Equal(g.Names, w.Names) || g.Total != w.Total {
		t.Fatalf("%d names: %v\nwant %d: %v", g.Total, g.Names, w.Total, w.Names)
	}
}

// with adds names to others.
func with(to definition.Names, names ...definition.Name) definition.Names {
	if to == nil {
		to = definition.Names{}
	}
	for _, n := range names {
		to[n] = true
	}
	return to
}

var asked = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeSRV, dns.TypeCNAME, dns.TypeTXT, dns.TypePTR, dns.TypeANY,
	dns.TypeSOA, dns.TypeNS, dns.TypeDS}

// answered writes all that a table says to a question.
func answered(tbl *table.Table, name definition.Name, qtype uint16) string {
	match, a := tbl.Lookup(string(name), qtype)
	all := fmt.Sprintln(match, a.Rcode, a.Len, timeless(a.RRs), timeless(a.Ns), timeless(a.Glue))
	if qtype != dns.TypeDS {
		return all
	}
	denial, types := tbl.Denial(string(name), qtype), tbl.Types(string(name))
	slices.Sort(types)
	return fmt.Sprintln(all, denial.Rcode, denial.Len, timeless(denial.Ns), timeless(tbl.AuthoritativeSOA(string(name))), types)
}

// timeless writes records without serials, which never fall and so depend on what
// was before.
func timeless(rrs []dns.RR) []string {
	lines := make([]string, len(rrs))
	for i, rr := range rrs {
		if soa, ok := rr.(*dns.SOA); ok {
			rr = dns.Copy(soa)
			rr.(*dns.SOA).Serial = 0
		}
		lines[i] = rr.String()
	}
	return lines
}

// newest checks that all SOA records of an answer have the serial of their zone.
func (s *stage) newest(t *testing.T, name definition.Name, qtype uint16) {
	t.Helper()
	_, a := s.Table().Lookup(string(name), qtype)
	for _, rr := range slices.Concat(a.RRs, a.Ns, s.Table().AuthoritativeSOA(string(name))) {
		soa, ok := rr.(*dns.SOA)
		last, authoritative := s.serials[definition.Name(rr.Header().Name)]
		if ok && authoritative && soa.Serial != last.serial {
			t.Fatalf("%s %s: serial %d, want %d", name, dns.TypeToString[qtype], soa.Serial, last.serial)
		}
	}
}

// TestPatch: whatever is edited, what is served and what is rejected is the same as
// if all had been loaded from nothing.
func TestPatch(t *testing.T) {
	for _, tc := range []struct{ name, corefile string }{
		{"one zone", "mxsrv example.org {\n}"},
		{"definitions in the Corefile", "mxsrv example.org {\n host h1 192.0.2.200\n mail d1 d2 10 h2\n alias w1 h3\n}"},
		{"zones, one in another", "mxsrv example.org d1.example.org example.com {\n}"},
		{"authoritative", "mxsrv example.org {\n authoritative {\n ns h1 ns.example.net.\n }\n host h1 192.0.2.1\n host h2 192.0.2.2\n}"},
		{"authoritative, one in another", "mxsrv d1.example.org example.org {\n authoritative {\n ns ns\n ttl 60\n }\n host ns 192.0.2.1\n}"},
		{"the root", "mxsrv . {\n}"},
		{"reverse zones", "mxsrv example.org 2.0.192.in-addr.arpa 0/30.2.0.192.in-addr.arpa {\n}\nmxsrv ip6.arpa {\n}"},
		{"reverse zones, authoritative", "mxsrv 2.0.192.in-addr.arpa example.org ip6.arpa {\n authoritative {\n ns h1 ns.example.net.\n }\n host h1 192.0.2.1\n host h2 192.0.2.2 2001:db8::2\n}"},
		{"the root, authoritative", "mxsrv . {\n authoritative {\n ns ns1.example.net.\n }\n fallthrough net\n}"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			steps := map[string]int{}
			for seed := range uint64(seeds) {
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { play(t, tc.corefile, seed, steps) })
				})
			}
			t.Log(steps)
			if all := seeds * edits; steps[patched] < all/3 || steps[rejected] < all/20 {
				t.Errorf("of %d edits %v: too few show anything", all, steps)
			}
		})
	}
}

const (
	seeds = 12 // runs of TestPatch
	edits = 60 // of each
)

// play edits texts at random. What is rejected is mostly taken back.
func play(t *testing.T, corefile string, seed uint64, steps map[string]int) {
	w := writer{rand.New(rand.NewPCG(seed, 1))}
	s := newStage(t, corefile, [2]string{"# nothing\n", "# nothing\n"})
	if s == nil {
		t.Fatal("rejected at the start")
	}
	good := s.edited.texts
	from, texts := good, good
	defer func() {
		if t.Failed() {
			t.Logf("%q\nthen\n%q", good, texts)
		}
	}()
	for range edits {
		texts = from
		for range 1 + w.IntN(2) {
			i := w.IntN(2)
			texts[i] = w.edited(texts[i])
		}
		fresh, _, _ := publisherOf(t, corefile, "tried "+t.Name(), texts)
		if fresh.Load() != nil && w.IntN(4) > 0 {
			steps["skipped"]++ // or most would be rejected, and few patches follow another
			continue
		}
		became := s.edit(t, texts)
		steps[became]++
		if became != rejected {
			good, from = texts, texts
			continue
		}
		if from = texts; w.IntN(4) > 0 {
			s.edit(t, good)
			from = good
		}
	}
}

// A writer writes definitions that concern each other.
type writer struct{ *rand.Rand }

func (w writer) of(words ...string) string { return words[w.IntN(len(words))] }

func (w writer) number(n int) int { return 1 + w.IntN(n) }

// host is mostly the name of a host.
func (w writer) host() string {
	switch w.IntN(30) {
	case 0:
		return w.owner()
	case 1:
		return w.of("mx.example.net.", "far.h1", "w1", "_smtp._tcp.d1", "d2.example.com.")
	}
	return w.of("h", "H", "h") + fmt.Sprint(w.number(6)) + w.of("", "", "", ".d1", ".x.y.d2", ".example.org.")
}

func (w writer) domain() string {
	return w.of("d", "D") + fmt.Sprint(w.number(5)) + w.of("", "", ".x.y", ".d2")
}

func (w writer) owner() string {
	switch w.IntN(6) {
	case 0:
		return w.host()
	case 1:
		return "w" + fmt.Sprint(w.number(5))
	case 2:
		return w.of("@", `"d3"`, "d3.example.org.", "a.b.c.d.example.org.")
	}
	return w.domain()
}

// stanza writes one.
func (w writer) stanza() string {
	ttl := w.of("", "", "", "", "", "", "", " {\n ttl 60\n}", " { ttl 60 }", "\n{\n ttl 60 # so\n}")
	switch w.IntN(9) {
	case 0, 1:
		return fmt.Sprintf("host %s %s%s", w.host(), w.of("192.0.2.1", "192.0.2.2 2001:db8::1", "2001:db8::2", "198.51.100.7"), w.of(ttl, ttl, " {\n ptr\n}"))
	case 2, 3:
		return fmt.Sprintf("mail %s %s 10 %s%s", w.domain(), w.domain(), w.host(), ttl)
	case 4:
		return fmt.Sprintf("mail %s {\n 10 %s %s\n 20 %s\n%s\n}", w.owner(), w.host(), w.host(), w.host(), w.of("srv", "", "ttl 60", "srv"))
	case 5:
		return fmt.Sprintf("service %s.%s %d 0 25 %s", w.of("_ldap._tcp", "_smtp._tcp", "_a._udp"), w.domain(), w.number(2), w.host())
	case 7:
		if w.IntN(8) == 0 {
			return fmt.Sprintf("record %s NS %s", w.domain(), w.host())
		}
		return fmt.Sprintf("record %s %s%s", w.owner(), w.of("TXT \"a b\"", "TXT c", "HTTPS 1 "+w.host(), "CAA 0 issue x"), ttl)
	case 6:
		if w.IntN(5) == 0 {
			return w.of("record 1.2.0.192.in-addr.arpa. PTR ", "alias 2.2.0.192.in-addr.arpa. ", "record 1.2.0.192.in-addr.arpa. TXT ", "record 2.2.0.192.in-addr.arpa. NS ") + w.host()
		}
		return fmt.Sprintf("alias w%d %s%s", w.number(5), w.of(w.host(), w.domain(), "@", "_smtp._tcp."+w.domain()), ttl)
	}
	return fmt.Sprintf("%s none", w.of("mail "+w.domain(), "service _gopher._tcp."+w.domain(), "service _smtp._tcp."+w.domain()))
}

// edited edits a text: mostly by whole stanzas, and else as people do who are not
// done yet.
func (w writer) edited(text string) string {
	lines := strings.SplitAfter(text, "\n")
	at := w.IntN(len(lines))
	if w.IntN(4) > 0 && at > 0 { // where a stanza may begin
		for at < len(lines)-1 && lines[at] != "" && strings.Contains(" {}#", lines[at][:1]) {
			at++
		}
	}
	switch w.IntN(12) {
	default:
		return strings.Join(slices.Insert(lines, at, w.stanza()+w.of("\n", "\n", "\n", "\n", " ")), "")
	case 0, 1, 2, 3:
		to := at
		for to < len(lines)-1 && (to == at || lines[to] != "" && strings.Contains(" {}#", lines[to][:1])) {
			to++
		}
		return strings.Join(slices.Delete(lines, at, to), "")
	case 4:
		return strings.Join(slices.Insert(lines, at, lines[w.IntN(len(lines))]), "")
	case 5:
		return strings.Join(slices.Insert(lines, at, w.of("ttl 300", "# so\n", "{\n", "}\n", "}", "\"", " ttl 60\n", "\n\n", " srv\n", "10 h2\n", "\\", "\ufeff")), "")
	case 6:
		i := w.IntN(len(text) + 1)
		return text[:i] + w.of("1", "h", "\n", " ", "#", "none", "2") + text[min(i+w.IntN(2), len(text)):]
	}
}

// TestPatchOf: small changes are patched, and what looks like one and is none is
// not.
func TestPatchOf(t *testing.T) {
	const hosts = "host a 192.0.2.1\nhost b 192.0.2.2\nhost c 192.0.2.3\n"
	var lines strings.Builder
	for i := range 16000 {
		fmt.Fprintf(&lines, "host m%d 192.0.2.%d\n", i, i%100)
	}
	many := lines.String()
	moved := func(from, to int) string { // the hosts from one number to another have other addresses
		all := strings.SplitAfter(many, "\n")
		for i := from; i < to; i++ {
			all[i] = strings.Replace(all[i], "192.0.2.", "203.0.113.", 1)
		}
		return strings.Join(all, "")
	}
	var steps []string
	for i := range 9 {
		steps = append(steps, moved(0, i*1500))
	}
	for _, tc := range []struct {
		name  string
		texts []string // one after another
		want  string   // what becomes of the last
	}{
		{"an address", []string{hosts, strings.Replace(hosts, "2.2", "2.9", 1)}, patched},
		{"the first line", []string{hosts, "# so\n" + hosts}, patched},
		{"the last line", []string{hosts, hosts + "host d 192.0.2.4"}, patched},
		{"nothing", []string{hosts + "#", hosts + "# so"}, patched},
		{"all lines", []string{hosts, "host d 192.0.2.1\n"}, patched},
		{"a block for the stanza before", []string{hosts, strings.Replace(hosts, "host b", "{\n ttl 5\n}\nhost b", 1)}, patched},
		{"a block after a comment", []string{hosts, strings.Replace(hosts, "host b", "# so\n\n{ ttl 5 }\nhost b", 1)}, patched},
		{"two stanzas on a line", []string{"host a 192.0.2.1 { ttl 5 } host b 192.0.2.2\n", "host a 192.0.2.1 { ttl 6 } host b 192.0.2.2\n"}, patched},
		{"a brace for nothing", []string{hosts, strings.Replace(hosts, "host a", "{ }\nhost a", 1)}, rejected},
		{"an open block", []string{hosts, strings.Replace(hosts, "\nhost b", " {\nhost b", 1)}, rejected},
		{"an open quote", []string{hosts, strings.Replace(hosts, "\nhost b", " \"\nhost b", 1)}, rejected},
		{"two lines that become one", []string{"host a 192.0.2.1\n   host b 192.0.2.2\n", "host a 192.0.2.1    host b 192.0.2.2\n"}, rejected},
		{"a block that kept two apart", []string{"host a 192.0.2.1 { } host b 192.0.2.2\n", "host a 192.0.2.1 host b 192.0.2.2\n"}, rejected},
		{"a quote in place of a brace", []string{"\"host\" a 192.0.2.1\n", "\"{\" a 192.0.2.1\n"}, rejected},
		{"a comment over the rest", []string{hosts, "# " + hosts}, patched},
		{"a default ttl", []string{hosts, "ttl 5\n" + hosts}, loadedAs},
		{"another default ttl", []string{"ttl 4\n" + hosts, "ttl 5\n" + hosts}, loadedAs},
		{"beside a default ttl", []string{"ttl 4\n" + hosts, "ttl 4\n" + hosts + "host d 192.0.2.4\n"}, patched},
		{"a mistake far below", []string{hosts, hosts + "hots d 192.0.2.4\n"}, rejected},
		{"an exchange becomes an alias", []string{hosts + "mail @ 10 d\n", hosts + "mail @ 10 d\nalias d a\n"}, rejected},
		{"an alias becomes one of an alias", []string{hosts + "host d 192.0.2.4\nalias w d\n", hosts + "alias d a\nalias w d\n"}, patched},
		{"the service of a mail domain gets a target", []string{"mail d {\n 10 a\n srv\n}\n" + hosts,
			"mail d {\n 10 a\n srv\n}\n" + hosts + "service _smtp._tcp.d 10 0 26 b\n"}, patched},
		{"what is an alias of such a service", []string{hosts + "mail d {\n 10 a\n srv\n}\nalias w _smtp._tcp.d\n",
			hosts + "mail d {\n 20 b\n srv\n}\nalias w _smtp._tcp.d\n"}, patched},
		{"an alias of the zone", []string{hosts + "mail @ 10 a\nalias w @\n", hosts + "mail @ 10 b\nalias w @\n"}, patched},
		{"the last name below another", []string{hosts + "host x.y.a 192.0.2.4\n", hosts}, patched},
		{"one of two names below another", []string{"host x.y 192.0.2.4\nhost z.y 192.0.2.5\n", "host x.y 192.0.2.4\n"}, patched},
		{"a name above another, then that", []string{"host y 192.0.2.4\n" + hosts + "host z.y 192.0.2.5\n", hosts + "host z.y 192.0.2.5\n", hosts}, patched},
		{"a name above another", []string{"host y 192.0.2.4\nhost z.y 192.0.2.5\n", "host z.y 192.0.2.5\n"}, patched},
		{"a mistake beside a change, corrected", []string{hosts, strings.Replace(hosts, "2.1", "2.9", 1) + "alias c a\n",
			strings.Replace(hosts, "2.1", "2.9", 1) + "alias d a\n"}, loadedAs},
		{"a date on top, and a line far below", []string{"# Monday\n" + many, "# Tuesday\n" + many[:len(many)-2] + "9\n"}, patched},
		{"lines far apart", []string{many, strings.NewReplacer("4999 192.0.2.", "4999 198.51.100.", "m9999 192.0.2.", "m9999 198.51.100.").Replace(many)}, patched},
		{"lines all over", []string{many, strings.NewReplacer("99 192.0.2.", "99 198.51.100.").Replace(many)}, patched},
		{"changes one after another", steps[:6], patched},
		{"changes that become too many", steps[:9], loadedAs},
		{"a change after these", append(steps[:9:9], moved(0, 12001)), patched},
		{"more than there is time for", []string{"#\n", strings.Repeat(hosts, 20000)}, loadedAs},
	} {
		for _, corefile := range []string{"mxsrv example.org {\n}", "mxsrv example.org {\n authoritative {\n ns ns.example.net.\n }\n}"} {
			t.Run(tc.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newStage(t, corefile, [2]string{tc.texts[0], "#"})
					if s == nil {
						if tc.want != rejected {
							t.Fatal("rejected at the start")
						}
						t.Skip("an authoritative zone has no such names")
					}
					var got string
					for _, text := range tc.texts[1:] {
						got = s.edit(t, [2]string{text, "#"})
					}
					if got != tc.want {
						t.Errorf("%s, want %s", got, tc.want)
					}
				})
			})
		}
	}
}

// FuzzPatch: one text, then any other, is as that one alone.
func FuzzPatch(f *testing.F) {
	for seed := range uint64(20) {
		w := writer{rand.New(rand.NewPCG(seed, 2))}
		text := "# \n"
		for range 10 {
			text = w.edited(text)
		}
		f.Add(text, w.edited(text), w.edited(w.edited(text)))
	}
	f.Fuzz(func(t *testing.T, first, second, third string) {
		synctest.Test(t, func(t *testing.T) {
			s := newStage(t, "mxsrv example.org d1.example.org {\n}", [2]string{first, "#"})
			if s == nil {
				return
			}
			for _, text := range []string{second, third} {
				s.edit(t, [2]string{text, "#"})
			}
		})
	})
}
