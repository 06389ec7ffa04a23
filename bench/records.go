package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// All records are in one zone and have one TTL.
const (
	zone = "example.org."
	ttl  = 3600
)

func soa(serial int) string {
	return fmt.Sprintf("%s %d IN SOA ns.example.net. hostmaster.example.org. %d 7200 1800 86400 60", zone, ttl, serial)
}

// records are what a workload declares. The files of all servers are written from
// them, and all answers are compared with them. Names are relative to the zone, @
// being its apex.
type records struct {
	hosts []host
	sets  []set
}

type host struct {
	name      string
	addresses []string
}

// A set is an RRset of type MX or SRV that all its owners have.
type set struct {
	kind    string
	owners  []string
	targets []target
}

// A target is a host with the numbers before it: "10" in an MX, "0 6 389" in an SRV.
type target struct{ numbers, host string }

func (r records) with(others records) records {
	return records{slices.Concat(r.hosts, others.hosts), slices.Concat(r.sets, others.sets)}
}

func absolute(name string) string {
	if name == "@" {
		return zone
	}
	return name + "." + zone
}

// bare returns an absolute name without the final dot, as most programs have it.
func bare(name string) string { return strings.TrimSuffix(absolute(name), ".") }

// An rr is a record as a zone file has it, its owner absolute.
type rr struct{ owner, kind, data string }

func (r rr) String() string { return fmt.Sprintf("%s %d IN %s %s", r.owner, ttl, r.kind, r.data) }

func (h host) rrs() []rr {
	var rrs []rr
	for _, a := range h.addresses {
		kind := "A"
		if strings.Contains(a, ":") {
			kind = "AAAA"
		}
		rrs = append(rrs, rr{absolute(h.name), kind, a})
	}
	return rrs
}

func (s set) rrs(owner string) []rr {
	var rrs []rr
	for _, t := range s.targets {
		rrs = append(rrs, rr{absolute(owner), s.kind, t.numbers + " " + absolute(t.host)})
	}
	return rrs
}

// answer returns the records of a name and type, and those of the addresses that
// belong in the additional section.
func (r records) answer(q question) (answer, glue []rr) {
	name := strings.TrimSuffix(strings.TrimSuffix(q.name+".", zone), ".")
	if name == "" {
		name = "@"
	}
	var targets []string
	for _, s := range r.sets {
		if s.kind == q.kind && slices.Contains(s.owners, name) {
			answer = append(answer, s.rrs(name)...)
			for _, t := range s.targets {
				targets = append(targets, t.host)
			}
		}
	}
	for _, h := range r.hosts {
		if slices.Contains(targets, h.name) {
			glue = append(glue, h.rrs()...)
		}
		if h.name == name {
			answer = append(answer, slices.DeleteFunc(h.rrs(), func(rr rr) bool { return rr.kind != q.kind })...)
		}
	}
	return answer, glue
}

// each calls do for all owners with their records.
func (r records) each(do func(owner string, rrs []rr)) {
	for _, h := range r.hosts {
		do(h.name, h.rrs())
	}
	for _, s := range r.sets {
		for _, o := range s.owners {
			do(o, s.rrs(o))
		}
	}
}

// definitions writes the records in the language of mxsrv.
func (r records) definitions(w io.Writer) {
	for _, h := range r.hosts {
		fmt.Fprintf(w, "host %s %s\n", h.name, strings.Join(h.addresses, " "))
	}
	verbs := map[string]string{"MX": "mail", "SRV": "service"}
	for _, s := range r.sets {
		fmt.Fprintf(w, "%s %s {\n", verbs[s.kind], strings.Join(s.owners, " "))
		for _, t := range s.targets {
			fmt.Fprintf(w, "    %s %s\n", t.numbers, t.host)
		}
		fmt.Fprintln(w, "}")
	}
}

// zoneFile writes the records as a zone, which needs a SOA and an NS record.
func (r records) zoneFile(w io.Writer) {
	fmt.Fprintf(w, "%s\n%s %d IN NS ns.example.net.\n", soa(1), zone, ttl)
	r.each(func(_ string, rrs []rr) {
		for _, rr := range rrs {
			fmt.Fprintln(w, rr)
		}
	})
}

// hostsFile writes the addresses as /etc/hosts has them.
func (r records) hostsFile(w io.Writer) {
	for _, h := range r.hosts {
		for _, a := range h.addresses {
			fmt.Fprintln(w, a, bare(h.name))
		}
	}
}

// dnsmasq writes the records as options of dnsmasq.
func (r records) dnsmasq(w io.Writer) {
	for _, h := range r.hosts {
		fmt.Fprintf(w, "host-record=%s,%s\n", bare(h.name), strings.Join(h.addresses, ","))
	}
	for _, s := range r.sets {
		for _, o := range s.owners {
			for _, t := range s.targets {
				if n := strings.Fields(t.numbers); s.kind == "MX" {
					fmt.Fprintf(w, "mx-host=%s,%s,%s\n", bare(o), bare(t.host), n[0])
				} else {
					fmt.Fprintf(w, "srv-host=%s,%s,%s,%s,%s\n", bare(o), bare(t.host), n[2], n[0], n[1])
				}
			}
		}
	}
}

// keys calls put for all records as the plugin etcd reads them, in the schema of SkyDNS: a
// key for each, the labels of its owner in reverse and below that one of its own.
func (r records) keys(put func(key, value string)) {
	r.each(func(owner string, rrs []rr) {
		labels := strings.Split(bare(owner), ".")
		slices.Reverse(labels)
		for i, rr := range rrs {
			put(fmt.Sprintf("/skydns/%s/x%d", strings.Join(labels, "/"), i), rr.skydns())
		}
	})
}

func (r rr) skydns() string {
	f := strings.Fields(r.data)
	switch last := strings.TrimSuffix(f[len(f)-1], "."); r.kind {
	case "MX":
		return fmt.Sprintf(`{"host":%q,"mail":true,"priority":%s,"ttl":%d}`, last, f[0], ttl)
	case "SRV":
		return fmt.Sprintf(`{"host":%q,"port":%s,"priority":%s,"ttl":%d,"weight":%s}`, last, f[2], f[0], ttl, f[1])
	default:
		return fmt.Sprintf(`{"host":%q,"ttl":%d}`, last, ttl)
	}
}

// A site is where a server runs: its directory, and its port on 127.0.0.1.
type site struct {
	dir  string
	port int
}

func (s site) path(name string) string { return filepath.Join(s.dir, name) }

// fill puts new content in the place of a file, which is never half written.
func (s site) fill(name string, content func(io.Writer)) error {
	f, err := os.Create(s.path(name + ".next"))
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	content(w)
	return errors.Join(w.Flush(), f.Close(), os.Rename(f.Name(), s.path(name)))
}

func (s site) fillText(name, text string) error {
	return os.WriteFile(s.path(name), []byte(text), 0o644)
}
