package main

import (
	"embed"
	"errors"
	"fmt"
	"os"

	"github.com/miekg/dns"
)

// The configuration of servers other than CoreDNS is in conf: one worker, no limit of
// rates, answers over UDP as large as those of CoreDNS, and addresses in the additional
// section where there is a choice.
//
//go:embed conf
var conf embed.FS

// fillConf writes the configuration of a server.
func (s site) fillConf(name string) error {
	text, err := conf.ReadFile("conf/" + name)
	if err != nil {
		return err
	}
	v := values{"dir": s.dir, "port": s.port, "ttl": ttl, "largest": largest, "zone": zoneFile}
	return s.fillText(name, os.Expand(string(text), func(name string) string { return fmt.Sprint(v[name]) }))
}

// zoneConf makes the preparation of a server that reads a zone file, signed if answers
// are to be.
func zoneConf(name string) func(site, *workload) error {
	return func(s site, w *workload) error {
		fill := block(fileLines)
		if w.signed {
			fill = fillSigned
		}
		return errors.Join(fill(s, w), s.fillConf(name))
	}
}

func dnsmasqConf(s site, w *workload) error {
	return errors.Join(s.fill("records.conf", w.records().dnsmasq), s.fillConf("dnsmasq.conf"))
}

const keyFile = "Kexample.org" // .key and .private, as BIND names them

// fillKey writes a key with which the plugin dnssec signs each answer of CoreDNS.
func (s site) fillKey() error {
	key := &dns.DNSKEY{Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeDNSKEY, Class: dns.ClassINET, Ttl: ttl},
		Flags: 257, Protocol: 3, Algorithm: dns.ECDSAP256SHA256}
	private, err := key.Generate(256)
	if err != nil {
		return err
	}
	return errors.Join(s.fillText(keyFile+".key", key.String()+"\n"),
		s.fillText(keyFile+".private", key.PrivateKeyString(private)))
}

// fillSigned writes a signed zone: that of the plugin sign, once file answers with it.
func fillSigned(s site, w *workload) error {
	lines := func(s site, w *workload) (string, error) {
		const lines = "\tsign %s {\n\t\tkey file %s\n\t\tdirectory .\n\t}\n\tfile %[1]s.signed {\n\t\treload 1s\n\t}\n"
		return fmt.Sprintf(lines, zoneFile, keyFile), s.fill(zoneFile, w.served().zoneFile)
	}
	if _, err := w.answerAlone(s, lines); err != nil {
		return err
	}
	return os.Rename(s.path(zoneFile+".signed"), s.path(zoneFile))
}
