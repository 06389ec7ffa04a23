package mxsrv

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/block"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// late is a source that delivers a text when it is told to.
type late struct {
	source.Source
	text chan string
}

func (late) Load() *source.Content { return nil }

func (l late) Run(ctx context.Context, deliver func(*source.Content)) {
	for {
		select {
		case <-ctx.Done():
			return
		case text := <-l.text:
			deliver(&source.Content{Texts: []*definition.Text{definition.NewText("late", text, definition.Zones{"example.org."})}})
		}
	}
}

// TestReady: until all sources of all blocks have delivered, and what they
// declare could be served, no handler is ready, and nothing below the zones of
// those that wait is answered or denied.
func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := &behind{answer: new(dns.Msg)}
		complete, err := load(t, defined, next)
		if err != nil {
			t.Fatal(err)
		}
		l := late{source.Static("late", nil, nil), make(chan string)}
		waiting := &MXSRV{Next: next}
		if err := waiting.configure(&block.Block{Zones: definition.Zones{"example.org."}, Inline: new(definition.Set)}, "test"); err != nil {
			t.Fatal(err)
		}
		waiting.sources = source.Collect(l)
		if err := waiting.load(); err != nil {
			t.Fatal(err)
		}
		i := new(instance)
		i.add(waiting)
		i.add(complete)
		i.follow()
		defer i.stop()

		for _, step := range []struct {
			name, text string
			ready      bool
			rcode      int
		}{
			{"nothing delivered", "", false, dns.RcodeServerFailure},
			{"a mistake", "oops", false, dns.RcodeServerFailure},
			{"definitions", "mail @ none", true, dns.RcodeSuccess},
			{"another mistake", "oops", true, dns.RcodeSuccess},
		} {
			if step.text != "" {
				l.text <- step.text
				synctest.Wait()
			}
			for _, m := range i.handlers {
				if m.Ready() != step.ready {
					t.Errorf("%s: ready is %v, want %v", step.name, m.Ready(), step.ready)
				}
			}
			rcode, res, err := ask(t, waiting, new(dns.Msg).SetQuestion("example.org.", dns.TypeMX))
			if rcode != step.rcode || err != nil || (res != nil) != step.ready {
				t.Errorf("%s: rcode %d, %v, %v", step.name, rcode, err, res)
			}
			asked := next.asked
			if ask(t, waiting, new(dns.Msg).SetQuestion("example.com.", dns.TypeMX)); next.asked != asked+1 {
				t.Errorf("%s: a name in no zone is not passed on", step.name)
			}
		}
	})
}
