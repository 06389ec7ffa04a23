package etcd

import (
	"fmt"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/change"
)

// written writes edits as KEY=TEXT@CREATED, or -KEY.
func written(edits []change.Edit) (words []string) {
	for _, e := range edits {
		if e.Gone {
			words = append(words, "-"+e.Key)
			continue
		}
		words = append(words, fmt.Sprintf("%s=%s@%d", e.Key, e.Text, e.Created))
	}
	return words
}

func is(key, text string, created int64) change.Edit {
	return change.Edit{Fragment: change.Fragment{Key: key, Text: text, Created: created}}
}

func gone(key string) change.Edit {
	return change.Edit{Fragment: change.Fragment{Key: key}, Gone: true}
}

// TestMemory: which edits make a difference to a and b, known of revision 5, and
// what leads there at one go.
func TestMemory(t *testing.T) {
	for _, tc := range []struct {
		name     string
		edits    []change.Edit
		revision int64
		want     string // what makes a difference
		news     bool
	}{
		{"nothing", nil, 5, "[]", false},
		{"a later revision", nil, 6, "[]", true},
		{"as it is", []change.Edit{is("a", "1", 2)}, 5, "[]", false},
		{"other text", []change.Edit{is("a", "2", 2)}, 6, "[a=2@2]", true},
		{"deleted and put again meanwhile", []change.Edit{is("a", "1", 6)}, 6, "[a=1@6]", true},
		{"one that comes", []change.Edit{is("c", "1", 6)}, 6, "[c=1@6]", true},
		{"one that goes", []change.Edit{gone("b")}, 6, "[-b]", true},
		{"one that was not there goes", []change.Edit{gone("c")}, 6, "[]", true},
		{"several", []change.Edit{is("c", "1", 6), gone("c"), is("a", "1", 2), gone("b")}, 7, "[c=1@6 -c -b]", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var m, to cache
			for _, each := range []*cache{&m, &to} {
				each.change([]change.Edit{is("a", "1", 2), is("b", "1", 3)}, 5)
			}
			edits, news := to.change(tc.edits, tc.revision)
			if got := fmt.Sprint(written(edits)); got != tc.want || news != tc.news {
				t.Errorf("%s make a difference, news %v; want %s, %v", got, news, tc.want, tc.news)
			}
			k, _ := to.copy()
			m.change(m.difference(k), tc.revision)
			got, _ := m.copy()
			if fmt.Sprint(written(got.since(state{}))) != fmt.Sprint(written(k.since(state{}))) || got.revision != tc.revision {
				t.Errorf("the difference leads to %v of %d, want %v of %d", written(got.since(state{})), got.revision, written(k.since(state{})), tc.revision)
			}
		})
	}
}

// TestMemoryFirst: that there is nothing is news too, once.
func TestMemoryFirst(t *testing.T) {
	var m cache
	if _, news := m.change(nil, 0); !news {
		t.Error("an empty list is no news")
	}
	if _, news := m.change(nil, 0); news {
		t.Error("an empty list is news again")
	}
}

// TestLastKnown: the newest of a place.
func TestLastKnown(t *testing.T) {
	var older, newer, elsewhere cache
	newer.remember("here")
	older.remember("here")
	elsewhere.remember("there")
	if k := latest("here"); k.fragments != nil {
		t.Errorf("%v is known, want nothing", k)
	}
	older.change([]change.Edit{is("a", "1", 1)}, 1)
	newer.change([]change.Edit{is("b", "1", 2)}, 2)
	elsewhere.change([]change.Edit{is("c", "1", 3)}, 3)
	k := latest("here")
	if got := fmt.Sprint(written(k.since(state{}))); got != "[b=1@2]" || k.revision != 2 {
		t.Errorf("%s of revision %d is known, want that of 2", got, k.revision)
	}
	newer.change([]change.Edit{gone("b")}, 4)
	if got := fmt.Sprint(written(k.since(state{}))); got != "[b=1@2]" {
		t.Errorf("what was known has become %s", got)
	}
	if k := latest("nowhere"); k.fragments != nil {
		t.Errorf("%v is known of nowhere", k)
	}
}
