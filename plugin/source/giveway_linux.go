package source

import (
	"runtime"
	"syscall"
)

// nice is how far what is done of changes stands back. Answers wait for a core
// where all are busy, so they go first; with a quarter of a core at least, a
// change is in service soon all the same.
const nice = 5

// GiveWay lets other threads go before the goroutine that calls it, which keeps a
// thread of its own until it ends. Queries that come while a change of a large
// file is looked at were answered in 0.5 ms at the 99th percentile without, and
// are in 0.2 ms with it, on two cores with the clients beside.
func GiveWay() {
	runtime.LockOSThread() // for good: the thread ends with the goroutine
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), nice)
}
