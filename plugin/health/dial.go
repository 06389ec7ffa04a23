package health

import (
	"context"
	"net"
	"net/netip"
	"syscall"
)

// A Dialer connects from an address, which may be the zero value, to another, until the context ends.
type Dialer func(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error)

// dial connects by TCP. Without an address to connect from, nothing is bound: connections to different servers may then
// have the same port, see sharePorts.
func dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1} // which would be three system calls
	if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
		d.Control = func(_, _ string, c syscall.RawConn) error { return c.Control(sharePorts) }
	}
	return d.DialContext(ctx, "tcp", to.String())
}

// source returns the address to probe an address from, or the zero value.
func (c *Config) source(to netip.Addr) netip.Addr {
	for _, from := range c.From {
		if from.Unmap().Is4() == to.Is4() {
			return from.Unmap()
		}
	}
	return netip.Addr{}
}
