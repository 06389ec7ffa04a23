package publish

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/serial"
)

// keys is a source of fragments that are edited.
type keys struct {
	zones     definition.Zones
	fragments map[string]change.Fragment
	revision  int64
	next      chan *change.Content
	newTree   func() change.Tree // if it is not nil, they are those of a tree
}

func (k *keys) String() string { return "keys" }

func (k *keys) Load() *change.Content {
	var edits []change.Edit
	for _, f := range k.fragments {
		edits = append(edits, change.Edit{Fragment: f})
	}
	return &change.Content{Zones: k.zones, Edits: edits, Revision: k.revision, NewTree: k.newTree}
}

func (k *keys) Run(ctx context.Context, deliver func(*change.Content)) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-k.next:
			deliver(c)
		}
	}
}

// edit makes edits, and awaits what becomes of them, in a bubble of synctest.
func (k *keys) edit(edits ...change.Edit) {
	for i := range edits {
		k.revision++
		e := &edits[i]
		e.Created = k.revision
		if was, ok := k.fragments[e.Key]; ok {
			e.Created = was.Created
		}
		k.fragments[e.Key] = e.Fragment
		if e.Gone {
			delete(k.fragments, e.Key)
		}
	}
	k.next <- &change.Content{Zones: k.zones, Edits: edits, Revision: k.revision, NewTree: k.newTree}
	synctest.Wait()
}

// fragmented returns a publisher of fragments beside a Corefile, which has loaded nothing
// yet.
func fragmented(
	t *testing.T, corefile, server string, fragments map[string]change.Fragment, revision int64,
) (*Publisher, *recorder, *keys) {
	t.Helper()
	k := &keys{fragments: maps.Clone(fragments), revision: revision, next: make(chan *change.Content)}
	c := configOf(corefile, server, k)
	c.Fragments, k.zones = true, c.Zones
	p, log := newPublisher(t, c)
	return p, log, k
}

// followFragments returns a publisher that follows fragments, of which there are none yet,
// until the test ends.
func followFragments(t *testing.T, corefile string) (*Publisher, *recorder, *keys) {
	t.Helper()
	p, log, k := fragmented(t, corefile, "followed "+t.Name(), map[string]change.Fragment{}, 1)
	if err := p.Load(); err != nil {
		t.Fatal(err)
	}
	p.Follow()
	t.Cleanup(p.Stop)
	synctest.Wait()
	return p, log, k
}

// TestFragments: however fragments come and go, all is as if what is there had been
// loaded from nothing. The serial of a zone is that of the revision if its content has
// changed, and else the one before.
func TestFragments(t *testing.T) {
	patched, excluded := 0, 0
	for _, corefile := range []string{
		"mxsrv example.org d1.example.org {\n host h1 192.0.2.200\n mail d1 d2 10 h2\n alias w1 h3\n}",
		"mxsrv example.org {\n authoritative {\n ns h1 ns.example.net.\n }\n host h1 192.0.2.1\n host h2 192.0.2.2\n mail d1 10 h3\n}",
	} {
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				forgetSerials()
				synctest.Test(t, func(t *testing.T) {
					p, e := comeAndGo(t, corefile, seed)
					patched, excluded = patched+p, excluded+e
				})
			})
		}
	}
	if all := 2 * seeds * edits; patched < all*3/4 || excluded < all {
		t.Errorf("%d patched, %d excluded: too few show anything", patched, excluded)
	}
}

