package mxsrv

import (
	"sync"
	"sync/atomic"

	"github.com/coredns/caddy"

	"github.com/mxsrv/mxsrv/plugin/publish"
)

// An instance has all handlers of one reading of the Corefile. CoreDNS makes a new one for each reload, and drops it
// without a word if it does not start. It is followed once it serves, and only until another one does.
type instance struct {
	handlers []*MXSRV

	mu    sync.Mutex
	state int // waiting, following or stopped

	before atomic.Pointer[instance] // that served before, whose verdicts this one takes over until it follows
}

const (
	waiting = iota
	following
	stopped
)

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
	c.OnRestartFailed(i.restartFailed)
	for _, other := range caddy.Instances() {
		watch(other)
	}
	listen()
	return i
}

func (i *instance) add(m *MXSRV) {
	m.instance = i
	i.handlers = append(i.handlers, m)
}

// watch makes sure that restartFailed is called when a running server without mxsrv fails to reload: the new one, with
// mxsrv, may serve all the same.
func watch(running *caddy.Instance) {
	if instanceIn(running) != nil {
		return
	}
	i := new(instance)
	running.StorageMu.Lock()
	defer running.StorageMu.Unlock()
	running.Storage[instanceKey{}] = i
	running.OnRestartFailed = append(running.OnRestartFailed, i.restartFailed)
}

// instanceIn returns the instance of a running server, or nil if it has no mxsrv.
func instanceIn(running *caddy.Instance) *instance {
	running.StorageMu.RLock()
	defer running.StorageMu.RUnlock()
	i, _ := running.Storage[instanceKey{}].(*instance)
	return i
}

// started is called by CoreDNS with the instance that serves from now on. It is not called after a reload that fails:
// see restartFailed.
func started(event caddy.EventName, info any) error {
	if running, ok := info.(*caddy.Instance); ok && event == caddy.InstanceStartupEvent {
		serve(instanceIn(running))
	}
	return nil
}

// restartFailed is called by CoreDNS when a reload has failed that would have replaced i. If it has failed before the
// new instance served, i goes on. But the new one serves if the old one could not be shut down, as another plugin did
// not want to: CoreDNS has closed its sockets before it asks.
func (i *instance) restartFailed() error {
	var newest *instance
	for _, running := range caddy.Instances() { // without those that did not start, or were stopped
		if newest = instanceIn(running); newest == i {
			i.logKept()
			return nil
		}
	}
	serve(newest)
	return nil
}

// logKept logs that a reload was in vain: if only a definitions file is corrected then, CoreDNS does not try it again.
func (i *instance) logKept() {
	if len(i.handlers) > 0 {
		log.Warning("the reload failed, and the Corefile is still served as it was before: " +
			`run "mxsrv check", and once all is corrected, change the Corefile again or send SIGUSR1`)
	}
}

// serve makes an instance, or nil, the one that serves, and stops the one before, for which CoreDNS may not have asked.
func serve(i *instance) {
	before := serving.Swap(i)
	if before == i {
		return
	}
	if before != nil {
		_ = before.stop()
	}
	if i != nil {
		if before != nil {
			i.before.Store(before)
		}
		i.follow()
		i.before.Store(nil)
	}
}

// accepted returns what the instance that serves has accepted of files.
func accepted() (all []*publish.Accepted) {
	if i := serving.Load(); i != nil {
		for _, m := range i.handlers {
			if a := m.publisher.Accepted(); a != nil {
				all = append(all, a)
			}
		}
	}
	return all
}

// follow begins to publish changes, unless the instance was stopped.
func (i *instance) follow() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.state != waiting {
		return
	}
	i.state = following
	for _, m := range i.handlers {
		m.publisher.Follow()
		m.responder.Follow()
	}
}

// stop ends that, and returns when nothing is published any more.
func (i *instance) stop() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.state = stopped
	for _, m := range i.handlers {
		m.responder.Stop()
		m.publisher.Stop()
		m.observer.secondaries.stop()
	}
	serving.CompareAndSwap(i, nil)
	return nil
}

// listen asks for the events of CoreDNS, once: asked twice, it panics. Whether that was
// done cannot be remembered, as SIGUSR1 forgets who has asked and the reload plugin does not.
func listen() {
	defer func() { _ = recover() }()
	caddy.RegisterEventHook(pluginName, started)
}
