package main

import (
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A peer is a way to serve the records of a workload.
type peer struct {
	name, what  string // what: as the report describes it
	program     string // what it runs; empty: our CoreDNS
	pkg         string // the package of Debian that has it
	version     string // the argument that makes the program tell its version
	often       bool   // takes part in every round: a demand is about it
	prepare     func(site, *workload) error
	command     func(site) []string
	accompanied func(site) []string // a process it needs beside it
	loose       bool                // serves the same hosts, with other numbers
}

// A site is where a server runs: its directory and its port on 127.0.0.1.
type site struct {
	dir  string
	port int
}

func (s site) path(name string) string { return filepath.Join(s.dir, name) }

func (s site) fill(name string, content func(io.Writer)) error { return fill(s.path(name), content) }

var peers = []peer{
	{name: "mxsrv", what: "this plugin", often: true, prepare: blockOf(mxsrvLines), command: corednsCommand},
	{name: "fixed", what: "a plugin that writes one message, the one of *mxsrv*, and looks at nothing", often: true,
		prepare: prepareFixed, command: corednsCommand},
	{name: "mxsrv+file", what: "*mxsrv* laid over *file*", often: true, prepare: blockOf(overlayLines), command: corednsCommand},
	{name: "file", what: "the plugin *file* of CoreDNS", often: true, prepare: blockOf(fileLines), command: corednsCommand},
	{name: "cache+file", what: "*file* after *cache*", often: true, prepare: blockOf(cachedFileLines), command: corednsCommand},
	{name: "cache+mxsrv", what: "*mxsrv* after *cache*", often: true, prepare: blockOf(cachedMXSRVLines), command: corednsCommand},
	{name: "hosts", what: "the plugin *hosts*", prepare: blockOf(hostsLines), command: corednsCommand},
	{name: "template", what: "the plugin *template*", often: true, prepare: blockOf(templateLines), command: corednsCommand},
	{name: "etcd", what: "the plugin *etcd*, with etcd on the same core", program: "etcd", pkg: "etcd-server", version: "--version",
		prepare: blockOf(etcdLines), command: corednsCommand, accompanied: etcdCommand, loose: true},
	{name: "NSD", what: "one server process, rate limiting off", program: "nsd", pkg: "nsd", version: "-v",
		prepare: prepareNSD, command: func(s site) []string { return []string{"nsd", "-d", "-c", s.path("nsd.conf")} }},
	{name: "Knot", what: "one worker", program: "knotd", pkg: "knot", version: "-V",
		prepare: prepareKnot, command: func(s site) []string { return []string{"knotd", "-c", s.path("knot.conf")} }},
	{name: "BIND", what: "one thread, no recursion", program: "named", pkg: "bind9", version: "-v",
		prepare: prepareBIND, command: func(s site) []string { return []string{"named", "-f", "-4", "-n", "1", "-c", s.path("named.conf")} }},
	{name: "dnsmasq", what: "answers of its own alone, no forwarding", program: "dnsmasq", pkg: "dnsmasq-base", version: "-v",
		prepare: prepareDnsmasq, command: func(s site) []string { return []string{"dnsmasq", "-k", "-C", s.path("dnsmasq.conf")} }},
}

func corednsCommand(s site) []string { return []string{s.path("server"), "-conf", s.path("Corefile")} }

// missing returns the peers that the machine cannot run.
func missing() []peer {
	return slices.DeleteFunc(slices.Clone(peers), func(p peer) bool {
		_, err := exec.LookPath(p.program)
		return p.program == "" || err == nil
	})
}

// takingPart returns the peers of a workload that are here.
func takingPart(w *workload) []peer {
	absent := missing()
	var here []peer
	for _, name := range strings.Fields(w.peers) {
		i := slices.IndexFunc(peers, func(p peer) bool { return p.name == name })
		if !slices.ContainsFunc(absent, func(p peer) bool { return p.name == name }) {
			here = append(here, peers[i])
		}
	}
	return here
}
