package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
)

// Files of the scale benchmark.
const (
	definitions     = "definitions.conf" // what mxsrv serves, and the same as a zone:
	changedFile     = "changed.conf"     // the same with the address of one host changed
	manyZone        = "db.many"
	domainList      = "domains.conf" // one stanza with many domains
	singleDomain    = "domain.conf"  // the same with one
	changedAddress  = "203.0.113.1"  // of host 1 in changedFile
	manyRecordsFile = "questions"
)

// A sheet is a file that is being written.
type sheet struct {
	*bufio.Writer
	file *os.File
}

func newSheet(dir, name string) (sheet, error) {
	f, err := os.Create(filepath.Join(dir, name))
	return sheet{bufio.NewWriter(f), f}, err
}

func (s sheet) line(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

func (s sheet) close() error {
	if err := s.Flush(); err != nil {
		return err
	}
	return s.file.Close()
}

// fill writes a file.
func fill(dir, name string, content func(sheet)) error {
	s, err := newSheet(dir, name)
	if err != nil {
		return err
	}
	content(s)
	return s.close()
}

// Of n records a third are addresses of hosts, a third exchanges and a third
// targets, two of a mail domain or service.
func hosts(n int) int   { return n / 3 }
func domains(n int) int { return n / 6 }

func hostName(i int) string   { return fmt.Sprintf("h%06d", i) }
func domainName(i int) string { return fmt.Sprintf("d%06d", i) }

// hostAddress spreads hosts over networks.
func hostAddress(i int) string { return fmt.Sprintf("10.%d.%d.%d", i%200, i/200/250, i/200%250+1) }

// pair returns the two hosts of a domain.
func pair(i, n int) (first, second int) { return 1 + (2*i)%hosts(n), 1 + (2*i+1)%hosts(n) }

// declare writes n records as definitions; first is the address of host 1.
func declare(s sheet, n int, first string) {
	for i := range hosts(n) {
		address := hostAddress(i + 1)
		if i == 0 {
			address = first
		}
		s.line("host %s %s", hostName(i+1), address)
	}
	for i := range domains(n) {
		a, b := pair(i, n)
		s.line("mail %s {\n    10 %s\n    20 %s\n}", domainName(i+1), hostName(a), hostName(b))
		s.line("service _ldap._tcp.%s {\n    0 6 389 %s\n    0 4 389 %s\n}", domainName(i+1), hostName(a), hostName(b))
	}
}

// zoneFileOf writes the same records as a zone.
func zoneFileOf(s sheet, n int) {
	s.line("$ORIGIN example.org.\n$TTL 3600\n@ SOA ns.example.net. hostmaster 1 7200 1800 86400 300\n@ NS ns.example.net.")
	for i := range hosts(n) {
		s.line("%s A %s", hostName(i+1), hostAddress(i+1))
	}
	for i := range domains(n) {
		a, b := pair(i, n)
		d := domainName(i + 1)
		s.line("%s MX 10 %s\n%s MX 20 %s", d, hostName(a), d, hostName(b))
		s.line("_ldap._tcp.%s SRV 0 6 389 %s\n_ldap._tcp.%s SRV 0 4 389 %s", d, hostName(a), d, hostName(b))
	}
}

// stanza writes one mail stanza with n domains.
func stanza(s sheet, n int) {
	s.line("host mx1 192.0.2.1\nhost mx2 192.0.2.2\nhost mx3 198.51.100.1")
	s.WriteString("mail")
	for i := range n {
		fmt.Fprintf(s, " %s", longName(i+1))
	}
	s.line(" {\n    10 mx1\n    20 mx2 mx3\n}")
}

func longName(i int) string { return fmt.Sprintf("d%07d", i) }

// writeScale writes all files of the scale benchmark.
func writeScale(dir string, port, records, many int) error {
	corefile := func(plugins string) func(sheet) {
		return func(s sheet) { s.WriteString(contender{plugins: "\n\t" + plugins}.corefile(port)) }
	}
	for name, content := range map[string]func(sheet){
		definitions:       func(s sheet) { declare(s, records, hostAddress(1)) },
		changedFile:       func(s sheet) { declare(s, records, changedAddress) },
		manyZone:          func(s sheet) { zoneFileOf(s, records) },
		domainList:        func(s sheet) { stanza(s, many) },
		singleDomain:      func(s sheet) { stanza(s, 1) },
		manyRecordsFile:   func(s sheet) { questions(s, records) },
		"scale.mxsrv":     corefile("mxsrv {\n\t\tfile " + definitions + "\n\t}"),
		"scale.file":      corefile("file " + manyZone),
		"scale.stanza":    corefile("mxsrv {\n\t\tfile " + domainList + "\n\t}"),
		"scale.onedomain": corefile("mxsrv {\n\t\tfile " + singleDomain + "\n\t}"),
	} {
		if err := fill(dir, name, content); err != nil {
			return err
		}
	}
	return nil
}

// questions writes some for dnsperf, of all kinds and from all over the records.
func questions(s sheet, n int) {
	for i := 1; i <= domains(n); i += 1 + domains(n)/1000 {
		s.line("%s.example.org MX\n_ldap._tcp.%s.example.org SRV\n%s.example.org A", domainName(i), domainName(i), hostName(2*i))
	}
}
