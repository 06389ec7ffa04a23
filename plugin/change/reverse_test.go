package change

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestReverse: a change of a host concerns the names of its addresses, those that it had too, and with them all hosts
// that have these addresses, wherever they are declared.
func TestReverse(t *testing.T) {
	reverse := definition.Zones{"example.org.", "2.0.192.in-addr.arpa."}
	base, _ := definition.Read("Corefile", "host static 192.0.2.1 {\nptr\n}", reverse)
	before, after := "host other 192.0.2.1\nhost h 192.0.2.1 198.51.100.1\n", "host other 192.0.2.1\nhost h 192.0.2.2\n"
	d := NewDocument("x", before, definition.NewReader(reverse))
	if errs := d.Read(new(definition.Set)); len(errs) > 0 {
		t.Fatal(errs)
	}
	f := NewFragments(reverse)
	f.Apply(puts("host f 192.0.2.1", "host g 192.0.2.9"))
	expect := func(what string, names definition.Names, want string) {
		t.Helper()
		if got := shortened(names); got != want {
			t.Errorf("%s %s, want %s", what, got, want)
		}
	}
	changed, _ := f.Apply([]Edit{{Fragment: Fragment{Key: "b", Text: "host g 192.0.2.2", Created: 2}}})
	expect("a fragment changes", changed, "2 9 g")
	changed, ok := d.Change(after)
	expect("a document changes", changed, "1 2 h")
	part, affected := Affected([]Store{Static(base), d, f}, changed)
	if !ok || !affected {
		t.Fatal("too much")
	}
	hosts := map[string][]string{}
	for _, r := range part.Set.Records {
		name := strings.TrimSuffix(string(r.Owner), ".2.0.192.in-addr.arpa.")
		hosts[name] = append(hosts[name], strings.TrimSuffix(string(r.Host()), ".example.org."))
	}
	if got := strings.Join(hosts["1"], " ") + ", " + strings.Join(hosts["2"], " "); got != "static other f, h g" {
		t.Errorf("the part has the hosts %s", got)
	}
	changed, _ = f.Apply([]Edit{{Fragment: Fragment{Key: "a"}, Gone: true}})
	expect("a fragment that goes changes", changed, "1 f")
}

// shortened lists names without their zone, sorted; none of services.
func shortened(names definition.Names) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		words = append(words, strings.TrimSuffix(strings.TrimSuffix(string(name), ".2.0.192.in-addr.arpa."), ".example.org."))
	}
	return strings.Join(words, " ")
}
