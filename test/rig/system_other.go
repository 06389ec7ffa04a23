//go:build !linux

package rig

import (
	"os/exec"
	"syscall"
)

func endWithParent(*syscall.SysProcAttr) {}

func awaitExit(cmd *exec.Cmd) bool {
	cmd.Wait()
	return false
}

func reserve(int) bool { return true }
