package mxsrv

import (
	"sync/atomic"

	"github.com/coredns/caddy"
)

// An instance has all handlers of one reading of the Corefile. CoreDNS makes a new
// one for each reload. If that starts, CoreDNS stops the old one; if not, it drops the new
// one, and tells nobody.
type instance struct{ handlers []*MXSRV }

// serving is the instance that serves, or nil.
var serving atomic.Pointer[instance]

type instanceKey struct{}

// instanceOf returns the instance that a setup belongs to, which all setups of one
// reading share.
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

// started is called by CoreDNS when an instance serves. Only then does it follow its
// sources: one that is dropped before would never be stopped.
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

// follow begins to publish changes.
func (i *instance) follow() {
	for _, m := range i.handlers {
		m.publisher.Follow()
		m.responder.Follow(m.Next)
	}
}

// stop ends that, and returns when nothing is published any more.
func (i *instance) stop() error {
	for _, m := range i.handlers {
		m.responder.Stop()
		m.publisher.Stop()
		m.observer.secondaries.stop()
	}
	return nil
}

// listen asks for the events of CoreDNS, once: asked twice, it panics. Whether that was
// done cannot be remembered, as SIGUSR1 forgets who has asked and the reload plugin does not.
func listen() {
	defer func() { _ = recover() }()
	caddy.RegisterEventHook(pluginName, started)
}
