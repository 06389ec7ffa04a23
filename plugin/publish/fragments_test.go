package publish

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/serial"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// keys is a source of fragments that are edited.
type keys struct {
	zones    definition.Zones
	held     map[string]definition.Fragment
	revision int64
	next     chan *source.Content
}

func (k *keys) String() string { return "keys" }

func (k *keys) Load() *source.Content {
	var edits []definition.Edit
	for _, f := range k.held {
		edits = append(edits, definition.Edit{Fragment: f})
	}
	return &source.Content{Zones: k.zones, Edits: edits, Revision: k.revision}
}

func (k *keys) Run(ctx context.Context, deliver func(*source.Content)) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-k.next:
			deliver(c)
		}
	}
}

// edit makes edits, and what a source delivers of them.
func (k *keys) edit(edits ...definition.Edit) *source.Content {
	for i := range edits {
		k.revision++
		e := &edits[i]
		e.Created = k.revision
		if was, ok := k.held[e.Key]; ok {
			e.Created = was.Created
		}
		k.held[e.Key] = e.Fragment
		if e.Gone {
			delete(k.held, e.Key)
		}
	}
	return &source.Content{Zones: k.zones, Edits: edits, Revision: k.revision}
}

// fragmented returns a publisher of fragments, which has loaded nothing yet.
func fragmented(t *testing.T, corefile, server string, held map[string]definition.Fragment, revision int64) (*publisher, *keys) {
	t.Helper()
	p := unloaded(t, corefile, server)
	k := &keys{zones: p.block.Zones, held: maps.Clone(held), revision: revision, next: make(chan *source.Content)}
	p.sources = source.Collect(append(p.block.Sources(), k)...)
	return p, k
}

// TestFragments: however fragments come and go, all is as if what is there had been
// loaded from nothing, the serials too.
func TestFragments(t *testing.T) {
	patched, out := 0, 0
	for _, corefile := range []string{
		"mxsrv example.org d1.example.org {\n host h1 192.0.2.200\n mail d1 d2 10 h2\n alias w1 h3\n}",
		"mxsrv example.org {\n authoritative {\n ns h1 ns.example.net.\n }\n host h1 192.0.2.1\n host h2 192.0.2.2\n mail d1 10 h3\n}",
	} {
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				ledgers.known = nil
				p, o := comeAndGo(t, corefile, seed)
				patched, out = patched+p, out+o
			})
		}
	}
	if all := 2 * seeds * edits; patched < all*3/4 || out < all {
		t.Errorf("%d patched, %d left out: too few show anything", patched, out)
	}
}

// comeAndGo returns how many edits were served as a patch, and how many fragments
// were left out after each, added up.
func comeAndGo(t *testing.T, corefile string, seed uint64) (patched, out int) {
	w := writer{rand.New(rand.NewPCG(seed, 3))}
	s := &stage{corefile: corefile, done: make(chan bool)}
	var k *keys
	s.publisher, k = fragmented(t, corefile, "followed "+t.Name(), map[string]definition.Fragment{}, 1)
	if err := s.load(); err != nil {
		t.Fatal(err)
	}
	stdlog.SetOutput(io.Discard)
	defer stdlog.SetOutput(os.Stderr)
	go s.sources.Run(t.Context(), func(c *source.Change) {
		s.publish(c)
		s.done <- true
	})
	for range edits {
		var batch []definition.Edit
		for range w.IntN(3) {
			e := definition.Edit{Gone: w.IntN(3) == 0}
			e.Key, e.Text = fmt.Sprint(w.IntN(30)), w.stanza()
			if w.IntN(20) == 0 {
				e.Text = "hots a 192.0.2.1"
			}
			if !slices.ContainsFunc(batch, func(b definition.Edit) bool { return b.Key == e.Key }) {
				batch = append(batch, e)
			}
		}
		k.next <- k.edit(batch...)
		<-s.done
		fresh, _ := fragmented(t, corefile, "fresh "+t.Name(), k.held, k.revision)
		if err := fresh.load(); err != nil {
			t.Fatal(err)
		}
		s.compare(t, fresh)
		for zone, got := range s.serials {
			if got != serial.OfRevision(k.revision) || fresh.serials[zone] != got {
				t.Fatalf("serial %d after revision %d, from nothing %d", got, k.revision, fresh.serials[zone])
			}
		}
		if got, want := s.status.Load(), fresh.status.Load(); got.out != want.out || got.fragments != len(k.held) {
			t.Fatalf("%d of %d left out, want %d of %d", got.out, got.fragments, want.out, len(k.held))
		}
		if s.table.Load().Patched() != nil {
			patched++
		}
		out += s.status.Load().out
	}
	return patched, out
}

// TestPatchesShare: each of many patches keeps what is of its change, and nothing for each
// zone.
func TestPatchesShare(t *testing.T) {
	stdlog.SetOutput(io.Discard)
	defer stdlog.SetOutput(os.Stderr)
	var zones strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&zones, " z%d.example", i)
	}
	p, k := fragmented(t, "mxsrv"+zones.String()+" {\n}", t.Name(), nil, 1)
	k.held = map[string]definition.Fragment{}
	if err := p.load(); err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	go p.sources.Run(t.Context(), func(c *source.Change) {
		p.publish(c)
		done <- true
	})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const patches, most = 300, 100_000
	before := heap()
	for i := range patches {
		k.next <- k.edit(put(fmt.Sprint(i), fmt.Sprintf("host h%d.z%d.example. 192.0.2.1", i, i)))
		<-done
	}
	if each := int(heap()-before) / patches; each > most {
		t.Errorf("%d octets for each of %d patches, want %d at most", each, patches, most)
	}
	if n := len(p.table.Load().Patched()); n != patches {
		t.Errorf("%d names patched, want %d", n, patches)
	}
}

func put(key, text string) definition.Edit {
	return definition.Edit{Fragment: definition.Fragment{Key: key, Text: text}}
}
