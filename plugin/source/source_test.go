package source

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// said is a source that delivers what it is told to.
type said struct {
	Source
	deliveries chan string
}

func read(text string) (*definition.Set, definition.Errors) {
	return definition.Read("said", text, definition.Zones{"example.org."})
}

func (s said) Run(ctx context.Context, deliver func(*Content)) {
	for {
		select {
		case <-ctx.Done():
			return
		case text, more := <-s.deliveries:
			if !more {
				return
			}
			set, errs := read(text)
			deliver(&Content{Set: set, Errs: errs})
		}
	}
}

// say has the source deliver, and waits until that has had its effect.
func (s said) say(text string) {
	s.deliveries <- text
	synctest.Wait()
}

// saying returns a source that declares a text from the start, or nothing yet.
func saying(name, text string) said {
	s := said{Static(name, nil, nil), make(chan string)}
	if text != "" {
		set, errs := read(text)
		s.Source = Static(name, set, errs)
	}
	return s
}

// TestCollector: what is published of several sources.
func TestCollector(t *testing.T) {
	d := folder{t, ""}
	for _, tc := range []struct {
		name   string
		first  []string // what each source declares at the start, "" is nothing yet
		change func(sources []said)
		want   []string // what is there at the start, then what is published, each after the name of what changed
	}{
		{"a change of one of two", []string{host("a"), host("b")},
			func(s []said) { s[1].say(host("c")) },
			[]string{"a b", "1: a c"}},
		{"changes of both", []string{host("a"), host("b")},
			func(s []said) { s[1].say(host("c")); s[0].say(host("d")) },
			[]string{"a b", "1: a c", "0: c d"}},
		{"a source that comes late", []string{host("a"), ""},
			func(s []said) {
				s[0].say(host("c"))
				s[1].say(host("b"))
			},
			[]string{"nothing", "1: b c"}},
		{"a mistake stays until it is corrected", []string{host("a"), host("b")},
			func(s []said) {
				s[0].say("oops")
				s[1].say(host("c"))
				s[0].say(host("a"))
			},
			[]string{"a b", `0: b said:1: unknown word "oops": write one of alias, host, mail, service, ttl`,
				`1: c said:1: unknown word "oops": write one of alias, host, mail, service, ttl`, "0: a c"}},
		{"one that ends", []string{host("a"), host("b")},
			func(s []said) {
				close(s[0].deliveries)
				synctest.Wait()
				s[1].say(host("c"))
				s[1].say(host("d"))
			},
			[]string{"a b", "1: a c", "1: a d"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sources []Source
				var all []said
				for i, text := range tc.first {
					all = append(all, saying(string('0'+rune(i)), text))
					sources = append(sources, all[i])
				}
				static, _ := read("alias www a")
				c := Collect(append(sources, Static("Corefile", static, nil))...)
				got := []string{"nothing"}
				if set, errs := c.Load(); set != nil {
					got[0] = d.declared(set, errs)
				}
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan bool)
				go func() {
					c.Run(ctx, func(change *Change) {
						set, errs := change.Read()
						if len(set.Aliases) != 1 {
							t.Errorf("%d aliases, want that of the Corefile", len(set.Aliases))
						}
						got = append(got, change.Source.String()+": "+d.declared(set, errs))
					})
					close(ended)
				}()
				tc.change(all)
				synctest.Wait()
				cancel()
				<-ended
				if !slices.Equal(got, tc.want) {
					t.Errorf("published %q\nwant %q", got, tc.want)
				}
			})
		})
	}
}

// TestCollectorEnds: Run returns when nothing can change any more.
func TestCollectorEnds(t *testing.T) {
	s := saying("0", host("a"))
	c := Collect(s)
	c.Load()
	close(s.deliveries)
	c.Run(t.Context(), func(*Change) { t.Error("published") })
	if t.Context().Err() != nil {
		t.Error("it went on until the test ended")
	}
}
