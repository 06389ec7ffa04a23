package rig

import (
	"fmt"
	"net"
	"os/exec"
	"sync"
	"syscall"
)

// endWithParent makes a child end with the thread that starts it.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// awaitExit waits until a command has ended, and reports whether its number is still its own.
func awaitExit(cmd *exec.Cmd) bool {
	const byNumber, options = 1, syscall.WEXITED | syscall.WNOWAIT
	errno := syscall.EINTR
	for errno == syscall.EINTR {
		_, _, errno = syscall.Syscall6(syscall.SYS_WAITID, byNumber, uintptr(cmd.Process.Pid), 0, options, 0, 0)
	}
	return errno == 0
}

// reserved holds the sockets of reserve, lest they are closed as garbage.
var reserved sync.Map

// reserve reports whether nobody has reserved a port before. Like the port itself, the
// abstract socket that says so is of the network namespace; it ends with this process.
func reserve(port int) bool {
	l, err := net.Listen("unix", fmt.Sprintf("@mxsrv-port-%d", port))
	if err == nil {
		reserved.Store(port, l)
	}
	return err == nil
}
