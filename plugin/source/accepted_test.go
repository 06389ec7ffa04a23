package source

import (
	"testing"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A document is a source of one file, which was another one before.
type document struct {
	Source
	now, before string
}

func (d document) content(text string) *change.Content {
	reader := definition.NewReader(definition.Zones{"example.org."})
	return &change.Content{Documents: []*change.Document{change.NewDocument("f", text, reader)}}
}

func (d document) Load() *change.Content { return d.content(d.now) }

func (d document) Accepted(c *change.Content) Accepted {
	return Accepted{Files: []File{{"f", c.Documents[0].Text()}}}
}

func (d document) Restore([]Accepted) *change.Content { return d.content(d.before) }

// TestRestore: sources of files declare what they did before, until that is undone.
func TestRestore(t *testing.T) {
	same, changed := document{Static("same", nil, nil), host("a"), host("a")}, document{Static("changed", nil, nil), "oops", host("b")}
	set, _ := read(host("c"))
	c := Collect(Static("Corefile", set, nil), same, changed, saying("late", ""))
	c.Load()
	hosts := func() (n, mistakes int) {
		set, errs := c.Read()
		return len(set.Hosts), len(errs)
	}
	if n, mistakes := hosts(); n != 2 || mistakes != 1 {
		t.Errorf("%d hosts and %d mistakes, want 2 and 1", n, mistakes)
	}
	restored, undo := c.Restore(nil)
	if len(restored) != 1 || restored[0].String() != "changed" {
		t.Errorf("restored %v, want what is not as it was", restored)
	}
	if n, mistakes := hosts(); n != 3 || mistakes != 0 {
		t.Errorf("%d hosts and %d mistakes as before, want 3 and none", n, mistakes)
	}
	if a := c.Accepted(); len(a) != 2 || a[0].Files[0].Text != host("a") || a[1].Files[0].Text != host("b") {
		t.Errorf("accepted %v", a)
	}
	undo()
	if n, mistakes := hosts(); n != 2 || mistakes != 1 {
		t.Errorf("undone: %d hosts and %d mistakes, want 2 and 1", n, mistakes)
	}
	if c.Content(0) == nil || c.Content(3) != nil {
		t.Error("content of each source: want that of the Corefile, and none of the late one")
	}
}
