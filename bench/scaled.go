package main

import (
	"fmt"
	"io"
	"os"
)

// A scaled is a server that is looked at with many records.
type scaled struct {
	name    string
	records func(n int) records
	write   func(s site, r records, v version) error
	plugins string // of its Corefile
	follows bool   // its file, of which one line changes
	anew    bool   // it tells one changed line from all
}

// A version is what the file of a server has: its serial, the address of the
// first host and the TTL of all records.
type version struct {
	serial, ttl int
	address     string
}

const (
	oneStanza   = "mxsrv, one stanza"
	reloadEvery = "2s" // the default of mxsrv
)

var scaledServers = []scaled{
	{name: "mxsrv", records: mixed, write: writeDefinitions, follows: true, anew: true,
		plugins: "\tmxsrv {\n\t\tfile " + definitionsFile + "\n\t\treload " + reloadEvery + "\n\t}\n"},
	{name: "file", records: mixed, write: writeZone, follows: true,
		plugins: "\tfile " + zoneFileName + " {\n\t\treload " + reloadEvery + "\n\t}\n"},
	{name: oneStanza, records: func(n int) records { return shared(n)() }, write: writeDefinitions,
		plugins: "\tmxsrv {\n\t\tfile " + definitionsFile + "\n\t}\n"},
}

// mixed returns n records: a third are addresses of hosts, a third exchanges and
// a third targets, two of a mail domain or service.
func mixed(n int) records {
	var r records
	hosts, domains := n/3, n/6
	name := func(i int) string { return fmt.Sprintf("h%06d", i%hosts) }
	for i := range hosts {
		r.hosts = append(r.hosts, host{name(i), []string{fmt.Sprintf("10.%d.%d.%d", i%200, i/200/250, i/200%250+1)}})
	}
	for i := range domains {
		d, a, b := fmt.Sprintf("d%06d", i), name(2*i), name(2*i+1)
		r.mails = append(r.mails, mail{[]string{d}, []exchange{{10, a}, {20, b}}})
		r.services = append(r.services, service{[]string{"_ldap._tcp." + d}, []target{{0, 6, 389, a}, {0, 4, 389, b}}})
	}
	return r
}

// spreadQuestions asks for all kinds of records, from all over them.
func (r records) spreadQuestions() []question {
	const most = 1000
	var questions []question
	ask := func(name, kind string) {
		questions = append(questions, question{name + ".example.org", kind})
	}
	for i := 0; i < len(r.hosts); i += 1 + len(r.hosts)/most {
		ask(r.hosts[i].name, "A")
	}
	for i := 0; i < len(r.mails); i += 1 + len(r.mails)/most {
		ask(r.mails[i].domains[len(r.mails[i].domains)-1], "MX")
	}
	for i := 0; i < len(r.services); i += 1 + len(r.services)/most {
		ask(r.services[i].names[0], "SRV")
	}
	return questions
}

func writeDefinitions(s site, r records, v version) error {
	return replace(s.path(definitionsFile), func(w io.Writer) {
		fmt.Fprintln(w, "ttl", v.ttl)
		r.definitions(w)
	})
}

func writeZone(s site, r records, v version) error {
	return replace(s.path(zoneFileName), func(w io.Writer) { r.zoneWith(w, v.serial) })
}

// replace puts new content in the place of a file, at once.
func replace(path string, content func(io.Writer)) error {
	if err := fill(path+".next", content); err != nil {
		return err
	}
	return os.Rename(path+".next", path)
}
