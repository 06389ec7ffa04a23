package publish

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mxsrv/mxsrv/plugin/atomicfile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/serial"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A ledger knows the last serial of each zone, and of which content that was, so
// that a serial never falls and one that was served never means anything else.
type ledger struct {
	path string // of the file that keeps it, or ""

	mu      sync.Mutex
	last    map[definition.Name]entry
	before  map[definition.Name]entry // of zones that are not in last: where another ledger is
	unsaved bool
}

// An entry is the last of a zone.
type entry struct {
	serial  uint32
	content table.Digest
}

// ledgers are those of the process: when CoreDNS reloads its Corefile the new
// instance must go on where the old one is.
var ledgers struct {
	sync.Mutex
	known map[string]*ledger
}

// ledgerOf returns the ledger that is kept in a file; without one it is that of
// a server, as long as the process lives.
func ledgerOf(path, server string) (*ledger, error) {
	ledgers.Lock()
	defer ledgers.Unlock()
	key := "server " + server
	if path != "" {
		path = realPath(path)
		key = "file " + path
	}
	if l := ledgers.known[key]; l != nil {
		return l, nil
	}
	l := &ledger{path: path, last: make(map[definition.Name]entry), before: make(map[definition.Name]entry)}
	if err := l.read(); err != nil {
		return nil, err
	}
	for _, other := range ledgers.known {
		l.inherit(other)
	}
	if ledgers.known == nil {
		ledgers.known = make(map[string]*ledger)
	}
	ledgers.known[key] = l
	return l, nil
}

// saveError says of an error of the file of serials where the file is named, and what
// to write there if it is not what is in the file.
func saveError(c *Config, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	if errors.As(err, &path) || errors.As(err, &link) {
		return fmt.Errorf("%v: serials: %w: write the path of a file in a directory that CoreDNS may write to", c.SerialsPos, err)
	}
	return fmt.Errorf("%v: serials: %w", c.SerialsPos, err)
}

// inherit notes what another ledger knows. Its serials were served, and must not
// fall because a reloaded Corefile keeps them elsewhere.
func (l *ledger) inherit(other *ledger) {
	other.mu.Lock()
	defer other.mu.Unlock()
	for zone, e := range other.last {
		if known, ok := l.before[zone]; !ok || serial.Newer(e.serial, known.serial) {
			l.before[zone] = e
		}
	}
}

// realPath returns the absolute path of a file without symbolic links: there is one
// ledger for it, and it is the file that is replaced, not a link to it.
func realPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if file, err := filepath.EvalSymlinks(path); err == nil {
		return file
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}

// next returns the serial of a zone with this content, and notes it. With a revision
// the serial follows that, as all servers see the same one, whether or not the content
// has changed.
func (l *ledger) next(zone definition.Name, content table.Digest, revision int64) uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, known := l.last[zone]
	if !known {
		last = l.before[zone]
	}
	switch of := serial.OfRevision(revision); {
	case revision > 0 && (last.serial == 0 || serial.Newer(of, last.serial)):
		last = entry{of, content}
	case revision > 0 && last.content != content:
		last = entry{max(last.serial+1, 1), content} // it was another Corefile that made this revision's
	case last.serial == 0 || last.content != content:
		last = entry{serial.After(last.serial, time.Now()), content}
	}
	if last != l.last[zone] {
		l.last[zone], l.unsaved = last, true
	}
	return last.serial
}

// matches reports whether these are the last serials: somebody else may have noted
// others.
func (l *ledger) matches(serials map[definition.Name]uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for zone, serial := range serials {
		if l.last[zone].serial != serial {
			return false
		}
	}
	return true
}

// read reads the file: lines of zone, serial and digest.
func (l *ledger) read() error {
	if l.path == "" {
		return nil
	}
	file, err := os.Open(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the first start
	}
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		if err := l.readLine(lines.Text()); err != nil {
			return fmt.Errorf("%s:%d: %w", l.path, n, err)
		}
	}
	return lines.Err()
}

func (l *ledger) readLine(line string) error {
	words := strings.Fields(line)
	if len(words) == 0 || words[0][0] == '#' {
		return nil
	}
	if len(words) != 3 {
		return fmt.Errorf("%q: write ZONE SERIAL DIGEST, or delete the file to start anew", line)
	}
	zone, err := definition.ParseName(words[0], ".")
	if err != nil {
		return err
	}
	serial, err := strconv.ParseUint(words[1], 10, 32)
	if err != nil {
		return fmt.Errorf("serial %q: write a number from 1 to %d", words[1], uint32(1<<32-1))
	}
	content, err := table.ParseDigest(words[2])
	l.last[zone] = entry{uint32(serial), content}
	return err
}

// save writes the file if there is something new.
func (l *ledger) save() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.path == "" || !l.unsaved {
		return nil
	}
	lines := []string{"# the last serial of each zone, and a digest of its records\n"}
	for zone, e := range l.last {
		lines = append(lines, fmt.Sprintf("%s %d %v\n", zone, e.serial, e.content))
	}
	slices.Sort(lines)
	err := atomicfile.Write(l.path, 0o644, []byte(strings.Join(lines, "")))
	l.unsaved = err != nil
	return err
}
