package health

import (
	"context"
	"net"
	"net/netip"
	"syscall"
)

// A Dialer connects from an address, which may be the zero value, to another, until the context ends.
type Dialer func(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error)

// dial connects by TCP.
func dial(ctx context.Context, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{KeepAlive: -1} // which would be three system calls
	var local netip.AddrPort
	if from.IsValid() {
		local = netip.AddrPortFrom(from, 0)
		d.Control = func(_, _ string, c syscall.RawConn) error { return c.Control(sharePorts) }
	}
	conn, err := d.DialTCP(ctx, "tcp", local, to)
	if err != nil {
		return nil, err
	}
	return conn, nil
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
