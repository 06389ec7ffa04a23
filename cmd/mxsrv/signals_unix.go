//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// forChild are the signals that a command gets beside those that end it.
var forChild = []os.Signal{syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGWINCH}

// endWhole lets a command that takes too long end with all that it has started.
func endWhole(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
