package change

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

var zones = definition.Zones{"example.org.", "example.com."}

// document returns a document that is read, what it declares, and the mistakes in it.
func document(text string) (*Document, *definition.Set, definition.Errors) {
	d, set := NewDocument("x", text, definition.NewReader(zones)), new(definition.Set)
	errs := d.Read(set)
	return d, set, errs
}

// labels lists names of example.org as they are written in it, sorted.
func labels(names definition.Names) string {
	var words []string
	for name := range names {
		if label, ok := strings.CutSuffix(string(name), ".example.org."); ok {
			words = append(words, label)
		} else if name == "example.org." {
			words = append(words, "@")
		}
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

// TestDocumentChange: of which names another text declares something else.
func TestDocumentChange(t *testing.T) {
	const (
		a, b, c = "host a 192.0.2.1\n", "host b 192.0.2.2\n", "alias c a\n"
		mail    = "mail m n {\n    10 a\n    20 b # spare\n}\n"
	)
	large := func(mail, host string) string {
		return "mail d 10 a" + mail + " # " + strings.Repeat("x", maxStanza) + "\nhost x " + host
	}
	for _, tc := range []struct{ name, before, after, want string }{
		{"nothing", a + b, a + b, ""},
		{"from nothing", "", a, "a"},
		{"to nothing", a + b, "", "a b"},
		{"another value", a + b, a + "host b 192.0.2.3\n", "b"},
		{"another name", a + b + c, a + "host x 192.0.2.2\n" + c, "b x"},
		{"more at the start", a, b + a, "b"},
		{"more at the end", a, a + b, "b"},
		{"fewer", a + b + c + mail, a + mail, "b c"},
		{"moved", a + b + c + mail, mail + c + a + b, ""},
		{"moved, another changed", a + b + c + mail, mail + c + "host a 192.0.2.9\n" + b, "a"},
		{"in a block", a + mail, a + "mail m n {\n    10 a\n    30 b # spare\n}\n", "m n"},
		{"said again", a + b, a + a + b + a, "a"},
		{"said once less", a + b + a + a, a + b + a, "a"},
		{"the comment after it", a + b, a + "# of b\n" + b, "a"},
		{"the text before all", a + b, "# on top\n\n" + a + b, ""},
		{"the text after all", a + b, a + b + "\n# below\n", "b"},
		{"a byte order mark", a + b, "\ufeff" + a + b, ""},
		{"a byte order mark within", a + b, a + "\ufeffhost x 192.0.2.2\n" + b, "all"},
		{"line ends", a + b, strings.ReplaceAll(a+b, "\n", "\r\n"), "a b"},
		{"two on one line", "mail m 10 a { srv } " + b, "mail m 10 a { srv } host b 192.0.2.3\n", "b"},
		{"the second on one line", "mail m 10 a { srv } " + b, "mail m 10 a { srv }\n" + b, "m"},
		{"a brace on the next line", a + "{\nttl 60\n}\n" + b, a + "{\nttl 61\n}\n" + b, "a"},
		{"a block that another has now", a + "{\nttl 60\n}\n" + b, a + b + "{\nttl 60\n}\n", "a b"},
		{"a quote", a + b, "host \"a\" 192.0.2.1\n" + b, "a"},
		{"a quote that is not closed", a + b, "host \"a 192.0.2.1\n" + b, "all"},
		{"a quote over the next line", "host a \"192.0.2.1", "host a \"192.0.2.1\n" + b, "all"},
		{"a brace that is not closed", a + b, a + "{\n" + b, "all"},
		{"a brace too many", a + b, a + "}\n" + b, "all"},
		{"a mistake", a + b, a + "host b 192.0.2\n", "all"},
		{"another keyword", a + b, a + "hots b 192.0.2.1\n", "all"},
		{"a mistake before", "host b\n", b, "all"},
		{"the same default ttl", "ttl 60\n" + a + b, "ttl 60\n" + b + a + c, "c"},
		{"the default ttl moved", "ttl 60\n" + a + b, a + b + "ttl 60\n", ""},
		{"another default ttl", "ttl 60\n" + a, "ttl 61\n" + a, "all"},
		{"no default ttl any more", "ttl 60\n" + a, a, "all"},
		{"a default ttl", a, a + "ttl 60\n", "all"},
		{"the same default order", "order fixed\n" + a + b, "order fixed\n" + b + a + c, "c"},
		{"a default order", a, a + "order fixed\n", "all"},
		{"an own order", a + "{\norder fixed\n}\n" + b, a + "{\norder weighted\n}\n" + b, "a"},
		{"in a stanza too large", large("", "192.0.2.1"), large(" b", "192.0.2.1"), "all"},
		{"beside a stanza too large", large("", "192.0.2.1"), large("", "192.0.2.2"), "x"},
		{"4000 names", "", "mail" + numbered(" d", maxNames/2) + " 10 a", sortedWords(numbered(" d", maxNames/2))},
		{"4002 names", "", "mail" + numbered(" d", maxNames/2+1) + " 10 a", "all"},
		{"16000 stanzas more", "", strings.Repeat(a, maxFound), "a"},
		{"16001 stanzas more", "", strings.Repeat(a, maxFound+1), "all"},
		{"16000 stanzas fewer", strings.Repeat(a, maxFound), "", "a"},
		{"16001 stanzas fewer", strings.Repeat(a, maxFound+1), "", "all"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, before, _ := document(tc.before)
			changed, ok := d.Change(tc.after)
			got := labels(changed)
			if !ok {
				got = "all"
			}
			if got != tc.want {
				t.Fatalf("%.200q, want %.200q", got, tc.want)
			}
			if ok {
				checkChanged(t, before, d, tc.after, changed)
			}
		})
	}
}

func numbered(word string, n int) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprint(&all, word, i)
	}
	return all.String()
}

