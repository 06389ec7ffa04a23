package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// All that is served is in one zone, with one TTL.
const (
	zone = "example.org."
	ttl  = 3600
)

func soa(serial int) string {
	return fmt.Sprintf("%s %d IN SOA ns.example.net. hostmaster.example.org. %d 7200 1800 86400 60", zone, ttl, serial)
}

// records are what a workload declares. The files of all servers are written
// from them, and the answers of all are held against them. Names are relative to
// the zone, @ being the zone itself.
type records struct {
	hosts    []host
	mails    []mail
	services []service
}

type host struct {
	name      string
	addresses []string
}

// A mail is a set of exchanges that domains share; likewise a service.
type mail struct {
	domains   []string
	exchanges []exchange
}

type exchange struct {
	preference int
	host       string
}

type service struct {
	names   []string
	targets []target
}

type target struct {
	priority, weight, port int
	host                   string
}

// with returns the records and those of others.
func (r records) with(others records) records {
	return records{
		slices.Concat(r.hosts, others.hosts), slices.Concat(r.mails, others.mails), slices.Concat(r.services, others.services),
	}
}

func absolute(name string) string {
	if name == "@" {
		return zone
	}
	return name + "." + zone
}

// An rr is a record as a zone file has it, its owner absolute.
type rr struct{ owner, kind, data string }

func (r rr) String() string { return fmt.Sprintf("%s %d IN %s %s", r.owner, ttl, r.kind, r.data) }

func (h host) rrs() []rr {
	var rrs []rr
	for _, a := range h.addresses {
		rrs = append(rrs, rr{absolute(h.name), family(a), a})
	}
	return rrs
}

func family(address string) string {
	if strings.Contains(address, ":") {
		return "AAAA"
	}
	return "A"
}

func (m mail) rrs(domain string) []rr {
	var rrs []rr
	for _, x := range m.exchanges {
		rrs = append(rrs, rr{absolute(domain), "MX", fmt.Sprintf("%d %s", x.preference, absolute(x.host))})
	}
	return rrs
}

func (s service) rrs(name string) []rr {
	var rrs []rr
	for _, t := range s.targets {
		rrs = append(rrs, rr{absolute(name), "SRV", fmt.Sprintf("%d %d %d %s", t.priority, t.weight, t.port, absolute(t.host))})
	}
	return rrs
}

// answer returns the records of a name and type, and those of the addresses that
// belong beside them.
func (r records) answer(q question) (answer, glue []rr) {
	var targets []string
	name := strings.TrimSuffix(strings.TrimSuffix(q.name+".", zone), ".")
	if name == "" {
		name = "@"
	}
	for _, m := range r.mails {
		if q.kind == "MX" && slices.Contains(m.domains, name) {
			answer = append(answer, m.rrs(name)...)
			for _, x := range m.exchanges {
				targets = append(targets, x.host)
			}
		}
	}
	for _, s := range r.services {
		if q.kind == "SRV" && slices.Contains(s.names, name) {
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

// each hands over all records.
func (r records) each(yield func(rr)) {
	for _, h := range r.hosts {
		for _, rr := range h.rrs() {
			yield(rr)
		}
	}
	for _, m := range r.mails {
		for _, d := range m.domains {
			for _, rr := range m.rrs(d) {
				yield(rr)
			}
		}
	}
	for _, s := range r.services {
		for _, n := range s.names {
			for _, rr := range s.rrs(n) {
				yield(rr)
			}
		}
	}
}

// definitions writes the records as mxsrv has them.
func (r records) definitions(w io.Writer) {
	for _, h := range r.hosts {
		fmt.Fprintf(w, "host %s %s\n", h.name, strings.Join(h.addresses, " "))
	}
	for _, m := range r.mails {
		fmt.Fprintf(w, "mail %s {\n", strings.Join(m.domains, " "))
		for _, x := range m.exchanges {
			fmt.Fprintf(w, "    %d %s\n", x.preference, x.host)
		}
		fmt.Fprintln(w, "}")
	}
	for _, s := range r.services {
		fmt.Fprintf(w, "service %s {\n", strings.Join(s.names, " "))
		for _, t := range s.targets {
			fmt.Fprintf(w, "    %d %d %d %s\n", t.priority, t.weight, t.port, t.host)
		}
		fmt.Fprintln(w, "}")
	}
}

// zoneFile writes the records as a zone, which wants a SOA and an NS on top.
func (r records) zoneFile(w io.Writer) { r.zoneWith(w, 1) }

func (r records) zoneWith(w io.Writer, serial int) {
	fmt.Fprintf(w, "%s\n%s %d IN NS ns.example.net.\n", soa(serial), zone, ttl)
	r.each(func(rr rr) { fmt.Fprintln(w, rr) })
}

// hostsFile writes the addresses as /etc/hosts has them.
func (r records) hostsFile(w io.Writer) {
	for _, h := range r.hosts {
		for _, a := range h.addresses {
			fmt.Fprintln(w, a, strings.TrimSuffix(absolute(h.name), "."))
		}
	}
}

// fill writes a file.
func fill(path string, content func(io.Writer)) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	content(w)
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func fillText(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}
