package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
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

// A ledger has the last serial of each zone, and a digest of the content that it was
// given for, so that a serial never falls and one that was served never means anything
// else: as long as the process lives, and over restarts if there is a file that can be
// written. Publishers share it.
type ledger struct {
	path string // of the file that keeps it, or ""

	mu        sync.Mutex
	last      map[definition.Name]entry
	inherited map[definition.Name]entry // the last in other ledgers, for zones that are not in last
	unsaved   bool
}

// An entry is the last serial of a zone, and what it was given for.
type entry struct {
	serial  uint32
	content table.Digest
}

// ledgers are all of the process: when CoreDNS reloads its Corefile, the new publishers
// continue the serials of the old ones.
var ledgers = struct {
	sync.Mutex
	byKey map[string]*ledger
}{byKey: make(map[string]*ledger)}

// ledgerOf returns the ledger that is kept in a file, which it reads the first time. Without
// a path it is that of a server, as long as the process lives.
func ledgerOf(path, server string) (*ledger, error) {
	key := "server " + server
	if path != "" {
		path = realPath(path)
		key = "file " + path
	}
	ledgers.Lock()
	defer ledgers.Unlock()
	if l := ledgers.byKey[key]; l != nil {
		return l, nil
	}
	l := &ledger{path: path, last: make(map[definition.Name]entry), inherited: make(map[definition.Name]entry)}
	if err := l.read(); err != nil {
		return nil, err
	}
	for _, other := range ledgers.byKey {
		l.inherit(other)
	}
	ledgers.byKey[key] = l
	return l, nil
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

// inherit takes over the last serials of another ledger. They were served, and must not
// fall because a reloaded Corefile keeps them elsewhere.
func (l *ledger) inherit(other *ledger) {
	other.mu.Lock()
	defer other.mu.Unlock()
	for zone, e := range other.last {
		if known, ok := l.inherited[zone]; !ok || serial.Newer(e.serial, known.serial) {
			l.inherited[zone] = e
		}
	}
}

// next returns the serial of a zone with this content, and notes it. With a revision
// the serial follows that, as all servers see the same one, whether or not the content
// has changed.
func (l *ledger) next(zone definition.Name, content table.Digest, revision int64) uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, known := l.last[zone]
	if !known {
		last = l.inherited[zone]
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

// matches reports whether these are the last serials: another publisher may have noted
// others.
func (l *ledger) matches(serials map[definition.Name]uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for zone, number := range serials {
		if l.last[zone].serial != number {
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
	text, err := atomicfile.Read(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // as it does at the first start
		return err
	}
	for i, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if err := l.readEntry(words); err != nil {
			return fmt.Errorf("%s:%d: %w", l.path, i+1, err)
		}
	}
	return nil
}

func (l *ledger) readEntry(words []string) error {
	if len(words) != 3 {
		return errors.New(definition.Sprintf("%q: write ZONE SERIAL DIGEST, or delete the file to start anew", strings.Join(words, " ")))
	}
	zone, err := definition.ParseName(words[0], ".")
	if err != nil {
		return err
	}
	number, err := strconv.ParseUint(words[1], 10, 32)
	if err != nil {
		return errors.New(definition.Sprintf("serial %q: write a number from 1 to %d", words[1], uint32(math.MaxUint32)))
	}
	content, err := table.ParseDigest(words[2])
	l.last[zone] = entry{uint32(number), content}
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

// serialsError returns an error of the file of serials with where the file is named, and
// what to write there unless the mistake is in the file. It is nil if err is.
func serialsError(pos definition.Pos, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &path) || errors.As(err, &link):
		return fmt.Errorf("%v: serials: %w: write the path of a file in a directory that CoreDNS may write to", pos, err)
	}
	return fmt.Errorf("%v: serials: %w", pos, err)
}
