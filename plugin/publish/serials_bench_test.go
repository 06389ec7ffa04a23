package publish

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A waiter is an observer that hands on which zones have changed.
type waiter struct {
	recorder
	zones chan []definition.Name
}

func (w *waiter) Info(string)                     {}
func (w *waiter) Changed(zones []definition.Name) { w.zones <- zones }

// BenchmarkChangeOfOneZone changes a zone of many, whose serials are kept in a file. Of more than 4000 everything is
// loaded.
func BenchmarkChangeOfOneZone(b *testing.B) {
	for _, zones := range []int{1000, 3000, 10_000} {
		b.Run(fmt.Sprint(zones), func(b *testing.B) { changeOneZone(b, zones) })
	}
}

func changeOneZone(b *testing.B, count int) {
	var zones []string
	for n := range count {
		zones = append(zones, fmt.Sprintf("z%d.example", n))
	}
	k := &keys{fragments: map[string]change.Fragment{}, revision: 1, next: make(chan *change.Content)}
	path := filepath.Join(b.TempDir(), "serials")
	corefile := "mxsrv " + strings.Join(zones, " ") + " {\n authoritative {\n ns ns1.example.net.\n }\n serials " + path + "\n}"
	c := configOf(corefile, b.Name(), k)
	c.Fragments, k.zones = true, c.Zones
	w := &waiter{zones: make(chan []definition.Name, 1)}
	p, err := New(c, w)
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Load(); err != nil {
		b.Fatal(err)
	}
	<-w.zones
	p.Follow()
	defer p.Stop()
	<-w.zones
	n := 0
	for b.Loop() {
		n++
		text := fmt.Sprintf("host a.z7.example. 192.0.2.%d", n%250+1)
		k.next <- &change.Content{Zones: k.zones, Revision: int64(n + 1),
			Edits: []change.Edit{{Fragment: change.Fragment{Key: "a", Text: text, Created: 1}}}}
		if changed := <-w.zones; len(changed) == 0 {
			b.Fatal("nothing has changed")
		}
	}
}

// BenchmarkNote notes a zone of ten thousand in their file, which is what a change waits for.
func BenchmarkNote(b *testing.B) {
	forgetSerials()
	f, err := openSerials(filepath.Join(b.TempDir(), "serials"))
	if err != nil {
		b.Fatal(err)
	}
	all := make(map[definition.Name]entry)
	for n := range 10_000 {
		all[definition.Name(fmt.Sprintf("z%d.example.", n))] = entry{view: "dns://:53", serial: 1}
	}
	if err := f.note(all); err != nil {
		b.Fatal(err)
	}
	if err := f.follow(func(err error) { b.Error(err) }); err != nil {
		b.Fatal(err)
	}
	serial := uint32(1)
	for b.Loop() {
		serial++
		if err := f.note(map[definition.Name]entry{"z7.example.": {view: "dns://:53", serial: serial}}); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.unfollow(); err != nil {
		b.Fatal(err)
	}
}
