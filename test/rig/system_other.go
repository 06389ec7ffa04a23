//go:build !linux

package rig

import (
	"os/exec"
	"sync"
	"syscall"
)

func endWithParent(*syscall.SysProcAttr) {}

func awaitExit(cmd *exec.Cmd) bool {
	cmd.Wait()
	return false
}

var reserved sync.Map

func reserve(port int) bool {
	_, before := reserved.LoadOrStore(port, true)
	return !before
}
