package publish

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mxsrv/mxsrv/plugin/atomicfile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A serialsFile keeps entries of the ledger over restarts. A heading says how it was left; then come lines of zone,
// serial and digest, below comments that name the view. Of several lines of a zone and view the last one holds. Files
// of the first version have no heading and no views, and their readers can read this form.
//
// What changes is appended before it is served, which takes microseconds, and synced within a second after that; now
// and then the file is written anew. So a crash of the process loses nothing. A crash of the machine may lose the
// serials of that second. The heading has the boot of the machine in which the file is open, so this is seen at the
// next start, and then all serials rise: a zone is transferred for nothing, and no serial falls. So it is where the
// disk was full. Only with a clock that was set back, or revisions of etcd that start again, does it matter how many
// serials were lost, and no more than mostLost may be.
//
// Publishers share it.
type serialsFile struct {
	path   string
	logged atomic.Bool // that entries cannot be saved, since they could be

	writing sync.Mutex // held while the file is synced or written anew, which takes long
	opened  *os.File   // guarded by both; nil: not open

	mu        sync.Mutex
	entries   map[fileKey]entry // that are in the file, or are to be
	appended  int               // lines, since it was written anew
	tail      *bytes.Buffer     // what is appended while it is written anew, or nil
	lacking   bool              // not all entries are in the file
	scheduled bool              // a sync
	followers int
	report    func(error)
}

type fileKey struct {
	view string
	zone definition.Name
}

func (k fileKey) compare(l fileKey) int {
	return cmp.Or(strings.Compare(k.view, l.view), cmp.Compare(k.zone, l.zone))
}

const (
	serialsTitle   = "# mxsrv serials " // at the start of a heading
	serialsVersion = 2

	// syncAfter is how long after a change the file is synced at most, and retryAfter the same where that failed.
	syncAfter, retryAfter = time.Second, 30 * time.Second

	// rewriteAfter is how many more lines may be appended than there are zones.
	rewriteAfter = 1000
)

// serialsFiles are all of the process.
var serialsFiles = struct {
	sync.Mutex
	at map[string]*serialsFile
}{at: make(map[string]*serialsFile)}

// openSerials returns the file at a path, which it reads the first time.
func openSerials(path string) (*serialsFile, error) {
	path = atomicfile.RealPath(path) // there is one object for it
	serialsFiles.Lock()
	defer serialsFiles.Unlock()
	if f := serialsFiles.at[path]; f != nil {
		return f, nil
	}
	f := &serialsFile{path: path, entries: make(map[fileKey]entry), report: func(error) {}}
	if err := f.read(); err != nil {
		return nil, err
	}
	for k, e := range f.entries {
		serials.inherit(k.zone, e)
	}
	serialsFiles.at[path] = f
	return f, nil
}

// How a file was left.
const (
	stateOpen   = "open"   // by a process that may have crashed
	stateClosed = "closed" // with all serials that were served
	stateBehind = "behind" // without some of them, for want of room
)

// heading returns the first line of the file, always of the same length, so that it can be written over the last one.
func heading(state string) string {
	return fmt.Sprintf(serialsTitle+"%d %-6s %-36.36s\n", serialsVersion, state, boot())
}

// boot names the time since the machine was started, or is "-".
func boot() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if id := strings.TrimSpace(string(text)); err == nil && id != "" {
		return id
	}
	return "-"
}

// certain reports whether a file with this first line has all serials that were served: a process may end at any time,
// and a machine only once the file is closed.
func certain(first string) (bool, error) {
	rest, ok := strings.CutPrefix(first, serialsTitle)
	if !ok {
		return true, nil // of the first version, which was synced before anything was served
	}
	words := append(strings.Fields(rest), "", "", "")
	version, state, at := words[0], words[1], words[2]
	if version != fmt.Sprint(serialsVersion) {
		return false, fmt.Errorf("%w, or delete the file to start anew", atomicfile.OtherVersion(version, serialsVersion))
	}
	here := boot()
	return state == stateClosed || state == stateOpen && here != "-" && at == here, nil
}

