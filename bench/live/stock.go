package main

import (
	"fmt"
	"time"

	"github.com/miekg/dns"
)

const (
	stockRounds = 5
	stockTime   = 1500 * time.Millisecond

	timesFaster = 5
)

// skydns is the same set of exchanges as mail has, as the plugin etcd of CoreDNS
// has it: one key for each record, the labels of its owner in reverse.
var skydns = map[string]string{
	"/skydns/org/example/x1":     `{"host": "mx1.example.org", "mail": true, "priority": 10, "ttl": 3600}`,
	"/skydns/org/example/x2":     `{"host": "mx2.example.org", "mail": true, "priority": 20, "ttl": 3600}`,
	"/skydns/org/example/mx1/x1": `{"host": "192.0.2.10", "ttl": 3600}`,
	"/skydns/org/example/mx2/x1": `{"host": "198.51.100.10", "ttl": 3600}`,
}

// stock compares mxsrv with the plugin etcd, one server at a time.
func stock(r *run) error {
	etcd, err := r.etcd()
	if err != nil {
		return err
	}
	defer etcd.stop()
	if _, err := etcd.client.Put(r, etcd.Key("mail"), mail); err != nil {
		return err
	}
	for key, value := range skydns {
		if _, err := etcd.client.Put(r, key, value); err != nil {
			return err
		}
	}
	sites := []string{
		followingEtcd(etcd, ""),
		fmt.Sprintf("\tetcd {\n\t\tpath /skydns\n\t\tendpoint %s\n\t}\n", etcd.Endpoints[0]),
	}
	var ratios []float64
	var rates [2][]float64
	for range stockRounds {
		for i, plugins := range sites {
			t, err := r.turnOf(plugins)
			if err != nil {
				return err
			}
			rates[i] = append(rates[i], t.rate)
		}
		last := len(rates[0]) - 1
		ratios = append(ratios, rates[0][last]/rates[1][last])
	}
	r.table.demand(median(ratios) >= timesFaster, fmt.Sprintf("at least %d times", timesFaster),
		"two exchanges with addresses, on one core, as fast as it goes: mxsrv and the plugin *etcd*",
		"%.0f and %.0f answers a second; %.1f times (%.1f to %.1f)",
		median(rates[0]), median(rates[1]), median(ratios), quantile(ratios, 0), quantile(ratios, 1))
	return nil
}

// turnOf starts a server and asks it as fast as it answers.
func (r *run) turnOf(plugins string) (turn, error) {
	s, err := r.serve(serverCore, plugins)
	if err != nil {
		return turn{}, err
	}
	defer s.stop()
	if _, err := s.await(r, "mx1."+zone, "192.0.2.10"); err != nil {
		return turn{}, err
	}
	if err := s.hasMail(); err != nil {
		return turn{}, err
	}
	return r.dnsperf(s, stockTime)
}

// hasMail reports that a server does not answer both exchanges with their addresses.
func (s *server) hasMail() error {
	answer, err := s.ask(zone, dns.TypeMX)
	if err != nil {
		return err
	}
	if len(answer.Answer) != 2 || len(answer.Extra) != 2 {
		return fmt.Errorf("want two exchanges and their addresses in\n%v", answer)
	}
	return nil
}
