package publish

import (
	"slices"
	"sync"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/serial"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A ledger has the last serials of zones, and digests of the contents that they were given for, so that a serial never
// falls, and one that was served never means anything else. There is one in a process, whatever the Corefile says and
// however often it is read again; what is to outlast the process is in files of serials.
//
// One server may serve a zone with several contents, as by the view plugin: each of these views has serials of its own.
type ledger struct {
	mu   sync.Mutex
	last map[definition.Name][]entry // by zone; one for each view
}

// serials is the ledger of the process.
var serials = newLedger()

func newLedger() *ledger { return &ledger{last: make(map[definition.Name][]entry)} }

// An entry is the last serial of a zone in a view, and what it was given for.
type entry struct {
	view    string // "" in files of older versions, which do not say
	serial  uint32
	content table.Digest

	served    bool // by a publisher that has begun to follow, or by another process
	uncertain bool // later serials may have been served, and lost with the machine
}

// mostLost is how many serials one after the other may be lost when a machine crashes: sources other than etcd do not
// change as often in the time that a file of serials may be behind.
const mostLost = 20

// next returns the serial of a zone with this content: the last one if it had that, else a newer one. With a revision
// it is the serial of that, the same on all servers, unless that was served already.
func (e entry) next(content table.Digest, revision int64, now time.Time) uint32 {
	last, of := e.serial, serial.OfRevision(revision)
	if e.uncertain {
		last += mostLost
	}
	switch {
	case e.serial != 0 && e.content == content && !e.uncertain:
		return e.serial
	case revision > 0 && (e.serial == 0 || serial.Newer(of, last)):
		return of
	case revision > 0:
		return max(last+1, 1)
	}
	return serial.After(last, now)
}

// next returns the serial of a zone with this content in a view, and notes it. A view that is new goes on from the
// newest serial that was served of the zone: it may be another one by a new name.
func (l *ledger) next(view string, zone definition.Name, content table.Digest, revision int64) entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.of(view, zone)
	if last == nil {
		l.last[zone] = append(l.last[zone], l.newest(zone))
		last = &l.last[zone][len(l.last[zone])-1]
		last.served = false
	}
	*last = entry{view: view, serial: last.next(content, revision, time.Now()), content: content, served: last.served}
	return *last
}

// of returns the entry of a view, or nil.
func (l *ledger) of(view string, zone definition.Name) *entry {
	all := l.last[zone]
	if i := slices.IndexFunc(all, func(e entry) bool { return e.view == view }); i >= 0 {
		return &all[i]
	}
	return nil
}

// newest returns the newest entry of a zone that was served, or an empty one.
func (l *ledger) newest(zone definition.Name) (newest entry) {
	for _, e := range l.last[zone] {
		if e.served && (newest.serial == 0 || serial.Newer(e.serial, newest.serial)) {
			newest = e
		}
	}
	return newest
}

// inherit takes over an entry of another process, unless this one has served a newer serial.
func (l *ledger) inherit(zone definition.Name, e entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch last := l.of(e.view, zone); {
	case last == nil:
		l.last[zone] = append(l.last[zone], e)
	case serial.Newer(e.serial, last.serial):
		*last = e
	}
}

// serve notes that serials of a view are served, so that other views inherit them.
func (l *ledger) serve(view string, entries map[definition.Name]entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for zone := range entries {
		if e := l.of(view, zone); e != nil {
			e.served = true
		}
	}
}

// matches reports whether these are the last serials of a view: another publisher may have noted others.
func (l *ledger) matches(view string, entries map[definition.Name]entry) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for zone, e := range entries {
		if last := l.of(view, zone); last == nil || last.serial != e.serial {
			return false
		}
	}
	return true
}
