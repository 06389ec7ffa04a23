package main

import (
	"context"
	"fmt"
	"os"

	"github.com/miekg/dns"
)

// prepareFixed lets the fixed-answer plugin write what mxsrv answers, record for record: mxsrv
// is started and asked, and its message is what the fixed-answer plugin has in its file.
func prepareFixed(s site, w *workload) error {
	message := composed(w)
	if w.next == nil {
		m, err := askMXSRV(s, w)
		if err != nil {
			return fmt.Errorf("mxsrv: %w", err)
		}
		message = m
	}
	if err := fillFixed(s, message); err != nil {
		return err
	}
	asked := ""
	if w.shape.asked {
		asked = " asked"
	}
	return os.WriteFile(s.path("Corefile"), []byte(corefile(s.port, w.shape, "\tfixed "+fixedFile+asked+"\n")), 0o644)
}

// askMXSRV asks without DO, and of mxsrv alone: what plugins before it do to the
// answer they are to do to that of the fixed-answer plugin too.
func askMXSRV(s site, w *workload) (*dns.Msg, error) {
	bare := *w
	bare.shape.do, bare.shape.before = false, ""
	if err := blockOf(mxsrvLines)(s, &bare); err != nil {
		return nil, err
	}
	p, err := start(context.Background(), s, corednsCommand(s))
	if err != nil {
		return nil, err
	}
	defer p.stop()
	q := bare.questions()[0]
	res, err := awaitAnswer(p, s, &bare, q, false)
	if err != nil {
		return nil, err
	}
	res.Extra = withoutOPT(res.Extra)
	return res.Msg, nil
}

func fillFixed(s site, m *dns.Msg) error {
	wire, err := m.Pack()
	if err != nil {
		return err
	}
	return os.WriteFile(s.path(fixedFile), wire, 0o644)
}

// composed is the answer to what mxsrv passes on.
func composed(w *workload) *dns.Msg {
	q := w.questions()[0]
	m := new(dns.Msg).SetQuestion(dns.Fqdn(q.name), dns.StringToType[q.kind])
	m.Response, m.Authoritative = true, true
	answer, _ := w.served().answer(q)
	for _, rr := range answer {
		record, err := dns.NewRR(rr.String())
		if err != nil {
			panic(err) // of our own making
		}
		m.Answer = append(m.Answer, record)
	}
	return m
}

func withoutOPT(rrs []dns.RR) []dns.RR {
	var kept []dns.RR
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeOPT {
			kept = append(kept, rr)
		}
	}
	return kept
}