const viewMark = "# view "

// read reads the file.
func (f *serialsFile) read() error {
	text, err := atomicfile.Read(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // as it does at the first start
		return err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	sure, err := certain(first)
	if err != nil {
		return fmt.Errorf("%s:1: %w", f.path, err)
	}
	versioned, view, number := strings.HasPrefix(first, serialsTitle), "", 0
	for line := range strings.Lines(string(text)) {
		number++
		words := strings.Fields(line)
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), viewMark); ok && versioned {
			view = name
			continue
		}
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		zone, e, err := parseEntry(words)
		if err != nil && versioned && !strings.HasSuffix(line, "\n") {
			break // the process ended while it wrote that, and so before it was served
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", f.path, number, err)
		}
		e.view, e.served, e.uncertain = view, true, !sure
		f.entries[fileKey{view, zone}] = e
	}
	return nil
}

func parseEntry(words []string) (zone definition.Name, e entry, err error) {
	if len(words) != 3 {
		return "", e, errors.New(definition.Sprintf("%q: write ZONE SERIAL DIGEST, or delete the file to start anew",
			strings.Join(words, " ")))
	}
	if zone, err = definition.ParseName(words[0], "."); err != nil {
		return "", e, err
	}
	number, err := strconv.ParseUint(words[1], 10, 32)
	if err != nil {
		return "", e, errors.New(definition.Sprintf("serial %q: write a number from 1 to %d",
			words[1], uint32(math.MaxUint32)))
	}
	e.serial = uint32(number)
	e.content, err = table.ParseDigest(words[2])
	return zone, e, err
}

// encode returns entries as lines.
func encode(entries map[fileKey]entry) []byte {
	var b bytes.Buffer
	view := ""
	for _, k := range slices.SortedFunc(maps.Keys(entries), fileKey.compare) {
		if k.view != view {
			view = k.view
			fmt.Fprintf(&b, "%s%s\n", viewMark, view)
		}
		e := entries[k]
		fmt.Fprintf(&b, "%s %d %v\n", k.zone, e.serial, e.content)
	}
	return b.Bytes()
}

// note appends what is about to be served. Its error is that it could not, the first time: from then on it is tried
// again and again to write the whole file.
func (f *serialsFile) note(entries map[definition.Name]entry) error {
	f.mu.Lock()
	changed := f.change(entries)
	toOpen := f.opened == nil && (len(changed) > 0 && !f.lacking || f.lacking && f.followers == 0)
	err := f.append(changed)
	f.mu.Unlock()
	if toOpen {
		return f.open()
	}
	return err
}

// change notes entries, and returns those that are not in the file yet. The caller holds the lock.
func (f *serialsFile) change(entries map[definition.Name]entry) map[fileKey]entry {
	changed := make(map[fileKey]entry)
	for zone, e := range entries {
		k := fileKey{e.view, zone}
		e.served, e.uncertain = true, false
		if f.entries[k] != e {
			f.entries[k], changed[k] = e, e
		}
		delete(f.entries, fileKey{"", zone})
	}
	return changed
}

// append writes entries to the file, and to the one that is being written anew. The caller holds the lock.
func (f *serialsFile) append(entries map[fileKey]entry) error {
	if len(entries) == 0 {
		return nil
	}
	text := encode(entries)
	if f.tail != nil {
		f.tail.Write(text)
	}
	f.schedule(syncAfter)
	if f.opened == nil || f.lacking {
		return nil
	}
	f.appended += len(entries)
	_, err := f.opened.Write(text)
	if err != nil {
		f.fallBehind(f.opened)
	}
	return err
}

// fallBehind writes over the heading, for which a full disk has room, that entries are missing.
func (f *serialsFile) fallBehind(file *os.File) {
	f.lacking = true
	file.WriteAt([]byte(heading(stateBehind)), 0)
}

