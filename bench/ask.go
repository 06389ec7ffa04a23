package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// Every server is asked before it is measured, and its answer compared with the declared
// records: with others it is not measured. Beside them servers are free, and the report
// says what they do: see deviations.

const (
	startLimit = 2 * time.Minute // BIND with a million names, on a slow machine
	largest    = 4096            // bytes over UDP
)

// A reply is a message, and how many bytes it had as the server compressed it.
type reply struct {
	*dns.Msg
	size int
}

// roundTrip asks a server once.
func (s site) roundTrip(network string, m *dns.Msg) (reply, error) {
	c := dns.Client{Net: network, UDPSize: largest, Timeout: time.Second}
	conn, err := c.Dial(net.JoinHostPort("127.0.0.1", fmt.Sprint(s.port)))
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(c.Timeout))
	if err := conn.WriteMsg(m); err != nil {
		return reply{}, err
	}
	wire, err := conn.ReadMsgHeader(nil)
	if err != nil {
		return reply{}, err
	}
	res := new(dns.Msg)
	return reply{res, len(wire)}, res.Unpack(wire)
}

// ask asks as dnsperf does.
func (w *workload) ask(s site, q question) (reply, error) {
	m := new(dns.Msg).SetQuestion(dns.Fqdn(q.name), dns.StringToType[q.kind])
	if w.edns {
		m.SetEdns0(largest, w.signed)
	}
	res, err := s.roundTrip(w.network, m)
	if err != nil {
		return reply{}, err
	}
	return res, w.fits(q, res.Msg)
}

// await asks a server that is starting until it answers with the declared records.
func (w *workload) await(p *rig.Process, s site, q question) (reply, error) {
	var res reply
	err := errors.New("never asked")
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err := p.Err(); err != nil {
			return reply{}, err
		}
		if res, err = w.ask(s, q); err == nil {
			return res, nil
		}
		if res.Msg != nil && res.Rcode == dns.RcodeSuccess {
			break // it answers, with something else
		}
	}
	return reply{}, fmt.Errorf("%w\n%v", err, res.Msg)
}

// answerAlone starts a CoreDNS with some plugins, and returns its answer to the first
// question. It is asked without DO and has no plugins before those: what dnssec and others
// do to the answer of mxsrv they are to do to that of the fixed-answer plugin too.
func (w *workload) answerAlone(s site, plugins preparation) (*dns.Msg, error) {
	alone := *w
	alone.signed, alone.before = false, ""
	if err := block(plugins)(s, &alone); err != nil {
		return nil, err
	}
	p, err := start(context.Background(), s.dir, allCores, corednsCommand...)
	if err != nil {
		return nil, err
	}
	defer p.Kill()
	res, err := alone.await(p, s, w.questions()[0])
	if err != nil {
		return nil, err
	}
	res.Extra = slices.DeleteFunc(res.Extra, func(r dns.RR) bool { return r.Header().Rrtype == dns.TypeOPT })
	return res.Msg, nil
}

// awaitAddress asks for the address of a host, in some intervals, until it is the wanted
// one, and returns when that answer came.
func (s site) awaitAddress(ctx context.Context, p *rig.Process, name, address string, every time.Duration) (
	time.Time, error,
) {
	answered, err := s.askUntil(ctx, p, new(dns.Msg).SetQuestion(absolute(name), dns.TypeA), every,
		func(m *dns.Msg) bool { return addressIn(m) == address })
	if err != nil {
		return time.Time{}, fmt.Errorf("%s has not the address %s: %w", name, address, err)
	}
	return answered, nil
}

// askUntil asks a question, in some intervals, until the answer is as wanted, and returns when that came.
func (s site) askUntil(ctx context.Context, p *rig.Process, m *dns.Msg, every time.Duration, is func(*dns.Msg) bool) (
	time.Time, error,
) {
	var res reply
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(every) {
		if err := p.Err(); err != nil {
			return time.Time{}, err
		}
		res, _ = s.roundTrip("", m) // an error may be that it does not listen yet
		if now := time.Now(); res.Msg != nil && is(res.Msg) {
			return now, nil
		}
	}
	return time.Time{}, fmt.Errorf("the last answer: %v", res.Msg)
}

// addressIn returns the only address of an answer, or "".
func addressIn(m *dns.Msg) string {
	if len(m.Answer) == 1 {
		if a, ok := m.Answer[0].(*dns.A); ok {
			return a.A.String()
		}
	}
	return ""
}

// fits returns an error if records are not the declared ones.
func (w *workload) fits(q question, res *dns.Msg) error {
	want := dns.RcodeSuccess
	if w.denial {
		want = dns.RcodeNameError
	}
	if !res.Response || res.Rcode != want || res.Truncated {
		return fmt.Errorf("the answer is %s, truncated: %t; want %s, complete",
			dns.RcodeToString[res.Rcode], res.Truncated, dns.RcodeToString[want])
	}
	declared, _ := w.served().answer(q)
	if got, expected := recordsOf(res.Answer), sorted(declared); !slices.Equal(got, expected) {
		return fmt.Errorf("the records of the answer are %q, want %q", got, expected)
	}
	if w.signed && !slices.ContainsFunc(res.Answer, func(r dns.RR) bool { return r.Header().Rrtype == dns.TypeRRSIG }) {
		return errors.New("the answer is not signed")
	}
	return nil
}

// recordsOf returns records as text, without signatures, sorted.
func recordsOf(rrs []dns.RR) []string {
	var all []string
	for _, record := range rrs {
		if h := record.Header(); h.Rrtype != dns.TypeRRSIG && h.Rrtype != dns.TypeOPT {
			all = append(all, strings.ToLower(strings.Join(strings.Fields(record.String()), " ")))
		}
	}
	slices.Sort(all)
	return all
}

func sorted(rrs []rr) []string {
	var all []string
	for _, rr := range rrs {
		all = append(all, strings.ToLower(rr.String()))
	}
	slices.Sort(all)
	return all
}

// deviations returns how an answer with the declared records differs from that of mxsrv:
// that is so much more, or less, to do.
func (w *workload) deviations(q question, res *dns.Msg) []string {
	var all []string
	_, glue := w.served().answer(q)
	if got := recordsOf(res.Extra); len(got) != len(glue) {
		all = append(all, fmt.Sprintf("%d of %d addresses", len(got), len(glue)))
	}
	switch authority := len(recordsOf(res.Ns)); {
	case w.denial && authority == 0:
		all = append(all, "no SOA")
	case !w.denial && authority > 0:
		all = append(all, "NS in authority")
	}
	if !res.Authoritative {
		all = append(all, "no AA")
	}
	return all
}
