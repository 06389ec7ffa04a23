package publish

import "github.com/mxsrv/mxsrv/plugin/definition"

// An Observer logs and counts what a [Publisher] does, and notifies secondaries. Its methods
// may be called by several goroutines, and must not wait for the publisher.
type Observer interface {
	// Info, Warning and Error get a line for the log.
	Info(text string)
	Warning(text string)
	Error(text string)

	// Loaded is called after each load of a source, with what is wrong with it.
	Loaded(source string, err error)

	// Excluded is called with of how many fragments something is excluded that was not before.
	Excluded(fragments int)

	// Changed is called when authoritative zones are served with other serials, and for
	// all of them, sorted, when following begins.
	Changed(zones []definition.Name)
}
