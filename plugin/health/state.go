package health

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/atomicfile"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A file of verdicts has the title and the version in its first line. Each further line is a verdict: fields with tabs
// between. Version 1 had no verdict that a server is unreachable.
const (
	stateTitle   = "# mxsrv health "
	stateVersion = 2
)

var stateHeading = fmt.Sprint(stateTitle, stateVersion)

const stateFields = 7 // state, since, probed, address and port, host or "-", check, reason

// mostState octets may be in the file: several hundred thousand verdicts. A larger one is something else.
const mostState = 64 << 20

// ReadState returns the verdicts in a file. If there is no file, these are none; if it is no such file, it is an error.
func ReadState(path string) (map[Probe]Verdict, error) {
	text, err := atomicfile.ReadAtMost(path, mostState)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	verdicts, number := make(map[Probe]Verdict), 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if number++; number == 1 {
			if err := checkHeading(line); err != nil {
				return nil, fmt.Errorf("%s:1: %w, or delete the file to start anew", path, err)
			}
			continue
		}
		probe, verdict, err := parseVerdict(line)
		if err != nil {
			return nil, lineError(path, number, err)
		}
		verdicts[probe] = verdict
	}
	if number == 0 {
		return nil, lineError(path, 1, errors.New("the file is empty"))
	}
	return verdicts, nil
}

func checkHeading(line string) error {
	version, titled := strings.CutPrefix(line, stateTitle)
	switch {
	case line == stateHeading, titled && version == "1":
		return nil
	case titled:
		return atomicfile.OtherVersion(version, stateVersion)
	}
	return errorf("%q: write %q", line, stateHeading)
}

func lineError(path string, line int, err error) error {
	return fmt.Errorf("%s:%d: %w: delete the file to start anew", path, line, err)
}

func errorf(format string, args ...any) error { return errors.New(definition.Sprintf(format, args...)) }

func parseVerdict(line string) (p Probe, v Verdict, err error) {
	fields := strings.Split(line, "\t")
	if len(fields) != stateFields {
		return p, v, errorf("%q: %d fields instead of %d", line, len(fields), stateFields)
	}
	if v.State, err = parseState(fields[0]); err != nil {
		return p, v, err
	}
	var errs [4]error
	v.Since, errs[0] = time.Parse(time.RFC3339Nano, fields[1])
	v.Probed, errs[1] = time.Parse(time.RFC3339Nano, fields[2])
	p.Addr, errs[2] = netip.ParseAddrPort(fields[3])
	if fields[4] != "-" {
		p.Host, errs[3] = definition.ParseName(fields[4], ".")
	}
	if err := cmp.Or(errs[:]...); err != nil {
		return p, v, errorf("%v", err)
	}
	p.Check, err = definition.ParseCheck(strings.Fields(fields[5]), ".")
	v.Why = fields[6]
	return p, v, err
}

func parseState(word string) (State, error) {
	for _, s := range []State{Up, Down, Unreachable} {
		if word == s.String() {
			return s, nil
		}
	}
	return Unknown, errorf("%q is neither up, down nor unreachable", word)
}

// encode returns verdicts as a file, sorted.
func encode(verdicts map[Probe]Verdict) []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, stateHeading)
	byString := func(p, q Probe) int { return cmp.Or(p.Addr.Compare(q.Addr), strings.Compare(p.String(), q.String())) }
	for _, p := range slices.SortedFunc(maps.Keys(verdicts), byString) {
		v := verdicts[p]
		fmt.Fprintf(&b, "%v\t%s\t%s\t%v\t%s\t%v\t%s\n", v.State, v.Since.UTC().Format(time.RFC3339Nano),
			v.Probed.UTC().Format(time.RFC3339Nano), p.Addr, cmp.Or(p.Host, "-"), p.Check, v.Why)
	}
	return b.Bytes()
}

// save writes the file of verdicts, if there is to be one. A symbolic link to it stays. That it cannot is logged once.
func (p *Prober) save() {
	if p.config.State == "" {
		return
	}
	p.unsaved.Store(false)
	err := atomicfile.Write(atomicfile.RealPath(p.config.State), 0o644, encode(p.Snapshot()))
	if err != nil && !p.saveFailed {
		p.observer.Error(fmt.Sprintf("verdicts of checks cannot be saved: %v", err))
	}
	p.saveFailed = err != nil
}
