package mxsrv

import (
	"sync"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/transfer"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A notifier tells the secondaries of zones that something has changed (RFC
// 1996). Each zone waits for its own secondaries alone, which takes seconds where
// one is silent; what changes meanwhile is told once, afterwards.
type notifier struct {
	transfer *transfer.Transfer // nil if nothing is transferred

	mu     sync.Mutex
	states map[definition.Name]notifying
}

// notifying is how far a zone is.
type notifying int

const (
	idle notifying = iota
	sending
	again // sending what is not the newest any more
)

// newNotifier looks for the transfer plugin of the block.
func newNotifier(server *dnsserver.Config) *notifier {
	t, _ := server.Handler("transfer").(*transfer.Transfer)
	return &notifier{transfer: t, states: make(map[definition.Name]notifying)}
}

// notify starts to tell the secondaries of zones.
func (n *notifier) notify(zones ...definition.Name) {
	if n == nil || n.transfer == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, zone := range zones {
		if n.states[zone] == idle {
			n.states[zone] = sending
			go n.send(zone)
		} else {
			n.states[zone] = again
		}
	}
}

func (n *notifier) send(zone definition.Name) {
	for {
		if err := n.transfer.Notify(string(zone)); err != nil {
			log.Warningf("%v", err)
		}
		n.mu.Lock()
		done := n.states[zone] == sending
		n.states[zone]--
		n.mu.Unlock()
		if done {
			return
		}
	}
}
