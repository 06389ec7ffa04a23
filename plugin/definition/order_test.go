package definition

import (
	"fmt"
	"strings"
	"testing"
)

// TestOrder: what a name is sent in.
func TestOrder(t *testing.T) {
	const fixed, weighted = " {\norder fixed\n}", " {\norder weighted\n}"
	for _, tc := range []struct {
		name, text string
		want       string // of host, mail domain, service and what srv publishes: whether it is fixed
	}{
		{"nothing said", "H\nM\nS", "false, false, false, false"},
		{"default", "order fixed\nH\nM\nS", "true, true, true, true"},
		{"default after them", "H\nM\nS\norder fixed", "true, true, true, true"},
		{"default weighted", "order weighted\nH\nM\nS", "false, false, false, false"},
		{"host alone", "H" + fixed + "\nM\nS", "true, false, false, false"},
		{"mail domain alone", "H\nM" + fixed + "\nS", "false, true, false, true"},
		{"service alone", "H\nM\nS" + fixed, "false, false, true, false"},
		{"own before default", "order fixed\nH" + weighted + "\nM" + weighted + "\nS" + weighted, "false, false, false, false"},
		{"one of two", "H\nH" + fixed + "\nM" + fixed + "\nM\nS\nS" + fixed, "true, true, true, true"},
		{"repeated", "H" + fixed + "\nH" + fixed + "\nM\nS", "true, false, false, false"},
		{"contradiction", "H" + fixed + "\nH" + weighted + "\nM" + weighted + "\nM" + fixed + "\nS" + fixed + "\nS\nS" + weighted,
			"true, false, true, false"},
		{"said twice", "H {\norder fixed\norder fixed\n}\nM\nS", "true, false, false, false"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := tc.text
			for _, kind := range []struct{ letter, statement string }{
				{"H", "host mx1 192.0.2.1"}, {"M", "mail @ 10 mx1"}, {"S", "service _s._tcp 0 0 1 mx1"},
			} {
				text = strings.ReplaceAll(text, kind.letter, kind.statement)
			}
			set, errs := Read("x", text+"\nmail @ 10 mx1 {\nsrv\n}\n", Zones{"example.org."})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			var got []string
			add := func(fixed bool) { got = append(got, fmt.Sprint(fixed)) }
			x := set.Index()
			add(x.At("mx1.example.org.").HostOrder())
			add(x.At("example.org.").MailOrder())
			add(x.At("_s._tcp.example.org.").ServiceOrder())
			add(x.At("_smtp._tcp.example.org.").ServiceOrder())
			if strings.Join(got, ", ") != tc.want {
				t.Errorf("%s, want %s", strings.Join(got, ", "), tc.want)
			}
			roundTrip(t, set, Zones{"example.org."})
		})
	}
}

// TestOrderOfSources: an order of a declaration goes before a default, the default of a source before none, and of two
// that differ the first, which is the oldest of fragments, counts.
func TestOrderOfSources(t *testing.T) {
	const own = "service _s._tcp 0 0 1 mx1 {\norder "
	const fixed, weighted, none = "order fixed\nservice _s._tcp 0 0 1 mx1", "order weighted\nservice _s._tcp 0 0 1 mx1", "service _s._tcp 0 0 1 mx1"
	for _, tc := range []struct{ first, second, want string }{
		{none, fixed, "true"}, {fixed, none, "true"}, {none, weighted, "false"},
		{weighted, fixed, "false"}, {fixed, weighted, "true"}, {fixed, fixed, "true"},
		{fixed, own + "weighted\n}", "false"}, {own + "weighted\n}", fixed, "false"},
		{own + "weighted\n}", own + "fixed\n}", "false"}, {own + "fixed\n}", own + "weighted\n}", "true"},
	} {
		set := new(Set)
		for _, text := range []string{tc.first, tc.second} {
			if errs := set.Read("x", text, Zones{"example.org."}); len(errs) > 0 {
				t.Fatal(errs)
			}
		}
		if got := fmt.Sprint(set.Index().At("_s._tcp.example.org.").ServiceOrder()); got != tc.want {
			t.Errorf("%q and %q: %s, want %s", tc.first, tc.second, got, tc.want)
		}
	}
}

func TestOrderMistakes(t *testing.T) {
	const usage = "usage: order weighted, or order fixed"
	for _, tc := range []struct{ name, text, want string }{
		{"no word", "order", "x:1: " + usage},
		{"another word", "order random", "x:1: " + usage},
		{"two words", "mail @ 10 mx1 {\norder fixed weighted\n}", "x:2: " + usage},
		{"block", "order fixed {\n}", "x:1: " + usage},
		{"two defaults", "order fixed\norder weighted", "x:2: a second default order: write one, or an order in the blocks that differ"},
		{"two in a block", "service _a._tcp 0 0 1 h {\norder weighted\norder fixed\n}", "x:3: a second order in one block: write one"},
		{"of an alias", "alias a b {\norder fixed\n}", `x:2: "order" starts a statement: write "}" before it, to close the block`},
	} {
		_, errs := Read("x", tc.text, Zones{"example.org."})
		if errs.Error() != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, errs, tc.want)
		}
	}
}
