package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/test/rig"
)

// A peer is a way to serve the records of a workload.
type peer struct {
	name, what string // what: as the report describes it
	program    string // what it runs; empty: our CoreDNS alone
	debian     string // the package of Debian that has the program
	version    string // the argument that makes the program print its version
	prepare    func(site, *workload) error
	command    []string // in the directory of the site; empty: our CoreDNS
	etcd       bool     // it reads the records from etcd
}

var peers = []peer{
	{name: "mxsrv", what: "this plugin", prepare: block(mxsrvLines)},
	{name: "fixed", what: "the fixed-answer plugin, which writes the message of *mxsrv* to every query",
		prepare: block(fixedLines)},
	{name: "mxsrv+file", what: "*mxsrv*, and *file* as the next plugin", prepare: block(overlayLines)},
	{name: "file", what: "the plugin *file* of CoreDNS", prepare: block(fileLines)},
	{name: "cache+file", what: "*file* after *cache*", prepare: block(cached(fileLines))},
	{name: "cache+mxsrv", what: "*mxsrv* after *cache*", prepare: block(cached(mxsrvLines))},
	{name: "hosts", what: "the plugin *hosts*", prepare: block(hostsLines)},
	{name: "template", what: "the plugin *template*", prepare: block(templateLines)},
	{name: "etcd", what: "the plugin *etcd*, with etcd on the same core", program: "etcd", debian: "etcd-server",
		version: "--version", etcd: true, prepare: func(site, *workload) error { return nil }},
	{name: "NSD", what: "one server process, rate limiting off", program: "nsd", debian: "nsd", version: "-v",
		prepare: zoneConf("nsd.conf"), command: []string{"nsd", "-d", "-c", "nsd.conf"}},
	{name: "Knot", what: "one worker", program: "knotd", debian: "knot", version: "-V",
		prepare: zoneConf("knot.conf"), command: []string{"knotd", "-c", "knot.conf"}},
	{name: "BIND", what: "one thread, no recursion", program: "named", debian: "bind9", version: "-v",
		prepare: zoneConf("named.conf"), command: []string{"named", "-f", "-4", "-n", "1", "-c", "named.conf"}},
	{name: "dnsmasq", what: "declared records alone, no forwarding", program: "dnsmasq", debian: "dnsmasq-base",
		version: "-v", prepare: dnsmasqConf, command: []string{"dnsmasq", "-k", "-C", "dnsmasq.conf"}},
}

// missing returns the peers whose program is not installed.
func missing() []peer {
	return slices.DeleteFunc(slices.Clone(peers), func(p peer) bool {
		_, err := exec.LookPath(p.program)
		return p.program == "" || err == nil
	})
}

// installed returns the peers of a workload that the machine can run.
func (w *workload) installed() []peer {
	absent := missing()
	var here []peer
	for _, name := range strings.Fields(w.peers) {
		is := func(p peer) bool { return p.name == name }
		if !slices.ContainsFunc(absent, is) {
			here = append(here, peers[slices.IndexFunc(peers, is)])
		}
	}
	return here
}

// A running is a peer that was started: its server, and the etcd that has its records.
type running struct {
	server *rig.Process
	etcd   *rig.Cluster
}

func (r *running) stop() {
	if r.server != nil {
		r.server.Kill()
	}
	if r.etcd != nil {
		r.etcd.Stop()
	}
}

func (r *running) processes() []*rig.Process {
	if r.etcd == nil {
		return []*rig.Process{r.server}
	}
	return []*rig.Process{r.server, r.etcd.Members[0].Process}
}

// start starts a peer that has been prepared.
func (p peer) start(ctx context.Context, s site, w *workload) (r *running, err error) {
	r = new(running)
	if p.etcd {
		r.etcd, err = startEtcd(ctx, s, w)
	}
	command := p.command
	if len(command) == 0 {
		command = corednsCommand
	}
	if err == nil {
		r.server, err = start(ctx, s.dir, serverCore, command...)
	}
	if err != nil {
		r.stop()
	}
	return r, err
}

// startEtcd starts etcd with the records of a workload, and writes the Corefile of the
// plugin etcd.
func startEtcd(ctx context.Context, s site, w *workload) (*rig.Cluster, error) {
	if err := os.RemoveAll(s.path("etcd")); err != nil {
		return nil, err
	}
	cluster, err := etcdOn(ctx, s.path("etcd"), serverCore)
	if err != nil {
		return nil, err
	}
	w.records().keys(func(key, value string) {
		err = errors.Join(err, cluster.Call(func(ctx context.Context, c *clientv3.Client) error {
			_, err := c.Put(ctx, key, value)
			return err
		}))
	})
	lines := fmt.Sprintf("\tetcd {\n\t\tpath /skydns\n\t\tendpoint %s\n\t}\n", cluster.Members[0].URL)
	return cluster, errors.Join(err, s.fillText("Corefile", corefile(s.port, w.first()+lines)))
}
