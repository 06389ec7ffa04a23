//go:build !linux

package health

func sharePorts(uintptr) {}