func sortedWords(words string) string {
	return strings.Join(slices.Sorted(slices.Values(strings.Fields(words))), " ")
}

// TestDocumentUnusable: after a change that could not be told, a document says so until it
// is read again.
func TestDocumentUnusable(t *testing.T) {
	d, _, _ := document("host a 192.0.2.1")
	d.Change("host")
	if _, ok := d.Change("host a 192.0.2.1"); ok {
		t.Error("it could be changed")
	}
	names := definition.Names{"a.example.org.": true}
	if _, ok := d.Declaring(names); ok {
		t.Error("it knows what it declares")
	}
	if _, ok := d.Pointing(names); ok {
		t.Error("it knows what points to a name")
	}
}

// checkChanged checks a document that has got another text: that it is as if it had been
// read, and that all names are among the changed ones of which the two declare something else.
func checkChanged(t *testing.T, before *definition.Set, d *Document, text string, changed definition.Names) {
	t.Helper()
	fresh, after, errs := document(text)
	if len(errs) > 0 {
		t.Fatalf("%v is not found", errs)
	}
	was, is := declared(before), declared(after)
	for name := range allNames(before, after) {
		if !changed[name] && !reflect.DeepEqual(was[name], is[name]) {
			t.Errorf("%s is not among %v: it was %q and is %q", name, labels(changed), was[name], is[name])
		}
		one := definition.Names{name: true}
		for _, d := range []*Document{d, fresh} {
			if got, ok := d.Declaring(one); ok && !reflect.DeepEqual(got, after.Declaring(one)) {
				t.Errorf("declaring %s: %+v, want %+v", name, got, after.Declaring(one))
			}
			if got, ok := d.Pointing(one); ok && !reflect.DeepEqual(got, after.Pointing(one)) {
				t.Errorf("pointing to %s: %+v, want %+v", name, got, after.Pointing(one))
			}
		}
		_, declaring := d.Declaring(one)
		_, pointing := d.Pointing(one)
		_, wantDeclaring := fresh.Declaring(one)
		_, wantPointing := fresh.Pointing(one)
		if declaring != wantDeclaring || pointing != wantPointing {
			t.Errorf("%s is known: %v, %v, want %v, %v", name, declaring, pointing, wantDeclaring, wantPointing)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

// allNames returns some names of sets, all if they are few.
func allNames(sets ...*definition.Set) definition.Names {
	all := definition.Names{}
	for _, s := range sets {
		for _, each := range []func(func(definition.Name) bool){s.EachOwner, s.EachTarget} {
			for name := range each {
				if all[name] = true; len(all) > 200 {
					return all
				}
			}
		}
	}
	return all
}

// declared returns what is declared of each name, sorted and without places.
func declared(s *definition.Set) map[definition.Name][]string {
	all := make(map[definition.Name][]string)
	add := func(owner definition.Name, what ...any) { all[owner] = append(all[owner], fmt.Sprint(what...)) }
	for _, h := range s.Hosts {
		add(h.Owner, "host", h.Addrs, h.TTL)
	}
	for _, m := range s.Mails {
		add(m.Owner, "mail", m.SRV, len(m.Exchanges), m.TTL)
		for _, e := range m.Exchanges {
			add(m.Owner, e.Preference, e.Host, m.TTL)
		}
	}
	for _, v := range s.Services {
		add(v.Owner, "service", len(v.Targets), v.TTL)
		for _, x := range v.Targets {
			add(v.Owner, x.Priority, x.Weight, x.Port, x.Host, v.TTL)
		}
	}
	for _, a := range s.Aliases {
		add(a.Owner, "alias", a.Host, a.TTL)
	}
	for _, d := range s.Records {
		add(d.Owner, "record", d.Type, d.Data, d.TTL)
	}
	for _, what := range all {
		slices.Sort(what)
	}
	return all
}

// TestDocumentFollows: a document that is changed again and again, in all ways, is always
// what it would be if it were read.
func TestDocumentFollows(t *testing.T) {
	apart, steps := 0, 0
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		stanzas := []string{}
		d, before, _ := document("")
		for range 60 {
			ttl := hasTTL(stanzas)
			for range 1 + r.IntN(3) {
				stanzas = edited(r, stanzas)
			}
			text := dressed(r, strings.Join(stanzas, ""))
			changed, ok := d.Change(text)
			if ok {
				apart++
				checkChanged(t, before, d, text, changed)
			}
			var errs definition.Errors
			fresh, after, errs := document(text)
			if !ok && len(errs) == 0 && !ttl && !hasTTL(stanzas) {
				t.Fatalf("all is to be read of\n%s\nfor\n%s", d.Text(), text)
			}
			if before = after; !ok {
				d = fresh
			}
			if len(errs) > 0 { // from a text without mistakes
				stanzas = nil
				d, before, _ = document("")
			}
			steps++
		}
	}
	if apart < steps/2 {
		t.Errorf("of %d changes %d could be told", steps, apart)
	}
}

// hasTTL reports whether one of some stanzas is a default TTL.
func hasTTL(stanzas []string) bool { return slices.Contains(stanzas, "ttl 60\n") }

// edited adds, takes away, moves, repeats or replaces a stanza.
func edited(r *rand.Rand, stanzas []string) []string {
	stanzas = slices.Clone(stanzas)
	if len(stanzas) < 3 {
		return append(stanzas, stanza(r))
	}
	i, j := r.IntN(len(stanzas)), r.IntN(len(stanzas))
	switch r.IntN(7) {
	case 0, 1:
		return slices.Insert(stanzas, i, stanza(r))
	case 2:
		return slices.Delete(stanzas, i, i+1)
	case 3:
		stanzas[i], stanzas[j] = stanzas[j], stanzas[i]
	case 4:
		return slices.Insert(stanzas, i, stanzas[j])
	case 5:
		return slices.Concat(stanzas[min(i, j):], stanzas[:min(i, j)])
	default:
		stanzas[i] = stanza(r)
	}
	return stanzas
}

// stanza returns a stanza about few names, written in one of many ways.
func stanza(r *rand.Rand) string {
	name := func() string {
		return []string{"a", "b", "c", `"d"`, "@", "e.example.com.", "f.example.net."}[r.IntN(7)]
	}
	block := []string{
		"", "", " # why", " {\n    ttl 60 # own\n}", "\n# first\n{\n ttl 90\n}", " { ttl 5 }", " {\n}",
	}[r.IntN(7)]
	end := []string{"\n", "\n", "\n\n# after\n", " # x\n"}[r.IntN(4)]
	if strings.HasSuffix(block, "}") && r.IntN(3) == 0 {
		end = " " // and the next on the same line
	}
	switch r.IntN(40) {
	case 0:
		return "ttl 60\n"
	case 1:
		return "host a\n"
	case 2:
		return "}\n"
	}
	switch r.IntN(7) {
	case 6:
		return fmt.Sprintf("record %s %s %s", name(), name(), []string{"TXT \"a # b\"", "HTTPS 1 " + name(), "CAA 0 issue x"}[r.IntN(3)]) + block + end
	case 0:
		return fmt.Sprintf("alias %s %s", name(), name()) + block + end
	case 1:
		return fmt.Sprintf("service _x._tcp.%s 0 0 1 %s", strings.Trim(name(), `@"`), name()) + block + end
	case 2:
		return fmt.Sprintf("mail %s %s none", name(), name()) + block + end
	case 3:
		return fmt.Sprintf("mail %s {\n 10 %s %s\n 20 %s # }\n srv\n}", name(), name(), name(), name()) + end
	}
	return fmt.Sprintf("host %s 192.0.2.%d", name(), 1+r.IntN(3)) + block + end
}

// dressed returns a text with other line ends, a byte order mark, or as it is.
func dressed(r *rand.Rand, text string) string {
	switch r.IntN(10) {
	case 0:
		return strings.ReplaceAll(text, "\n", "\r\n")
	case 1:
		return "\ufeff# on top\n" + text
	case 2:
		return strings.TrimSuffix(text, "\n")
	}
	return text
}

// FuzzDocument: for any two texts, what Change says of the second is what reading it says.
func FuzzDocument(f *testing.F) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		one := []string{stanza(r), stanza(r), stanza(r), stanza(r)}
		f.Add(strings.Join(one, ""), dressed(r, strings.Join(edited(r, edited(r, one)), "")))
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		d, before, _ := document(one)
		if changed, ok := d.Change(other); ok {
			checkChanged(t, before, d, other, changed)
		}
	})
}

// generation is what key files have.
type generation string

func (g generation) Equal(other Keys) bool { return g == other }

// TestContentWithKeys: what texts read of key files is content too, and if it changes all must be read.
func TestContentWithKeys(t *testing.T) {
	content := func(keys Keys) *Content {
		c := &Content{Documents: []*Document{NewDocument("x", "host a 192.0.2.1\n", definition.NewReader(zone))}, Keys: keys}
		c.Read()
		return c
	}
	for _, tc := range []struct {
		name      string
		was, is   Keys
		wantEqual bool
	}{
		{"none", nil, nil, true},
		{"the same", generation("a"), generation("a"), true},
		{"others", generation("a"), generation("b"), false},
		{"some in place of none", nil, generation("a"), false},
		{"none in place of some", generation("a"), nil, false},
	} {
		if got := content(tc.was).Equal(content(tc.is)); got != tc.wantEqual {
			t.Errorf("%s: equal %v, want %v", tc.name, got, tc.wantEqual)
		}
		if names, ok := content(tc.was).Change(content(tc.is)); ok != tc.wantEqual || len(names) > 0 {
			t.Errorf("%s: changed %v, %v, want no names and %v", tc.name, names, ok, tc.wantEqual)
		}
	}
}
