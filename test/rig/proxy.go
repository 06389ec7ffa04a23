package rig

import (
	"net"
	"sync"
	"testing"
)

// A Proxy is a way to a TCP server that can be cut, or go silent.
type Proxy struct {
	listener net.Listener

	mu     sync.Mutex
	target string
	state  proxyState
	conns  map[net.Conn]bool
}

type proxyState int

const (
	passing proxyState = iota
	cut                // connections end
	silent             // what is sent is swallowed
)

// NewProxy returns a proxy of a server, HOST:PORT, on a port of its own.
func NewProxy(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, target: target, conns: map[net.Conn]bool{}}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.carry(client)
		}
	}()
	return p, nil
}

// ProxyTo returns a proxy of a server, which is closed when the test ends.
func ProxyTo(t testing.TB, target string) *Proxy {
	t.Helper()
	p, err := NewProxy(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// Addr returns where clients find the proxy, HOST:PORT.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close ends the proxy and its connections.
func (p *Proxy) Close() {
	p.listener.Close()
	p.Cut()
}

// Cut ends all connections, and those that come.
func (p *Proxy) Cut() { p.set(cut) }

// Silence swallows what is sent in either direction.
func (p *Proxy) Silence() { p.set(silent) }

// Restore lets new connections through. Those that have lost octets end.
func (p *Proxy) Restore() { p.set(passing) }

// Retarget makes new connections go to another server.
func (p *Proxy) Retarget(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

func (p *Proxy) set(s proxyState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = s
	if s != silent {
		for c := range p.conns {
			c.Close()
		}
	}
}

func (p *Proxy) now() (target string, state proxyState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target, p.state
}

// add reports whether a connection may be.
func (p *Proxy) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
	return p.state != cut
}

func (p *Proxy) end(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.Close()
	delete(p.conns, c)
}

func (p *Proxy) carry(client net.Conn) {
	defer p.end(client)
	target, _ := p.now()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer p.end(server)
	if !p.add(client) || !p.add(server) {
		return
	}
	ended := make(chan bool, 2)
	go p.pump(client, server, ended)
	go p.pump(server, client, ended)
	<-ended
}

func (p *Proxy) pump(from, to net.Conn, ended chan<- bool) {
	b := make([]byte, 1<<16)
	for {
		n, err := from.Read(b)
		if _, state := p.now(); err == nil && state != silent {
			_, err = to.Write(b[:n])
		}
		if err != nil {
			ended <- true
			return
		}
	}
}
