package main

import (
	"fmt"
	"io"
	"strings"
)

// What the servers beyond CoreDNS are configured with: one worker, no limit of
// rates, answers over UDP as large as CoreDNS gives them, and addresses in the
// additional section where there is a choice.

const largest = 4096 // octets over UDP

// zoneFor writes the zone, signed if answers are to be.
func zoneFor(s site, w *workload) error {
	if w.shape.do {
		return fillSigned(s, w.served())
	}
	return s.fill(zoneFileName, w.served().zoneFile)
}

func prepareNSD(s site, w *workload) error {
	if err := zoneFor(s, w); err != nil {
		return err
	}
	return fillText(s.dir, "nsd.conf", fmt.Sprintf(`server:
    ip-address: 127.0.0.1@%d
    server-count: 1
    username: ""
    chroot: ""
    database: ""
    zonesdir: %q
    xfrdir: %q
    xfrdfile: ""
    zonelistfile: %q
    pidfile: ""
    logfile: "/dev/stderr"
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
    minimal-responses: no
    ipv4-edns-size: %d
    tcp-count: 100
    tcp-query-count: 0
remote-control:
    control-enable: no
zone:
    name: example.org
    zonefile: %s
`, s.port, s.dir, s.dir, s.path("zone.list"), largest, zoneFileName))
}

func prepareKnot(s site, w *workload) error {
	if err := zoneFor(s, w); err != nil {
		return err
	}
	return fillText(s.dir, "knot.conf", fmt.Sprintf(`server:
    listen: 127.0.0.1@%d
    rundir: %q
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    udp-max-payload: %d
log:
  - target: stderr
    any: error
database:
    storage: %q
zone:
  - domain: example.org
    storage: %q
    file: %s
    journal-content: none
    zonefile-sync: -1
`, s.port, s.dir, largest, s.dir, s.dir, zoneFileName))
}

func prepareBIND(s site, w *workload) error {
	if err := zoneFor(s, w); err != nil {
		return err
	}
	return fillText(s.dir, "named.conf", fmt.Sprintf(`options {
    directory %q;
    listen-on port %d { 127.0.0.1; };
    listen-on-v6 { none; };
    recursion no;
    minimal-responses no;
    max-udp-size %d;
    edns-udp-size %d;
    notify no;
    empty-zones-enable no;
    pid-file none;
    lock-file none;
    session-keyfile none;
};
controls { };
logging { category default { null; }; };
zone "example.org" { type primary; file %q; };
`, s.dir, s.port, largest, largest, zoneFileName))
}

func prepareDnsmasq(s site, w *workload) error {
	return s.fill("dnsmasq.conf", func(out io.Writer) {
		fmt.Fprintf(out, "port=%d\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nno-poll\nuser=\npid-file=\n", s.port)
		fmt.Fprintf(out, "local=/example.org/\nlocal-ttl=%d\nedns-packet-max=%d\ncache-size=10000\n", ttl, largest)
		w.records().dnsmasq(out)
	})
}

// dnsmasq writes the records as options of dnsmasq.
func (r records) dnsmasq(w io.Writer) {
	bare := func(name string) string { return strings.TrimSuffix(absolute(name), ".") }
	for _, h := range r.hosts {
		fmt.Fprintf(w, "host-record=%s,%s\n", bare(h.name), strings.Join(h.addresses, ","))
	}
	for _, m := range r.mails {
		for _, d := range m.domains {
			for _, x := range m.exchanges {
				fmt.Fprintf(w, "mx-host=%s,%s,%d\n", bare(d), bare(x.host), x.preference)
			}
		}
	}
	for _, s := range r.services {
		for _, n := range s.names {
			for _, t := range s.targets {
				fmt.Fprintf(w, "srv-host=%s,%s,%d,%d,%d\n", bare(n), bare(t.host), t.port, t.priority, t.weight)
			}
		}
	}
}
