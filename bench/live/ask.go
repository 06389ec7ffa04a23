package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"
)

const zone = "example.org."

// pause is how long to wait after an answer that is not the awaited one.
const pause = 100 * time.Microsecond

// answerTime is how long an answer is awaited.
const answerTime = 30 * time.Second

// An asker asks a server over one socket.
type asker struct {
	server *process
	conn   *dns.Conn
}

func newAsker(server *process, port int) (*asker, error) {
	conn, err := net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return nil, err
	}
	return &asker{server, &dns.Conn{Conn: conn}}, nil
}

func (a *asker) close() { a.conn.Close() }

// ask asks once. Its error may be that nobody listens yet.
func (a *asker) ask(name string, kind uint16) (*dns.Msg, error) {
	m := new(dns.Msg).SetQuestion(name, kind)
	a.conn.SetDeadline(time.Now().Add(time.Second))
	if err := a.conn.WriteMsg(m); err != nil {
		return nil, err
	}
	for {
		answer, err := a.conn.ReadMsg()
		if err != nil || answer.Id == m.Id {
			return answer, err
		}
	}
}

// await asks for the address of a host until it is the awaited one, and returns the
// time of that answer.
func (a *asker) await(ctx context.Context, name, address string) (time.Time, error) {
	var last string
	for limit := time.Now().Add(answerTime); time.Now().Before(limit) && ctx.Err() == nil; time.Sleep(pause) {
		if err := a.server.err(); err != nil {
			return time.Time{}, err
		}
		answer, err := a.ask(name, dns.TypeA)
		now := time.Now()
		if last = addressIn(answer); err == nil && last == address {
			return now, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s has the address %q after %v, want %s", name, last, answerTime, address)
}

// addressIn returns the only address of an answer, or "".
func addressIn(answer *dns.Msg) string {
	if answer == nil || len(answer.Answer) != 1 {
		return ""
	}
	a, ok := answer.Answer[0].(*dns.A)
	if !ok {
		return ""
	}
	return a.A.String()
}
