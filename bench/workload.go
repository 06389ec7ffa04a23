package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// A question is one of a workload, its name as dnsperf reads it: absolute, with
// no final dot.
type question struct{ name, kind string }

func (q question) String() string { return q.name + " " + q.kind }

// A workload is what is asked, and of whom.
type workload struct {
	name, title string
	peers       string // those that can serve it, in the order of the report
	records     func() records
	next        func() records // what the next plugin serves, if mxsrv does not answer
	questions   func() []question
	options     string // of dnsperf
	network     string // udp if empty
	shape       shape
	heavy       bool // takes seconds to start: fewer rounds
}

// shape is what an answer looks like beyond its records.
type shape struct {
	asked  bool // the owner of the answer is the asked name
	denial bool // the name is not there
	edns   bool
	do     bool   // and dnssec in the blocks, or the zone signed
	before string // plugins before those that are compared, with + between
}

const (
	plain = "mxsrv fixed file cache+file template etcd NSD Knot BIND dnsmasq"
	zones = "mxsrv fixed file cache+file cache+mxsrv NSD Knot BIND"
)

// before are plugins before mxsrv, and before those that it is compared with, in
// plugin.cfg order: none, and those that most Corefiles have.
var before = []string{"", "errors", "prometheus+errors", "log+errors"}

// workloads are all of them, in the order of the report.
var workloads = slices.Concat(
	after(workload{name: "MX 2", title: "MX, two exchanges", peers: plain, records: exchanges2, questions: asks("example.org MX")}),
	after(workload{name: "MX 6", title: "MX, six exchanges with IPv4 and IPv6", peers: plain, records: exchanges6, questions: asks("example.org MX"),
		options: "-e -c 8", shape: shape{edns: true}}),
	after(workload{name: "SRV 40", title: "SRV, forty targets", peers: plain, records: forty, questions: asks("_ldap._tcp.example.org SRV"),
		options: "-e -c 8", shape: shape{edns: true}}),
	[]workload{
		{name: "SRV 2", title: "SRV, 6:4", peers: plain, records: balanced, questions: asks("_ldap._tcp.example.org SRV")},
		{name: "address", title: "address of a host", peers: "mxsrv fixed file cache+file hosts template etcd NSD Knot BIND dnsmasq",
			records: exchanges2, questions: asks("mx1.example.org A")},
		{name: "next", title: "next plugin", peers: "mxsrv fixed mxsrv+file file", records: exchanges2, next: web, questions: asks("www.example.org A")},
		{name: "NXDOMAIN", title: "NXDOMAIN, random names", peers: plain, records: exchanges2, questions: random("nosuch", 1000, 10000),
			shape: shape{denial: true}},
		{name: "thousand", title: "random names of 1,000", peers: plain, records: shared(1000), questions: random("d", 1000, 10000),
			shape: shape{asked: true}},
		{name: "million", title: "random names of 1,000,000", peers: "mxsrv fixed file cache+file template NSD Knot BIND", records: shared(1000000),
			questions: random("d", 1000000, 100000), shape: shape{asked: true}, heavy: true},
		{name: "signed", title: "DO set, signed", peers: zones, records: exchanges2, questions: asks("example.org MX"),
			options: "-D -c 8", shape: shape{edns: true, do: true}},
		{name: "cache", title: "after cache", peers: "mxsrv fixed file", records: exchanges2, questions: asks("example.org MX"), shape: shape{before: "cache"}},
		{name: "TCP", title: "TCP", peers: "mxsrv fixed file cache+file template etcd NSD Knot BIND", records: exchanges2, questions: asks("example.org MX"), options: "-m tcp -c 20 -q 400", network: "tcp"},
	},
)

// after returns a workload whose plugins come first in the chain, and the same
// after each choice of other plugins.
func after(w workload) []workload {
	var all []workload
	for _, names := range before {
		one := w
		if one.shape.before = names; names != "" {
			one.name, one.title, one.peers = w.name+" "+names, w.title+", after "+names, "mxsrv fixed file template"
		}
		all = append(all, one)
	}
	return all
}

func exchanges2() records {
	return records{
		hosts: []host{{"mx1", []string{"192.0.2.10"}}, {"mx2", []string{"192.0.2.20"}}},
		mails: []mail{{[]string{"@"}, []exchange{{10, "mx1"}, {20, "mx2"}}}},
	}
}

func exchanges6() records {
	var r records
	m := mail{domains: []string{"@"}}
	for i := 1; i <= 6; i++ {
		h := host{fmt.Sprint("mx", i), []string{fmt.Sprint("192.0.2.", i), fmt.Sprint("2001:db8::", i)}}
		r.hosts, m.exchanges = append(r.hosts, h), append(m.exchanges, exchange{10 * i, h.name})
	}
	r.mails = []mail{m}
	return r
}

func balanced() records {
	return records{
		hosts:    []host{{"ldap1", []string{"192.0.2.10"}}, {"ldap2", []string{"192.0.2.20"}}},
		services: []service{{[]string{"_ldap._tcp"}, []target{{0, 6, 389, "ldap1"}, {0, 4, 389, "ldap2"}}}},
	}
}

func forty() records {
	var r records
	s := service{names: []string{"_ldap._tcp"}}
	for i := 1; i <= 40; i++ {
		h := host{fmt.Sprintf("dc%02d", i), []string{fmt.Sprint("192.0.2.", i)}}
		r.hosts, s.targets = append(r.hosts, h), append(s.targets, target{0, 100, 389, h.name})
	}
	r.services = []service{s}
	return r
}

func web() records { return records{hosts: []host{{"www", []string{"192.0.2.80"}}}} }

// shared declares n mail domains that share two exchanges, the form in which one
// would write so many.
func shared(n int) func() records {
	return sync.OnceValue(func() records {
		r := exchanges2()
		r.mails[0].domains = make([]string, n)
		for i := range n {
			r.mails[0].domains[i] = fmt.Sprintf("d%07d", i)
		}
		return r
	})
}

func asks(text string) func() []question {
	name, kind, _ := strings.Cut(text, " ")
	return func() []question { return []question{{name, kind}} }
}

// random returns so many questions for the MX of one of n names. The order is
// the same in each run.
func random(prefix string, n, many int) func() []question {
	return sync.OnceValue(func() []question {
		draw := rand.New(rand.NewPCG(1, 2))
		questions := make([]question, many)
		for i := range questions {
			questions[i] = question{fmt.Sprintf("%s%07d.example.org", prefix, draw.IntN(n)), "MX"}
		}
		return questions
	})
}

// dump returns the questions as dnsperf reads them.
func dump(questions []question) string {
	var text strings.Builder
	for _, q := range questions {
		fmt.Fprintln(&text, q)
	}
	return text.String()
}

// served are the records of all plugins together.
func (w *workload) served() records {
	r := w.records()
	if w.next != nil {
		r = r.with(w.next())
	}
	return r
}
