package publish

import "github.com/mxsrv/mxsrv/plugin/definition"

// An Observer is told what a [Publisher] does: it logs, counts and notifies. Its methods
// may be called from several goroutines, and must not wait for the publisher.
type Observer interface {
	// Info, Warning and Error get a line for the log.
	Info(text string)
	Warning(text string)
	Error(text string)

	// Loaded is called after each load of a source, with what is wrong with it.
	Loaded(source string, err error)

	// Excluded is called with how many fragments were excluded that were not before.
	Excluded(fragments int)

	// Changed is called when authoritative zones are served with another serial.
	Changed(zones []definition.Name)
}
