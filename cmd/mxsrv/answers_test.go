package main

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
)

// TestSilentServer: a server that answers nothing is not asked for ever.
func TestSilentServer(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var asked atomic.Int64
	go func() {
		question := make([]byte, dns.MinMsgSize)
		for {
			_, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			asked.Add(1)
			conn.WriteTo([]byte("-"), from) // no answer, without a wait for one
		}
	}()
	s := newServer(conn.LocalAddr().String())
	for n := range 2 * mostSilent {
		if a := s.lookup(fmt.Sprintf("x%d.example.org.", n), dns.TypeA); a.Status != delivery.Failed {
			t.Fatal(a)
		}
	}
	if n := asked.Load(); n != mostSilent*tries || s.failed() == nil {
		t.Errorf("asked %d times: %v", n, s.failed())
	}
}
