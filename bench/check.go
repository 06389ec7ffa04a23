package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Every server is asked before it is timed, and its answer compared with the
// declared records. With other records it is not timed. In what belongs to them
// servers are free, and the report says how they use it: see deviations.

const startLimit = 2 * time.Minute // BIND with a million names, on a slow machine

// awaitAnswer asks a server that is starting until it gives the declared records.
func awaitAnswer(p *server, s site, w *workload, q question, loose bool) (reply, error) {
	var res reply
	err := error(fmt.Errorf("never asked"))
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err := p.err(); err != nil {
			return reply{}, err
		}
		if res, err = ask(s, w, q, loose); err == nil {
			return res, nil
		}
		if res.Msg != nil && res.Rcode == dns.RcodeSuccess {
			break // it serves, and something else
		}
	}
	return reply{}, fmt.Errorf("%w\n%v", err, res.Msg)
}

// ask asks as dnsperf will.
func ask(s site, w *workload, q question, loose bool) (reply, error) {
	m := new(dns.Msg).SetQuestion(dns.Fqdn(q.name), dns.StringToType[q.kind])
	m.RecursionDesired = true
	if w.shape.edns {
		m.SetEdns0(largest, w.shape.do)
	}
	res, err := roundTrip(s, w.network, m)
	if err != nil {
		return reply{}, err
	}
	return res, w.fits(q, res.Msg, loose)
}

// A reply is a message and what it takes on the wire, as compressed by the server.
type reply struct {
	*dns.Msg
	octets int
}

func roundTrip(s site, network string, m *dns.Msg) (reply, error) {
	c := dns.Client{Net: network, UDPSize: largest, Timeout: time.Second}
	conn, err := c.Dial(s.address())
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

// fits reports records that are not those of the declaration. Loosely, only
// their hosts or addresses must be.
func (w *workload) fits(q question, res *dns.Msg, loose bool) error {
	want := dns.RcodeSuccess
	if w.shape.denial {
		want = dns.RcodeNameError
	}
	if !res.Response || res.Rcode != want || res.Truncated {
		return fmt.Errorf("the answer is %s, truncated: %t; want %s, whole", dns.RcodeToString[res.Rcode], res.Truncated, dns.RcodeToString[want])
	}
	declared, _ := w.served().answer(q)
	got, expected := recordsOf(res.Answer), sorted(declared)
	if loose {
		got, expected = lastWords(got), lastWords(expected)
	}
	if !slices.Equal(got, expected) {
		return fmt.Errorf("the records of the answer are %q, want %q", got, expected)
	}
	if w.shape.do && !slices.ContainsFunc(res.Answer, isSignature) {
		return fmt.Errorf("the answer is not signed")
	}
	return nil
}

// recordsOf returns records as they are written, without signatures, sorted.
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

// lastWords returns the hosts or addresses of records.
func lastWords(records []string) []string {
	var all []string
	for _, text := range records {
		all = append(all, text[strings.LastIndex(text, " ")+1:])
	}
	slices.Sort(all)
	return all
}

func isSignature(record dns.RR) bool { return record.Header().Rrtype == dns.TypeRRSIG }

// deviations tells how an answer with the right records differs from what mxsrv
// writes: that is so much more, or less, to do.
func (w *workload) deviations(q question, res *dns.Msg) []string {
	var all []string
	answer, glue := w.served().answer(q)
	if !slices.Equal(recordsOf(res.Answer), sorted(answer)) {
		all = append(all, "other numbers in the records")
	}
	if got := recordsOf(res.Extra); len(got) != len(glue) {
		all = append(all, fmt.Sprintf("%d of %d addresses", len(got), len(glue)))
	}
	authority := len(recordsOf(res.Ns))
	switch {
	case w.shape.denial && authority == 0:
		all = append(all, "no SOA")
	case !w.shape.denial && authority > 0:
		all = append(all, "NS in authority")
	}
	if !res.Authoritative {
		all = append(all, "no AA")
	}
	return all
}
