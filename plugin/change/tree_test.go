package change

import (
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// fakeTree declares a set, and notes how often it is edited.
type fakeTree struct {
	static
	edits int
}

func (f *fakeTree) Apply(edits []Edit) (definition.Names, definition.Errors) {
	f.edits += len(edits)
	return f.set.Owners(), nil
}
func (f *fakeTree) DeclareAll(set *definition.Set) { set.Add(f.set) }
func (f *fakeTree) Len() (keys, excluded int)      { return f.edits, 0 }

// ofTree returns what a text declares as a tree does.
func ofTree(text string) *definition.Set {
	set, _ := definition.Read(TreeSource, text, definition.Zones{"example.org."})
	return set
}

func ofFile(text string) *definition.Set {
	set, _ := definition.Read("file", text, definition.Zones{"example.org."})
	return set
}

func ownersIn(set *definition.Set) string {
	var all []string
	for h := range set.Heads {
		all = append(all, h.Source[:4]+" "+strings.TrimSuffix(string(h.Owner), ".example.org."))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// TestWithTree: a name of which others declare something has nothing of a tree, services of mail domains and name
// servers of authoritative zones included.
func TestWithTree(t *testing.T) {
	others := ofFile("host a 192.0.2.1\nmail b {\n 10 a\n srv\n}")
	tree := ofTree("host a 192.0.2.2\nservice a._tcp._tcp 0 0 1 c\nservice _smtp._tcp.b 0 0 1 c\nhost c 192.0.2.3\n" +
		"record example.org. NS c\nrecord example.org. TXT x")
	if got, want := ownersIn(WithTree(others, tree)), "file a, file b, the  a._tcp._tcp, the  c, the  example.org., the  example.org."; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := ownersIn(WithTree(ofFile("drain c"), ofTree("host c 192.0.2.3"))), "the  c"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	others.Apexes = []definition.Apex{{Zone: "example.org."}}
	all := WithTree(others, tree)
	if got, want := ownersIn(all), "file a, file b, the  a._tcp._tcp, the  c, the  example.org."; got != want || len(all.Apexes) != 1 {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestJudged: of a tree the rules see hosts alone, and aliases as such.
func TestJudged(t *testing.T) {
	set := WithTree(ofFile("host a 192.0.2.1\nalias b a\nmail d 10 a"), ofTree("host c 192.0.2.3\nalias w c\nmail c 10 c"))
	judged := Judged(set)
	if got, want := ownersIn(judged), "file a, file b, file d, the  c, the  w"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(judged.Hosts) != 3 || len(judged.Aliases) != 1 || len(judged.Mails) != 1 {
		t.Errorf("%d hosts, %d aliases, %d mail domains", len(judged.Hosts), len(judged.Aliases), len(judged.Mails))
	}
}

// TestTreeContent: edits of a source go to one tree, which comes after all other stores and yields to them.
func TestTreeContent(t *testing.T) {
	tree := &fakeTree{static: static{ofTree("host a 192.0.2.2\nhost c 192.0.2.3")}}
	content := func() *Content {
		return &Content{Edits: make([]Edit, 2), NewTree: func() Tree { return tree }}
	}
	first, second := content(), content()
	first.Apply(nil)
	second.NewTree = func() Tree { t.Fatal("a second tree"); return nil }
	second.Apply(first)
	if second.Tree() != Tree(tree) || tree.edits != 4 || second.Fragments() != nil {
		t.Errorf("tree %v after %d edits", second.Tree(), tree.edits)
	}
	set := new(definition.Set)
	if second.ReadInto(set); len(set.Hosts) > 0 {
		t.Error("a tree is read with the others")
	}
	stores := append([]Store{Static(ofFile("host a 192.0.2.1"))}, second.Stores()...)
	if IsTree(stores[0]) || !IsTree(stores[1]) || IsTree(NewFragments(nil)) {
		t.Error("what is a tree")
	}
	part, ok := Affected(stores, definition.Names{"a.example.org.": true, "c.example.org.": true})
	if got, want := ownersIn(part.Set), "file a, the  c"; got != want || !ok {
		t.Errorf("%s, want %s", got, want)
	}
}
