package source

import (
	"fmt"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// written writes edits as KEY=TEXT@CREATED, or -KEY.
func written(edits []definition.Edit) (words []string) {
	for _, e := range edits {
		if e.Gone {
			words = append(words, "-"+e.Key)
			continue
		}
		words = append(words, fmt.Sprintf("%s=%s@%d", e.Key, e.Text, e.Created))
	}
	return words
}

func is(key, text string, created int64) definition.Edit {
	return definition.Edit{Fragment: definition.Fragment{Key: key, Text: text, Created: created}}
}

func gone(key string) definition.Edit {
	return definition.Edit{Fragment: definition.Fragment{Key: key}, Gone: true}
}

// TestMemory: which edits make a difference to a and b, known of revision 5, and
// what leads there at one go.
func TestMemory(t *testing.T) {
	for _, tc := range []struct {
		name     string
		edits    []definition.Edit
		revision int64
		want     string // what makes a difference
		news     bool
	}{
		{"nothing", nil, 5, "[]", false},
		{"a later revision", nil, 6, "[]", true},
		{"as it is", []definition.Edit{is("a", "1", 2)}, 5, "[]", false},
		{"other text", []definition.Edit{is("a", "2", 2)}, 6, "[a=2@2]", true},
		{"deleted and put again meanwhile", []definition.Edit{is("a", "1", 6)}, 6, "[a=1@6]", true},
		{"one that comes", []definition.Edit{is("c", "1", 6)}, 6, "[c=1@6]", true},
		{"one that goes", []definition.Edit{gone("b")}, 6, "[-b]", true},
		{"one that was not there goes", []definition.Edit{gone("c")}, 6, "[]", true},
		{"several", []definition.Edit{is("c", "1", 6), gone("c"), is("a", "1", 2), gone("b")}, 7, "[c=1@6 -c -b]", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var m, to memory
			for _, each := range []*memory{&m, &to} {
				each.change([]definition.Edit{is("a", "1", 2), is("b", "1", 3)}, 5)
			}
			edits, news := to.change(tc.edits, tc.revision)
			if got := fmt.Sprint(written(edits)); got != tc.want || news != tc.news {
				t.Errorf("%s make a difference, news %v; want %s, %v", got, news, tc.want, tc.news)
			}
			k, _ := to.copy()
			m.change(m.difference(k), tc.revision)
			got, _ := m.copy()
			if fmt.Sprint(written(got.edits())) != fmt.Sprint(written(k.edits())) || got.revision != tc.revision {
				t.Errorf("the difference leads to %v of %d, want %v of %d", written(got.edits()), got.revision, written(k.edits()), tc.revision)
			}
		})
	}
}

// TestMemoryFirst: that there is nothing is news too, once.
func TestMemoryFirst(t *testing.T) {
	var m memory
	if _, news := m.change(nil, 0); !news {
		t.Error("an empty list is no news")
	}
	if _, news := m.change(nil, 0); news {
		t.Error("an empty list is news again")
	}
}

// TestLastKnown: the newest of a place.
func TestLastKnown(t *testing.T) {
	var older, newer, elsewhere memory
	newer.remember("here")
	older.remember("here")
	elsewhere.remember("there")
	if k := lastKnown("here"); k.fragments != nil {
		t.Errorf("%v is known, want nothing", k)
	}
	older.change([]definition.Edit{is("a", "1", 1)}, 1)
	newer.change([]definition.Edit{is("b", "1", 2)}, 2)
	elsewhere.change([]definition.Edit{is("c", "1", 3)}, 3)
	k := lastKnown("here")
	if got := fmt.Sprint(written(k.edits())); got != "[b=1@2]" || k.revision != 2 {
		t.Errorf("%s of revision %d is known, want that of 2", got, k.revision)
	}
	newer.change([]definition.Edit{gone("b")}, 4)
	if got := fmt.Sprint(written(k.edits())); got != "[b=1@2]" {
		t.Errorf("what was known has become %s", got)
	}
	if k := lastKnown("nowhere"); k.fragments != nil {
		t.Errorf("%v is known of nowhere", k)
	}
}