// comeAndGo returns how many edits were served as a patch, and how many fragments
// were excluded after each, added up.
func comeAndGo(t *testing.T, corefile string, seed uint64) (patched, excluded int) {
	w := writer{rand.New(rand.NewPCG(seed, 3))}
	s := &stage{corefile: corefile}
	var k *keys
	s.Publisher, s.log, k = followFragments(t, corefile)
	for range edits {
		var batch []change.Edit
		for range w.IntN(3) {
			e := change.Edit{Gone: w.IntN(3) == 0}
			e.Key, e.Text = fmt.Sprint(w.IntN(30)), w.stanza()
			if w.IntN(20) == 0 {
				e.Text = "hots a 192.0.2.1"
			}
			if !slices.ContainsFunc(batch, func(b change.Edit) bool { return b.Key == e.Key }) {
				batch = append(batch, e)
			}
		}
		before := maps.Clone(s.serials)
		k.edit(batch...)
		fresh, _, _ := fragmented(t, corefile, "fresh "+t.Name(), k.fragments, k.revision)
		if err := fresh.Load(); err != nil {
			t.Fatal(err)
		}
		s.compare(t, fresh)
		for zone, got := range s.serials {
			want := before[zone].serial
			if got.content != before[zone].content {
				want = serial.OfRevision(k.revision)
			}
			if got.serial != want || fresh.serials[zone].serial != want {
				t.Fatalf("serial of %s %d after revision %d, want %d; from a list %d", zone, got.serial, k.revision,
					want, fresh.serials[zone].serial)
			}
		}
		if got, want := s.Status(), fresh.Status(); got.Excluded != want.Excluded || got.Fragments != len(k.fragments) {
			t.Fatalf("%d of %d excluded, want %d of %d", got.Excluded, got.Fragments, want.Excluded, len(k.fragments))
		}
		if s.Table().Patched() != nil {
			patched++
		}
		excluded += s.Status().Excluded
	}
	return patched, excluded
}

// TestOwners: a fragment can neither get the mail of a domain that the Corefile declares nor be its exchange, and each
// of its names that is excluded is in the log, also after a start. What else it declares is served.
func TestOwners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const corefile = "mxsrv {\n host mx1 192.0.2.1\n mail @ 10 mx1\n}"
		p, log, k := followFragments(t, corefile)
		k.edit(put("attack", "mail example.org. 0 mail.attacker.example.\nhost mx1.example.org. 203.0.113.66\nhost other 192.0.2.2"))
		fresh, freshLog, _ := fragmented(t, corefile, "fresh "+t.Name(), k.fragments, k.revision)
		if err := fresh.Load(); err != nil {
			t.Fatal(err)
		}
		for _, p := range []*Publisher{p, fresh} {
			for question, want := range map[string]string{"example.org. MX": "10 mx1.example.org.", "mx1.example.org. A": "192.0.2.1", "other.example.org. A": "192.0.2.2"} {
				name, rrtype, _ := strings.Cut(question, " ")
				_, a := p.Table().Lookup(name, dns.StringToType[rrtype])
				if len(a.RRs) != 1 || !strings.HasSuffix(a.RRs[0].String(), "\t"+want) {
					t.Errorf("%s: %v, want %s", question, a.RRs, want)
				}
			}
		}
		for _, log := range []*recorder{log, freshLog} {
			expect(t, "log", log.errors,
				"excluded: etcd:attack:1: error: example.org. is declared at Corefile:3: delete it here [fragment-closed]",
				"excluded: etcd:attack:2: error: mx1.example.org. is declared at Corefile:2: delete it here, or write open into the block there [fragment-closed]")
			if log.excluded != 1 {
				t.Errorf("%d fragments counted", log.excluded)
			}
		}
	})
}

// TestPatchesShare: each of many patches keeps what is of its change, and nothing for each
// zone.
func TestPatchesShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var zones strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&zones, " z%d.example", i)
		}
		p, _, k := followFragments(t, "mxsrv"+zones.String()+" {\n}")
		heap := func() uint64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		const patches, most = 300, 100_000
		before := heap()
		for i := range patches {
			k.edit(put(fmt.Sprint(i), fmt.Sprintf("host h%d.z%d.example. 192.0.2.1", i, i)))
		}
		if each := int(heap()-before) / patches; each > most {
			t.Errorf("%d bytes for each of %d patches, want %d at most", each, patches, most)
		}
		if n := len(p.Table().Patched()); n != patches {
			t.Errorf("%d names patched, want %d", n, patches)
		}
	})
}

func put(key, text string) change.Edit {
	return change.Edit{Fragment: change.Fragment{Key: key, Text: text}}
}
