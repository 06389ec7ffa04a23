//go:build !linux

package source

// GiveWay does nothing: only Linux knows priorities of threads.
func GiveWay() {}
