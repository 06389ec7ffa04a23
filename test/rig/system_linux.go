package rig

import (
	"fmt"
	"net"
	"os/exec"
	"syscall"
)

// endWithParent makes a child end with the thread that starts it.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// awaitExit waits until a command has ended, and reports whether its number is still its own.
func awaitExit(cmd *exec.Cmd) bool {
	const byNumber = 1
	errno := syscall.EINTR
	for errno == syscall.EINTR {
		_, _, errno = syscall.Syscall6(syscall.SYS_WAITID, byNumber, uintptr(cmd.Process.Pid), 0, syscall.WEXITED|syscall.WNOWAIT, 0, 0)
	}
	return errno == 0
}

// reserve reports whether no other process has reserved a port. Like the port itself,
// the abstract socket that says so is of the network namespace, and ends with us.
func reserve(port int) bool {
	_, err := net.Listen("unix", fmt.Sprintf("@mxsrv-port-%d", port))
	return err == nil
}
