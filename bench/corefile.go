package main

import (
	"errors"
	"fmt"
	"strings"
)

// Files of CoreDNS.
const (
	definitionsFile = "definitions.conf"
	zoneFile        = "db.example.org"
	hostsFile       = "hosts"
	messageFile     = "message" // of the fixed-answer plugin
)

// A preparation writes the files of plugins and returns their lines in the Corefile.
type preparation func(site, *workload) (string, error)

// block makes the preparation of a CoreDNS from that of some plugins.
func block(plugins preparation) func(site, *workload) error {
	return func(s site, w *workload) error {
		lines, err := plugins(s, w)
		if err != nil {
			return err
		}
		return s.fillText("Corefile", corefile(s.port, w.first()+lines))
	}
}

// corefile returns a server block with some lines.
func corefile(port int, lines string) string {
	return fmt.Sprintf("%s:%d {\n\tbind 127.0.0.1\n%s}\n", strings.TrimSuffix(zone, "."), port, lines)
}

// first returns the lines of the plugins before the compared one.
func (w *workload) first() string {
	lines := ""
	for name := range strings.FieldsFuncSeq(w.before, func(r rune) bool { return r == '+' }) {
		if name == "prometheus" {
			name += " 127.0.0.1:0"
		}
		lines += "\t" + name + "\n"
	}
	if w.signed {
		lines += "\tdnssec {\n\t\tkey file " + keyFile + "\n\t}\n"
	}
	return lines
}

// mxsrvLines are those of mxsrv, and of the fixed-answer plugin after it where the next
// plugin answers.
func mxsrvLines(s site, w *workload) (string, error) {
	lines := "\tmxsrv {\n\t\tfile " + definitionsFile + "\n"
	if w.denial {
		lines += "\t\tauthoritative {\n\t\t\tns ns.example.net.\n\t\t}\n"
	}
	lines += "\t}\n"
	if w.next != nil {
		next, err := fixedLines(s, w)
		if err != nil {
			return "", err
		}
		lines += next
	}
	return lines, s.fill(definitionsFile, w.records().definitions)
}

func fileLines(s site, w *workload) (string, error) {
	return "\tfile " + zoneFile + "\n", s.fill(zoneFile, w.served().zoneFile)
}

// cached returns the lines of a plugin after those of cache.
func cached(plugins preparation) preparation {
	return func(s site, w *workload) (string, error) {
		lines, err := plugins(s, w)
		return "\tcache\n" + lines, err
	}
}

// overlayLines are those of mxsrv with file as the next plugin.
func overlayLines(s site, w *workload) (string, error) {
	lines, err := fileLines(s, w)
	err = errors.Join(err, s.fill(definitionsFile, w.records().definitions))
	return "\tmxsrv {\n\t\tfile " + definitionsFile + "\n\t}\n" + lines, err
}

func hostsLines(s site, w *workload) (string, error) {
	return "\thosts " + hostsFile + " {\n\t\tttl 3600\n\t}\n", s.fill(hostsFile, w.records().hostsFile)
}

// templateLines answer the one question of the workload, or all names with the same
// records.
func templateLines(_ site, w *workload) (string, error) {
	q := w.questions()[0]
	var b strings.Builder
	fmt.Fprintf(&b, "\ttemplate IN %s {\n", q.kind)
	answer, glue := w.records().answer(q)
	if w.denial {
		fmt.Fprintf(&b, "\t\trcode NXDOMAIN\n\t\tauthority %q\n", soa(1))
	}
	for _, rr := range answer {
		if w.asked {
			rr.owner = "{{ .Name }}"
		}
		fmt.Fprintf(&b, "\t\tanswer %q\n", rr)
	}
	for _, rr := range glue {
		fmt.Fprintf(&b, "\t\tadditional %q\n", rr)
	}
	b.WriteString("\t}\n")
	return b.String(), nil
}

// fixedLines are those of the fixed-answer plugin. Its message is that of mxsrv, record for
// record, or that of file where the next plugin answers.
func fixedLines(s site, w *workload) (string, error) {
	plugins := mxsrvLines
	if w.next != nil {
		plugins = overlayLines
	}
	m, err := w.answerAlone(s, plugins)
	if err != nil {
		return "", err
	}
	wire, err := m.Pack()
	if err != nil {
		return "", err
	}
	lines := "\tfixed " + messageFile
	if w.asked {
		lines += " asked"
	}
	return lines + "\n", s.fillText(messageFile, string(wire))
}
