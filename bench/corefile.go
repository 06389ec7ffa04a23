package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// Files of the CoreDNS peers.
const (
	definitionsFile = "definitions.conf"
	zoneFileName    = "db.example.org"
	hostsFileName   = "hosts"
	fixedFile       = "fixed.message"
)

// blockOf makes a preparation of what a plugin needs: lines writes its files and
// returns its lines in the Corefile.
func blockOf(lines func(site, *workload) (string, error)) func(site, *workload) error {
	return func(s site, w *workload) error {
		plugins, err := lines(s, w)
		if err != nil {
			return err
		}
		return os.WriteFile(s.path("Corefile"), []byte(corefile(s.port, w.shape, plugins)), 0o644)
	}
}

// linesBefore are those of the plugins before the compared ones, by name.
var linesBefore = map[string]string{"cache": "\tcache\n", "errors": "\terrors\n", "log": "\tlog\n", "prometheus": "\tprometheus 127.0.0.1:0\n"}

// corefile is a server block, with the plugins that a workload wants before the compared ones.
func corefile(port int, shape shape, plugins string) string {
	front := ""
	for name := range strings.SplitSeq(shape.before, "+") {
		front += linesBefore[name]
	}
	if shape.do {
		front += "\tdnssec {\n\t\tkey file " + keyFile + "\n\t}\n"
	}
	return fmt.Sprintf("%s:%d {\n\tbind 127.0.0.1\n%s%s}\n", strings.TrimSuffix(zone, "."), port, front, plugins)
}

func mxsrvLines(s site, w *workload) (string, error) {
	whole, next := "", ""
	if w.shape.denial {
		whole = "\t\tauthoritative {\n\t\t\tns ns.example.net.\n\t\t}\n"
	}
	if w.next != nil {
		next = "\tfixed " + fixedFile + "\n"
		if err := fillFixed(s, composed(w)); err != nil {
			return "", err
		}
	}
	return "\tmxsrv {\n\t\tfile " + definitionsFile + "\n" + whole + "\t}\n" + next, s.fill(definitionsFile, w.records().definitions)
}

func fileLines(s site, w *workload) (string, error) {
	return "\tfile " + zoneFileName + "\n", s.fill(zoneFileName, w.served().zoneFile)
}

func cachedFileLines(s site, w *workload) (string, error) {
	lines, err := fileLines(s, w)
	return "\tcache\n" + lines, err
}

func cachedMXSRVLines(s site, w *workload) (string, error) {
	lines, err := mxsrvLines(s, w)
	return "\tcache\n" + lines, err
}

func overlayLines(s site, w *workload) (string, error) {
	lines, err := fileLines(s, w)
	if err != nil {
		return "", err
	}
	return "\tmxsrv {\n\t\tfile " + definitionsFile + "\n\t}\n" + lines, s.fill(definitionsFile, w.records().definitions)
}

func hostsLines(s site, w *workload) (string, error) {
	return "\thosts " + hostsFileName + " {\n\t\tttl 3600\n\t}\n", s.fill(hostsFileName, w.records().hostsFile)
}

// templateLines answers the one question of the workload, or all names with the
// same records.
func templateLines(_ site, w *workload) (string, error) {
	q := w.questions()[0]
	var b strings.Builder
	fmt.Fprintf(&b, "\ttemplate IN %s {\n", q.kind)
	answer, glue := w.records().answer(q)
	if w.shape.denial {
		fmt.Fprintf(&b, "\t\trcode NXDOMAIN\n\t\tauthority %q\n", soa(1))
	}
	for _, rr := range answer {
		if w.shape.asked {
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

func etcdLines(s site, w *workload) (string, error) {
	lines := fmt.Sprintf("\tetcd {\n\t\tpath /skydns\n\t\tendpoint http://127.0.0.1:%d\n\t}\n", s.port+1)
	return lines, s.fill(keysFile, func(out io.Writer) { w.records().keys(out) })
}
