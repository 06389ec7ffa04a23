package test

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/test/rig"
)

// A reference is an authoritative server that others trust.
type reference struct {
	name, program string
	start         func(t *testing.T, path, addr string, zones []hosted) *server
}

// run starts a reference that stays in the foreground on a port of its own.
func (r reference) run(t *testing.T, zones []hosted) *server {
	t.Helper()
	return r.start(t, rig.Peer(t, r.program), "127.0.0.1:"+freePort(t), zones)
}

// references are the servers that answers are compared with, and that serve as
// secondaries.
var references = []reference{
	{"NSD", "nsd", startNSD},
	{"Knot", "knotd", startKnot},
	{"BIND", "named", startBIND},
}

// hosted is a zone of a reference: read from a master file, or transferred from
// a primary.
type hosted struct {
	zone    string // absolute
	file    string // absolute path, or "" for a secondary
	primary string // host:port
}

// joined returns host:port with another sign between host and port.
func joined(addr, sign string) string {
	host, port, _ := strings.Cut(addr, ":")
	return host + sign + port
}

func startNSD(t *testing.T, path, addr string, zones []hosted) *server {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	fmt.Fprintf(&b, `server:
    ip-address: %s
    username: ""
    chroot: ""
    zonesdir: "%s"
    pidfile: "%[2]s/nsd.pid"
    database: ""
    zonelistfile: "%[2]s/zone.list"
    xfrdfile: "%[2]s/xfrd.state"
    xfrdir: "%[2]s"
    server-count: 1
    tcp-count: 100
    ipv4-edns-size: 4096
    minimal-responses: no
    refuse-any: no
    round-robin: no
    rrl-ratelimit: 0
    xfrd-reload-timeout: 0
    verbosity: 2
remote-control:
    control-enable: no
`, joined(addr, "@"), dir)
	for _, z := range zones {
		fmt.Fprintf(&b, "zone:\n    name: %q\n", z.zone)
		if z.file != "" {
			fmt.Fprintf(&b, "    zonefile: %q\n", z.file)
			continue
		}
		fmt.Fprintf(&b, "    request-xfr: AXFR %s NOKEY\n    allow-notify: 127.0.0.1 NOKEY\n    provide-xfr: 127.0.0.1 NOKEY\n", joined(z.primary, "@"))
	}
	conf := filepath.Join(dir, "nsd.conf")
	write(t, conf, b.String())
	return run(t, addr, exec.Command(path, "-d", "-c", conf), "nsd started")
}

func startKnot(t *testing.T, path, addr string, zones []hosted) *server {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	fmt.Fprintf(&b, `server:
    rundir: "%s"
    listen: %s
    udp-workers: 8
    tcp-workers: 2
    background-workers: 1
    udp-max-payload: 4096
log:
  - target: stdout
    any: info
database:
    storage: "%[1]s"
template:
  - id: default
    storage: "%[1]s"
    zonefile-sync: -1
    journal-content: none
acl:
  - id: notify
    address: 127.0.0.1
    action: notify
`, dir, joined(addr, "@"))
	remotes := map[string]bool{}
	for _, z := range zones {
		if z.primary != "" && !remotes[z.primary] {
			remotes[z.primary] = true
			fmt.Fprintf(&b, "remote:\n  - id: %s\n    address: %s\n", remoteID(z.primary), joined(z.primary, "@"))
		}
	}
	b.WriteString("zone:\n")
	for _, z := range zones {
		fmt.Fprintf(&b, "  - domain: %q\n", z.zone)
		if z.file != "" {
			fmt.Fprintf(&b, "    file: %q\n", z.file)
			continue
		}
		fmt.Fprintf(&b, "    master: %s\n    acl: notify\n", remoteID(z.primary))
	}
	conf := filepath.Join(dir, "knot.conf")
	write(t, conf, b.String())
	return run(t, addr, exec.Command(path, "-c", conf), "server started")
}

func remoteID(addr string) string { return "primary" + joined(addr, "-") }

func startBIND(t *testing.T, path, addr string, zones []hosted) *server {
	t.Helper()
	dir := t.TempDir()
	host, port, _ := net.SplitHostPort(addr)
	var b strings.Builder
	fmt.Fprintf(&b, `options {
    directory "%s";
    listen-on port %s { %s; };
    listen-on-v6 { none; };
    pid-file none;
    session-keyfile none;
    managed-keys-directory "%[1]s";
    recursion no;
    dnssec-validation no;
    allow-query { any; };
    notify no;
    minimal-any no;
    minimal-responses no-auth;
    zero-no-soa-ttl no;
    max-udp-size 4096;
    nocookie-udp-size 4096;
    max-records-per-type 0;
    empty-zones-enable no;
};
controls { };
`, dir, port, host)
	for _, z := range zones {
		if z.file != "" {
			fmt.Fprintf(&b, "zone %q { type primary; file %q; };\n", z.zone, z.file)
			continue
		}
		primary, from, _ := net.SplitHostPort(z.primary)
		fmt.Fprintf(&b, "zone %q { type secondary; file %q; masterfile-format text; primaries { %s port %s; }; allow-notify { 127.0.0.1; }; };\n",
			z.zone, filepath.Join(dir, "db."+z.zone), primary, from)
	}
	conf := filepath.Join(dir, "named.conf")
	write(t, conf, b.String())
	return run(t, addr, exec.Command(path, "-g", "-n", "2", "-c", conf), "all zones loaded")
}

// TestReferences: each reference serves a zone from a master file.
func TestReferences(t *testing.T) {
	file := filepath.Join(t.TempDir(), "db")
	write(t, file, overlayZone)
	for _, ref := range references {
		t.Run(ref.name, func(t *testing.T) {
			s := ref.run(t, []hosted{{zone: "example.com.", file: file}})
			if got := format(s.ask(t, "udp", query(t, "ns.example.com A"))); !strings.HasPrefix(got, "ns.example.com. 300 IN A 192.0.2.1\n") {
				t.Errorf("%s", got)
			}
		})
	}
}
