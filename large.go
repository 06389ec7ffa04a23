package mxsrv

import (
	"runtime/debug"
	"sync"
)

// What follows is for large sets alone: how to load one with little memory, and
// how to load one while queries are answered.

// large is the number of names from which on it pays.
const large = 50000

// clearAway gives back the memory that a step of a load does not need any more:
// with 600,000 records, once before compiling and once at the end, it takes a
// tenth of the time of a load, a sixth off its peak and a half off what stays.
func clearAway(names int) {
	if names >= large {
		debug.FreeOSMemory()
	}
}

// rareGC is how far the heap may grow, in percent, while queries are answered.
// Collecting garbage takes what the load leaves of the cores, and queries wait
// for some milliseconds: better seldom, for a fifth more of memory.
const rareGC = 400

// one is held by the load that has changed how garbage is collected.
var one sync.Mutex

// spareQueries makes a load disturb queries less, until restore is called.
func spareQueries(names int) (restore func()) {
	if names < large {
		return func() {}
	}
	one.Lock()
	before := debug.SetGCPercent(rareGC)
	if before < 0 || before > rareGC {
		debug.SetGCPercent(before)
	}
	return func() {
		debug.SetGCPercent(before)
		one.Unlock()
	}
}
