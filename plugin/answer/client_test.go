package answer

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A client is connected to a server of miekg/dns, which is real, and keeps what came last.
// Nothing goes over a network.
type client struct {
	dns.ResponseWriter // of the server, to the client
	octets             []byte
}

// newClient has one that asks over UDP or TCP.
func newClient(tb testing.TB, tcp bool) *client {
	tb.Helper()
	c, writers := new(client), make(chan dns.ResponseWriter, 1)
	l := &connection{client: c, open: make(chan struct{})}
	server := &dns.Server{Handler: dns.HandlerFunc(func(w dns.ResponseWriter, _ *dns.Msg) { writers <- w })}
	query, err := new(dns.Msg).SetQuestion(".", dns.TypeNS).Pack()
	if err != nil {
		tb.Fatal(err)
	}
	if tcp {
		server.Listener = &listener{connection: l}
		l.asks = binary.BigEndian.AppendUint16(nil, uint16(len(query)))
	} else {
		server.PacketConn = packets{l}
	}
	l.asks = append(l.asks, query...)
	go func() { _ = server.ActivateAndServe() }()
	tb.Cleanup(l.disconnect)
	c.ResponseWriter = <-writers
	return c
}

// message is what came last.
func (c *client) message(tb testing.TB) *dns.Msg {
	tb.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(c.octets); err != nil {
		tb.Fatalf("%v: %x", err, c.octets)
	}
	return m
}

// A connection is both ends of one over TCP, or of packets.
type connection struct {
	net.Conn
	*client
	asks []byte // what the server has not read of the only query
	open chan struct{}
	once sync.Once
}

func (l *connection) disconnect() { l.once.Do(func() { close(l.open) }) }

func (l *connection) Read(b []byte) (int, error) {
	if len(l.asks) == 0 {
		<-l.open
		return 0, io.EOF
	}
	n := copy(b, l.asks)
	l.asks = l.asks[n:]
	return n, nil
}

func (l *connection) Write(b []byte) (int, error) {
	l.octets = append(l.octets[:0], b[2:]...)
	return len(b), nil
}

func (l *connection) Close() error                     { return nil }
func (l *connection) SetReadDeadline(time.Time) error  { return nil }
func (l *connection) LocalAddr() net.Addr              { return tcpAddr }
func (l *connection) RemoteAddr() net.Addr             { return tcpAddr }
func (l *connection) SetWriteDeadline(time.Time) error { return nil }

// packets is the connection of who asks over UDP.
type packets struct{ *connection }

func (p packets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := p.Read(b)
	return n, udpAddr, err
}

func (p packets) WriteTo(b []byte, _ net.Addr) (int, error) {
	p.octets = append(p.octets[:0], b...)
	return len(b), nil
}

func (p packets) LocalAddr() net.Addr         { return udpAddr }
func (p packets) SetDeadline(time.Time) error { return nil }

// A listener has one connection.
type listener struct {
	*connection
	accepted bool
}

func (l *listener) Accept() (net.Conn, error) {
	if l.accepted {
		<-l.open
		return nil, io.EOF
	}
	l.accepted = true
	return l.connection, nil
}

func (l *listener) Addr() net.Addr { return tcpAddr }

var (
	udpAddr = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40212}
	tcpAddr = &net.TCPAddr{IP: udpAddr.IP, Port: udpAddr.Port}
)
