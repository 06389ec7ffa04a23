package mxsrv

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/answer"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/publish"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// late is a source that delivers a text when it is told to.
type late struct {
	source.Source
	text chan string
}

func (late) Load() *change.Content { return nil }

func (l late) Run(ctx context.Context, deliver func(*change.Content)) {
	for {
		select {
		case <-ctx.Done():
			return
		case text := <-l.text:
			document := change.NewDocument("late", text, definition.NewReader(lateZones))
			deliver(&change.Content{Documents: []*change.Document{document}})
		}
	}
}

var lateZones = definition.Zones{"example.org."}

// newWaiting returns the handler of a block with one source, which is late.
func newWaiting(t *testing.T, l late, next *nextPlugin) *MXSRV {
	t.Helper()
	p, err := publish.New(publish.Config{Zones: lateZones, Sources: []source.Source{l}, View: "test"}, new(observer))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Load(); err != nil {
		t.Fatal(err)
	}
	return &MXSRV{observer: new(observer), Next: next, publisher: p, responder: answer.New(answer.Config{Zones: lateZones})}
}

// TestReady: until all sources of all blocks have delivered, and what they
// declare could be served, no handler is ready, and nothing below the zones of
// those that wait is answered or denied. Other instances do not matter.
func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next, behind := &nextPlugin{answer: new(dns.Msg)}, &nextPlugin{answer: new(dns.Msg)}
		complete, err := load(t, defined, behind)
		if err != nil {
			t.Fatal(err)
		}
		l := late{source.Static("late", nil, nil), make(chan string)}
		waiting := newWaiting(t, l, next)
		i := new(instance)
		i.add(waiting)
		i.add(complete)
		i.follow()
		defer i.stop()
		synctest.Wait()        // the next plugins have been asked for the SOA
		other := new(instance) // of another Corefile, which has not started or has ended
		other.add(newWaiting(t, l, next))

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
			if other.handlers[0].Ready() {
				t.Errorf("%s: one that waits is ready by what another instance has", step.name)
			}
			rcode, res, err := ask(t, waiting, new(dns.Msg).SetQuestion("example.org.", dns.TypeMX))
			if rcode != step.rcode || err != nil || (res != nil) != step.ready {
				t.Errorf("%s: rcode %d, %v, %v", step.name, rcode, err, res)
			}
			asked := next.asked
			if ask(t, waiting, new(dns.Msg).SetQuestion("example.com.", dns.TypeMX)); next.asked != asked+1 {
				t.Errorf("%s: a name in no zone does not go to the next plugin", step.name)
			}
		}
	})
}