// open opens the file, which it writes anew.
func (f *serialsFile) open() error {
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.opened != nil {
		return nil
	}
	err := f.rewrite()
	if err == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.schedule(retryAfter)
	f.lacking = true
	if file, err := os.OpenFile(f.path, os.O_RDWR, 0); err == nil {
		if versioned(file) {
			f.fallBehind(file)
		}
		file.Close()
	}
	return err
}

// versioned reports whether a file has a heading.
func versioned(file *os.File) bool {
	first := make([]byte, len(heading("")))
	_, err := file.ReadAt(first, 0)
	return err == nil && strings.HasPrefix(string(first), serialsTitle) && first[len(first)-1] == '\n'
}

// rewrite writes the file anew. Meanwhile others may note what changes, and do not wait for the disk.
func (f *serialsFile) rewrite() error {
	f.mu.Lock()
	entries := maps.Clone(f.entries)
	f.tail = new(bytes.Buffer)
	f.mu.Unlock()
	draft, err := atomicfile.Create(f.path, 0o644, append([]byte(heading(stateOpen)), encode(entries)...))
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.tail = nil
		return err
	}
	if err := f.replace(draft); err != nil {
		return err
	}
	return draft.SyncDir()
}

// replace puts a draft in place of the file, with what was noted since the draft was begun.
func (f *serialsFile) replace(draft *atomicfile.Draft) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := f.tail.Bytes()
	f.tail = nil
	if _, err := draft.Write(text); err != nil {
		draft.Drop()
		return err
	}
	if err := draft.Rename(); err != nil {
		return err
	}
	if f.opened != nil {
		f.opened.Close()
	}
	f.opened, f.appended, f.lacking = draft.File, bytes.Count(text, []byte("\n")), false
	f.logged.Store(false)
	return nil
}

// schedule has the file synced some time later. The caller holds the lock.
func (f *serialsFile) schedule(after time.Duration) {
	if !f.scheduled {
		f.scheduled = true
		time.AfterFunc(after, f.flush)
	}
}

// flush syncs the file, or writes it anew where that is due.
func (f *serialsFile) flush() {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.mu.Lock()
	f.scheduled = false
	lacking, long := f.lacking, f.appended > len(f.entries)+rewriteAfter
	idle := f.followers == 0
	f.mu.Unlock()
	if idle {
		return
	}
	err := f.sync(lacking || long)
	if err == nil {
		f.logged.Store(false)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !lacking {
		f.report(err)
	}
	f.schedule(retryAfter)
}

// sync makes what was noted last over a crash of the machine. The caller holds the lock of writing.
func (f *serialsFile) sync(anew bool) error {
	switch {
	case anew || f.opened != nil && !f.isAt(f.opened):
		return f.rewrite()
	case f.opened != nil:
		return f.opened.Sync()
	}
	return nil
}

// isAt reports whether a file is still the one at the path: somebody may have deleted it.
func (f *serialsFile) isAt(file *os.File) bool {
	open, err := file.Stat()
	at, err2 := os.Stat(f.path)
	return err == nil && err2 == nil && os.SameFile(open, at)
}

// follow opens the file for as long as somebody follows, unless there is nothing to keep yet. What goes wrong later is
// reported.
func (f *serialsFile) follow(report func(error)) error {
	f.mu.Lock()
	f.followers++
	f.report = report
	f.schedule(syncAfter) // what was due while nobody followed
	empty := len(f.entries) == 0
	f.mu.Unlock()
	if empty {
		return nil
	}
	return f.open()
}

// unfollow closes the file if nobody else follows, with all that was noted.
func (f *serialsFile) unfollow() error {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.mu.Lock()
	f.followers--
	last, lacking := f.followers == 0, f.lacking
	f.mu.Unlock()
	if !last {
		return nil
	}
	err := f.sync(lacking)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.report = func(error) {} // or the publisher stays in memory
	if f.opened == nil {
		return err
	}
	if err == nil {
		_, err = f.opened.WriteAt([]byte(heading(stateClosed)), 0)
	}
	err = errors.Join(err, f.opened.Sync(), f.opened.Close())
	f.opened = nil
	return err
}
