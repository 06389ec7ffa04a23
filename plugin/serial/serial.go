// Package serial does arithmetic with the serials of zones (RFC 1982), and computes the
// serial of a zone whose content has changed. It has no clock and no state.
package serial

import "time"

// Newer reports whether serial a is after b (RFC 1982 §3.2).
func Newer(a, b uint32) bool { return int32(a-b) > 0 }

// After returns the serial that follows last: the time in seconds, as serials of that
// form are understood, or last+1 if that is not later (RFC 1982 §3.1). Last may be 0,
// for none. It never returns 0, which some secondaries take for no serial.
func After(last uint32, now time.Time) uint32 {
	serial := uint32(now.Unix())
	if last != 0 && !Newer(serial, last) {
		serial = last + 1
	}
	return max(serial, 1)
}

// firstOfRevisions makes serials of revisions newer than those that are times, or
// dates like 2026123100, as long as these are of this half of the century.
const firstOfRevisions = 3_000_000_000

// OfRevision returns the serial of a zone whose definitions are of a revision of
// etcd, the same on every server.
func OfRevision(revision int64) uint32 {
	return max(firstOfRevisions+uint32(revision), 1)
}
