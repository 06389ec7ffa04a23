package mxsrv

import (
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
	sending map[definition.Name]bool // the zones of which one is under way: whether another must follow
}

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
	for _, zone := range zones {
		_, underWay := n.sending[zone]
		n.sending[zone] = underWay
		if !underWay {
			go n.run(zone)
		}
	}
}

// run sends NOTIFY for a zone until nothing has changed since the last.
func (n *notifier) run(zone definition.Name) {
	for again := true; again; again = n.another(zone) {
		if err := n.send(string(zone)); err != nil {
			log.Warningf("%v", err)
		}
	}
}

// another reports whether another NOTIFY must follow the one that has been sent.
func (n *notifier) another(zone definition.Name) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.sending[zone] {
		n.sending[zone] = false
		return true
	}
	delete(n.sending, zone)
	return false
}
