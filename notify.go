package mxsrv

import (
	"strings"
	"sync"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/transfer"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A notifier sends NOTIFY to the secondaries of zones (RFC 1996). A zone waits for its own
// secondaries alone, which takes seconds where one does not answer. What changes meanwhile
// is notified once, afterwards.
type notifier struct {
	send func(zone string) error // to all secondaries of a zone; returns when they have answered

	mu      sync.Mutex
	sending map[definition.Name]bool // the zones of which one is under way or waits: whether another must follow
	waiting []definition.Name        // those that wait for a worker
	workers int
	stopped bool
}

// maxWorkers is how many zones are notified at a time: after a reload all of them are.
const maxWorkers = 32

// newNotifier returns one that sends what the transfer plugin of the block sends, or nil
// if there is none.
func newNotifier(server *dnsserver.Config) *notifier {
	t, ok := server.Handler("transfer").(*transfer.Transfer)
	if !ok {
		return nil
	}
	return &notifier{send: t.Notify, sending: make(map[definition.Name]bool)}
}

// notify sends NOTIFY for some zones, and does not wait for that. With nil it does nothing.
func (n *notifier) notify(zones []definition.Name) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stopped {
		return
	}
	for _, zone := range zones {
		_, underWay := n.sending[zone]
		n.sending[zone] = underWay
		if !underWay {
			n.waiting = append(n.waiting, zone)
		}
	}
	for n.workers < maxWorkers && len(n.waiting) > 0 {
		n.workers++
		go n.run(n.take())
	}
}

// take returns the next zone that waits, of which there must be one.
func (n *notifier) take() definition.Name {
	zone := n.waiting[0]
	n.waiting = n.waiting[1:]
	return zone
}

// stop drops what waits. What is under way ends within the seconds that a secondary has.
func (n *notifier) stop() {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopped, n.waiting = true, nil
}

// run sends NOTIFY for a zone until nothing has changed since the last, and then for those
// that wait.
func (n *notifier) run(zone definition.Name) {
	for again := true; again; zone, again = n.another(zone) {
		if err := n.send(string(zone)); err != nil {
			for line := range strings.Lines(err.Error()) { // one for each secondary
				log.Warning(strings.TrimSpace(line))
			}
		}
	}
}

// another returns the zone of the NOTIFY that must follow the one that has been sent, if any.
func (n *notifier) another(zone definition.Name) (definition.Name, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sending[zone] && !n.stopped {
		n.sending[zone] = false
		return zone, true
	}
	delete(n.sending, zone)
	if len(n.waiting) > 0 {
		return n.take(), true
	}
	n.workers--
	return "", false
}
