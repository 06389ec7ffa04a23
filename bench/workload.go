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
	before      string // plugins before the compared one in plugin.cfg order, with + between
	records     func() records
	next        func() records // what the next plugin serves, where mxsrv does not answer
	questions   func() []question
	options     string // of dnsperf
	network     string // UDP if empty
	heavy       bool   // takes seconds to start: most peers take part in few rounds

	asked  bool // the owner of the answer is the asked name
	denial bool // the name does not exist
	edns   bool
	signed bool // DO is set, and the plugin dnssec or the zone has signatures
}

const (
	coredns  = "mxsrv fixed file template"
	everyone = coredns + " cache+file etcd NSD Knot BIND dnsmasq"
)

var (
	mx2 = workload{name: "MX 2", title: "MX, two exchanges", peers: everyone, records: exchanges2,
		questions: asks("example.org MX")}
	mx6 = workload{name: "MX 6", title: "MX, six exchanges with IPv4 and IPv6", peers: everyone, records: exchanges6,
		questions: asks("example.org MX"), options: "-e -c 8", edns: true}
	srv40 = workload{name: "SRV 40", title: "SRV, forty targets", peers: everyone, records: forty,
		questions: asks("_ldap._tcp.example.org SRV"), options: "-e -c 8", edns: true}
)

// workloads are all of them, in the order of the report: first those in Corefiles
// that people have, with errors at least.
var workloads = slices.Concat(
	after("errors", mx2, mx6, srv40), after("prometheus+errors", mx2, mx6, srv40), after("log+errors", mx2, mx6, srv40),
	[]workload{
		mx2, mx6,
		{name: "SRV 2", title: "SRV, 6:4", peers: everyone, records: balanced,
			questions: asks("_ldap._tcp.example.org SRV")},
		srv40,
		{name: "address", title: "address of a host", peers: everyone + " hosts", records: exchanges2,
			questions: asks("mx1.example.org A")},
		{name: "NXDOMAIN", title: "NXDOMAIN, random names", peers: everyone, records: exchanges2,
			questions: random("nosuch", 1000, 10000), denial: true},
		{name: "thousand", title: "random names of 1,000", peers: everyone, records: shared(1000),
			questions: random("d", 1000, 10000), asked: true},
		{name: "million", title: "random names of 1,000,000", peers: coredns + " cache+file NSD Knot BIND",
			records: shared(1000000), questions: random("d", 1000000, 100000), asked: true, heavy: true},
		{name: "TCP", title: "TCP", peers: coredns + " cache+file etcd NSD Knot BIND", records: exchanges2,
			questions: asks("example.org MX"), options: "-m tcp -c 20 -q 400", network: "tcp"},
		{name: "signed", title: "DO set, signed", peers: "mxsrv fixed file cache+file cache+mxsrv NSD Knot BIND",
			records: exchanges2, questions: asks("example.org MX"), options: "-D -c 8", edns: true, signed: true},
		{name: "next", title: "answered by the next plugin", peers: "mxsrv fixed mxsrv+file file", records: exchanges2,
			next: web, questions: asks("www.example.org A")},
		{name: "cache", title: "after cache", peers: "mxsrv fixed file", before: "cache", records: exchanges2,
			questions: asks("example.org MX")},
	},
)

// after returns workloads of CoreDNS in which other plugins are before the compared one.
func after(before string, some ...workload) []workload {
	for i := range some {
		w := &some[i]
		w.name, w.title, w.before, w.peers = w.name+" "+before, w.title+", after "+before, before, coredns
	}
	return some
}

func exchanges2() records {
	return records{
		[]host{{"mx1", []string{"192.0.2.10"}}, {"mx2", []string{"192.0.2.20"}}},
		[]set{{"MX", []string{"@"}, []target{{"10", "mx1"}, {"20", "mx2"}}}},
	}
}

func exchanges6() records {
	r := records{sets: []set{{kind: "MX", owners: []string{"@"}}}}
	for i := 1; i <= 6; i++ {
		h := host{fmt.Sprint("mx", i), []string{fmt.Sprint("192.0.2.", i), fmt.Sprint("2001:db8::", i)}}
		r.hosts, r.sets[0].targets = append(r.hosts, h), append(r.sets[0].targets, target{fmt.Sprint(10 * i), h.name})
	}
	return r
}

// balanced and forty have weights that the plugin etcd leaves as they are: it makes them
// parts of a hundred, rounded down.
func balanced() records {
	return records{
		[]host{{"ldap1", []string{"192.0.2.10"}}, {"ldap2", []string{"192.0.2.20"}}},
		[]set{{"SRV", []string{"_ldap._tcp"}, []target{{"10 60 389", "ldap1"}, {"10 40 389", "ldap2"}}}},
	}
}

func forty() records {
	r := records{sets: []set{{kind: "SRV", owners: []string{"_ldap._tcp"}}}}
	for i := 1; i <= 40; i++ {
		h := host{fmt.Sprintf("dc%02d", i), []string{fmt.Sprint("192.0.2.", i)}}
		r.hosts, r.sets[0].targets = append(r.hosts, h), append(r.sets[0].targets, target{"10 2 389", h.name})
	}
	return r
}

func web() records { return records{hosts: []host{{"www", []string{"192.0.2.80"}}}} }

// shared declares n mail domains that share two exchanges, in one stanza.
func shared(n int) func() records {
	return sync.OnceValue(func() records {
		r := exchanges2()
		r.sets[0].owners = make([]string, n)
		for i := range n {
			r.sets[0].owners[i] = fmt.Sprintf("d%07d", i)
		}
		return r
	})
}

func asks(text string) func() []question {
	name, kind, _ := strings.Cut(text, " ")
	return func() []question { return []question{{name, kind}} }
}

// random returns so many questions for the MX of one of n names, in the same order in
// each run.
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

// dump returns questions as dnsperf reads them.
func dump(questions []question) string {
	var text strings.Builder
	for _, q := range questions {
		fmt.Fprintln(&text, q)
	}
	return text.String()
}

// served are the records of all plugins together.
func (w *workload) served() records {
	if w.next == nil {
		return w.records()
	}
	return w.records().with(w.next())
}
