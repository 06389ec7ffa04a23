package publish

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/skydns"
)

// withTree returns a publisher of fragments and a tree beside a Corefile, which has loaded nothing yet.
func withTree(t *testing.T, corefile, server string, fragments, tree *keys) (*Publisher, *recorder, *keys, *keys) {
	t.Helper()
	copied := func(k *keys) *keys {
		return &keys{fragments: maps.Clone(k.fragments), revision: k.revision, next: make(chan *change.Content)}
	}
	f, k := copied(fragments), copied(tree)
	c := configOf(corefile, server, f, k)
	c.Fragments, f.zones, k.zones = true, c.Zones, c.Zones
	k.newTree = func() change.Tree { return skydns.New("/skydns/", c.Zones) }
	p, log := newPublisher(t, c)
	return p, log, f, k
}

// treeEdit returns an edit of a key whose names are those of the stanzas of a writer.
func (w writer) treeEdit() change.Edit {
	e := change.Edit{Gone: w.IntN(3) == 0}
	e.Key = "/skydns/org/example" + w.of("", "/d1", "/d1", "/_tcp", "/deep/er") + "/" + w.of("h1", "h2", "d2", "w1", "w2", "x1", "_ldap")
	e.Text = fmt.Sprintf(`{"host":"%s","port":%d,"mail":%v,"targetstrip":%d}`,
		w.of("192.0.2.1", "192.0.2.2", "2001:db8::7", strings.TrimSuffix(w.host(), ".")+".example.org", "w1.example.org"),
		w.IntN(2), w.IntN(4) == 0, w.IntN(2))
	return e
}

// TestTree: however keys of a tree and fragments come and go, all is as if what is there had been loaded from nothing.
func TestTree(t *testing.T) {
	patched := 0
	for _, corefile := range []string{
		"mxsrv example.org d1.example.org {\n host h1 192.0.2.200\n mail d1 d2 10 h2\n alias w1 h3\n}",
		"mxsrv example.org {\n authoritative {\n ns h1 ns.example.net.\n }\n host h1 192.0.2.1\n mail d1 10 w2\n}",
	} {
		for seed := range uint64(seeds / 2) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				forgetSerials()
				synctest.Test(t, func(t *testing.T) { patched += treeComesAndGoes(t, corefile, seed) })
			})
		}
	}
	if all := seeds * edits; patched < all*3/4 {
		t.Errorf("%d of %d patched: too few show anything", patched, all)
	}
}

func treeComesAndGoes(t *testing.T, corefile string, seed uint64) (patched int) {
	w := writer{rand.New(rand.NewPCG(seed, 4))}
	s := &stage{corefile: corefile}
	var fragments, tree *keys
	none := &keys{fragments: map[string]change.Fragment{}, revision: 1}
	s.Publisher, s.log, fragments, tree = withTree(t, corefile, "followed "+t.Name(), none, none)
	if err := s.Load(); err != nil {
		t.Fatal(err)
	}
	s.Follow()
	t.Cleanup(s.Stop)
	synctest.Wait()
	for range edits {
		if w.IntN(3) == 0 {
			e := change.Edit{Gone: w.IntN(3) == 0}
			e.Key, e.Text = fmt.Sprint(w.IntN(10)), w.stanza()
			fragments.edit(e)
		} else {
			tree.edit(w.treeEdit())
		}
		fresh, _, _, _ := withTree(t, corefile, "fresh "+t.Name(), fragments, tree)
		if err := fresh.Load(); err != nil {
			t.Fatal(err)
		}
		s.compare(t, fresh)
		if s.Table().Patched() != nil {
			patched++
		}
	}
	return patched
}

// TestTreeIsNotJudged: nothing in a tree holds up what others declare, nor is a warning about it logged.
func TestTreeIsNotJudged(t *testing.T) {
	const corefile = "mxsrv example.org {\n mail @ 10 w1\n mail @ 20 h2\n host own 192.0.2.1\n}"
	tree := &keys{revision: 1, fragments: map[string]change.Fragment{}}
	for key, text := range map[string]string{
		"w1": `{"host":"h1.example.org"}`, "h1": `{"host":"192.0.2.1","port":80}`, "h2": `{"host":"198.51.100.1"}`,
		"_x": `{"host":"0.0.0.0","mail":true}`, "own": `{"host":"192.0.2.2"}`, "bad": "no JSON",
	} {
		key = "/skydns/org/example/" + key
		tree.fragments[key] = change.Fragment{Key: key, Text: text}
	}
	p, log, _, _ := withTree(t, corefile, t.Name(), &keys{revision: 1}, tree)
	if err := p.Load(); err != nil {
		t.Fatal(err)
	}
	p.logLoaded()
	if len(log.warnings) > 0 {
		t.Errorf("%q", log.warnings)
	}
	if s := p.Status(); s.Fragments != 6 || s.Excluded != 1 {
		t.Errorf("%d keys, %d excluded", s.Fragments, s.Excluded)
	}
	for _, tc := range []struct {
		name  definition.Name
		qtype uint16
		want  string
	}{{"own.example.org.", dns.TypeA, "192.0.2.1"}, {"w1.example.org.", dns.TypeA, "h1.example.org."}} {
		if got := answered(p.Table(), tc.name, tc.qtype); !strings.Contains(got, tc.want) || strings.Contains(got, "192.0.2.2") {
			t.Errorf("%s: %s", tc.name, got)
		}
	}
	findings := p.check(p.read())
	if err := lint.Err(findings); err != nil || len(findings) > 0 {
		t.Error(findings)
	}
}
