package definition

import (
	"reflect"
	"slices"
	"testing"
)

// TestDrains: a drained host is an owner for who looks for changes, and not declared.
func TestDrains(t *testing.T) {
	drain := func(name Name) Drain { return Drain{Head{Pos: Pos{"Corefile", 1}, Owner: name}} }
	a, b := drain("a.example.org."), drain("b.example.org.")
	host := Host{Head: Head{Owner: "a.example.org."}}
	set := Merge(&Set{Hosts: []Host{host}, Drains: []Drain{a}}, &Set{Drains: []Drain{b}})
	index := set.Index()
	if !index.Drained(b.Owner) || index.Drained("c.example.org.") || index.Len() != 1 {
		t.Errorf("%d owners, drained %v", index.Len(), index.drained)
	}
	if got := slices.Collect(set.EachOwner); !slices.Equal(got, []Name{a.Owner, a.Owner, b.Owner}) {
		t.Errorf("EachOwner: %v", got)
	}
	for range set.EachOwner {
		break // which must end it
	}
	for h := range set.Heads {
		if h.Owner != a.Owner {
			t.Errorf("a head of %s", h.Owner)
		}
	}
	before := Set{Drains: []Drain{a}}
	since := set.Since(&before)
	more := new(Set)
	more.Add(&since)
	for name, got := range map[string]*Set{
		"Since":     more,
		"Declaring": set.Declaring(Names{b.Owner: true}),
		"Without":   set.Without(Names{a.Owner: true}),
		"Filter":    set.Filter(func(h *Head) bool { return h.Owner == b.Owner }),
	} {
		if !reflect.DeepEqual(got.Drains, []Drain{b}) {
			t.Errorf("%s: %v", name, got.Drains)
		}
	}
}
