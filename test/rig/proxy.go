package rig

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A Proxy is a way to a TCP server that can be cut, or go silent.
type Proxy struct {
	net.Listener

	mu          sync.Mutex
	target      string
	cut, silent bool
	conns       map[net.Conn]bool
}

// ProxyTo returns a proxy of a server, HOST:PORT, which ends with the test.
func ProxyTo(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Listener: l, target: target, conns: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close(); p.Cut() })
	go func() {
		for client, err := l.Accept(); err == nil; client, err = l.Accept() {
			go p.carry(client)
		}
	}()
	return p
}

// Address returns where clients find the proxy, HOST:PORT.
func (p *Proxy) Address() string { return p.Addr().String() }

// Cut ends all connections, and those that come.
func (p *Proxy) Cut() { p.set(true, false) }

// Silence swallows what is sent in either direction.
func (p *Proxy) Silence() { p.set(false, true) }

// Restore lets new connections through. Those that were there end: they may have lost
// what was sent.
func (p *Proxy) Restore() { p.set(false, false) }

func (p *Proxy) set(cut, silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.silent = cut, silent
	for c := range p.conns {
		if !silent {
			c.Close()
		}
	}
}

// Retarget makes new connections go to another server.
func (p *Proxy) Retarget(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// keep makes a connection end with the next cut, or at once, and returns the server.
func (p *Proxy) keep(c net.Conn) (target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
	if p.cut {
		c.Close()
	}
	return p.target
}

func (p *Proxy) end(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.Close()
	delete(p.conns, c)
}

func (p *Proxy) carry(client net.Conn) {
	defer p.end(client)
	server, err := net.Dial("tcp", p.keep(client))
	if err != nil {
		return
	}
	defer p.end(server)
	p.keep(server)
	ended := make(chan error, 2)
	pump := func(to, from net.Conn) {
		_, err := io.Copy(side{p, to}, from)
		ended <- err
	}
	go pump(server, client)
	go pump(client, server)
	<-ended
}

// A side is one end of a connection, written to unless the proxy is silent.
type side struct {
	proxy *Proxy
	net.Conn
}

func (s side) Write(b []byte) (int, error) {
	s.proxy.mu.Lock()
	silent := s.proxy.silent
	s.proxy.mu.Unlock()
	if silent {
		return len(b), nil
	}
	return s.Conn.Write(b)
}
