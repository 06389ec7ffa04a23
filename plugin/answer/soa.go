package answer

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
)

// A denial of ours in a zone of the next plugins has their SOA: with two SOA records for one zone, resolvers would keep
// denials for different times, and take the one with the lower serial for old. It is asked for in the background, never
// on a query's way, and taken from denials that pass through. Until one is known, and where there is none, a denial has
// a made-up one.

// soas are the SOA records of zones that the next plugins have: RRsets of one record with the TTL of denials, or nil.
type soas map[string]*atomic.Pointer[[]dns.RR]

// newSOAs returns the SOA records for the zones that are not authoritative, none of which is known.
func newSOAs(c *Config) soas {
	s, authoritative := make(soas), c.Authoritative.Set()
	for _, zone := range c.Zones {
		if !authoritative[zone] {
			s[string(zone)] = new(atomic.Pointer[[]dns.RR])
		}
	}
	return s
}

// of returns the Authority section of a denial: the SOA that is known in place of a made-up one.
func (s soas) of(ns []dns.RR) []dns.RR {
	if len(ns) != 1 {
		return ns
	}
	if zone := s[ns[0].Header().Name]; zone != nil {
		if known := zone.Load(); known != nil {
			return *known
		}
	}
	return ns
}

// update stores the SOA records of zones that are in a section, and returns the last of them.
func (s soas) update(rrs []dns.RR) (found *dns.SOA) {
	for _, rr := range rrs {
		soa, ok := rr.(*dns.SOA)
		if !ok {
			continue
		}
		name := canonical(soa.Hdr.Name)
		zone := s[name]
		if zone == nil {
			continue
		}
		found = soa
		if known := zone.Load(); known != nil && dns.IsDuplicate((*known)[0], soa) {
			continue // mostly; that one may have a lower TTL because it has been in a cache
		}
		denial := *soa
		denial.Hdr.Name, denial.Hdr.Ttl = name, min(soa.Hdr.Ttl, soa.Minttl)
		zone.Store(&[]dns.RR{&denial})
	}
	return found
}

const (
	soaDeadline = 2 * time.Second
	soaRetry    = time.Minute     // after a failure, and where there is none
	soaLeast    = 5 * time.Second // between two questions, whatever the TTL
)

// Follow begins to ask the next plugin for the SOA records of its zones: now, and when they run out.
func (m *Responder) Follow() {
	if m.Next == nil || len(m.soas) == 0 {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	m.stop = stop
	go m.follow(ctx)
}

// Stop ends that.
func (m *Responder) Stop() {
	if m.stop != nil {
		m.stop()
	}
}

func (m *Responder) follow(ctx context.Context) {
	due := make(map[string]time.Time, len(m.soas))
	for ctx.Err() == nil {
		wait := soaRetry
		for zone := range m.soas {
			left := time.Until(due[zone])
			if left <= 0 {
				left = m.soas.ask(ctx, m.Next, zone)
				due[zone] = time.Now().Add(left)
			}
			wait = min(wait, left)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// ask asks the next plugin for the SOA of a zone, and returns when to ask again. A failure changes nothing.
func (s soas) ask(ctx context.Context, next plugin.Handler, zone string) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, soaDeadline)
	defer cancel()
	w := &answerWriter{}
	if _, err := serveOnce(ctx, next, w, new(dns.Msg).SetQuestion(zone, dns.TypeSOA)); err != nil || w.msg == nil {
		return soaRetry
	}
	if soa := s.update(w.msg.Answer); soa != nil {
		return max(time.Duration(soa.Hdr.Ttl)*time.Second, soaLeast)
	}
	if w.msg.Rcode == dns.RcodeSuccess || w.msg.Rcode == dns.RcodeNameError {
		s[zone].Store(nil)
	}
	return soaRetry
}

// serveOnce has a plugin answer a query that no client has sent. A panic is an error, as CoreDNS makes it SERVFAIL.
func serveOnce(ctx context.Context, next plugin.Handler, w dns.ResponseWriter, r *dns.Msg) (rcode int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return next.ServeDNS(ctx, w, r)
}

// An answerWriter keeps the message that is written.
type answerWriter struct{ msg *dns.Msg }

var loopback = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 53}

func (w *answerWriter) WriteMsg(m *dns.Msg) error { w.msg = m; return nil }

func (w *answerWriter) Write(packed []byte) (int, error) {
	w.msg = new(dns.Msg)
	return len(packed), w.msg.Unpack(packed)
}

func (*answerWriter) LocalAddr() net.Addr  { return loopback }
func (*answerWriter) RemoteAddr() net.Addr { return loopback }
func (*answerWriter) Close() error         { return nil }
func (*answerWriter) TsigStatus() error    { return nil }
func (*answerWriter) TsigTimersOnly(bool)  {}
func (*answerWriter) Hijack()              {}
