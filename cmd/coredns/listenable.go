package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"
)

// listenable returns an error if a server of a Corefile could not listen, or not alone:
// CoreDNS shares ports (SO_REUSEPORT), so that a second one would start, and each get
// some of the queries. Other mistakes are for CoreDNS to report.
func listenable(in caddy.CaddyfileInput) error {
	blocks, err := caddyfile.Parse(in.Filepath, bytes.NewReader(in.Contents), nil)
	if err != nil {
		return nil
	}
	for _, b := range blocks {
		for _, key := range b.Keys {
			for _, host := range bound(b) {
				if err := tryListen(key, host); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// bound returns the addresses in the bind line of a server block, or else "", which is
// all addresses.
func bound(b caddyfile.ServerBlock) (hosts []string) {
	tokens := b.Tokens["bind"]
	if len(tokens) == 0 {
		return []string{""}
	}
	d := caddyfile.NewDispenserTokens("", tokens)
	d.Next()
	for _, host := range d.RemainingArgs() {
		if net.ParseIP(host) != nil { // and not an interface
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// tryListen listens for a moment where a server of a key of a server block would.
func tryListen(key, host string) error {
	kind, key := parse.Transport(key)
	_, port, err := plugin.SplitHostPort(key)
	if port == "" && kind == transport.DNS {
		port = dnsserver.Port
	}
	if err != nil || port == "" {
		return nil
	}
	addr := net.JoinHostPort(host, port)
	var l io.Closer
	switch kind {
	case transport.DNS, transport.QUIC, transport.HTTPS3:
		l, err = net.ListenPacket("udp", addr)
	default:
		l, err = net.Listen("tcp", addr)
	}
	switch {
	case err == nil:
		return l.Close()
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken by another process: stop that", addr)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s is for root or with CAP_NET_BIND_SERVICE: run this so", addr)
	}
	return nil
}
