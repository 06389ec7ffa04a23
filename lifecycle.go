package mxsrv

import (
	"sync"
	"sync/atomic"

	"github.com/coredns/caddy"
)

// An instance is all handlers of one reading of the Corefile. CoreDNS makes a
// new one for each reload, stops the old one if the new one starts, and drops
// the new one without a word if it does not.
type instance struct{ handlers []*MXSRV }

// serving is the instance that serves.
var serving atomic.Pointer[instance]

type instanceKey struct{}

// instanceOf returns the instance that a setup belongs to.
func instanceOf(c *caddy.Controller) *instance {
	if i, ok := c.Get(instanceKey{}).(*instance); ok {
		return i
	}
	i := new(instance)
	c.Set(instanceKey{}, i)
	c.OnShutdown(i.stop)
	listen()
	return i
}

func (i *instance) add(m *MXSRV) {
	m.instance = i
	i.handlers = append(i.handlers, m)
}

// started is told by CoreDNS that an instance serves. Only then are definitions
// followed: an instance that is dropped before would never be told to stop.
func started(event caddy.EventName, info any) error {
	running, ok := info.(*caddy.Instance)
	if event != caddy.InstanceStartupEvent || !ok {
		return nil
	}
	running.StorageMu.RLock()
	defer running.StorageMu.RUnlock()
	i, _ := running.Storage[instanceKey{}].(*instance)
	serving.Store(i)
	if i != nil {
		i.follow()
	}
	return nil
}

func (i *instance) follow() {
	for _, m := range i.handlers {
		m.publisher.Follow()
	}
}

func (i *instance) stop() error {
	for _, m := range i.handlers {
		m.publisher.Stop()
	}
	return nil
}

var listening sync.Mutex

// listen asks for the events of CoreDNS. Whether that was asked before cannot be
// remembered: SIGUSR1 forgets who has asked.
func listen() {
	listening.Lock()
	defer listening.Unlock()
	defer func() { _ = recover() }() // it panics if it was asked before
	caddy.RegisterEventHook(pluginName, started)
}
