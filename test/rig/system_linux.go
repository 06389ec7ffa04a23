package rig

import (
	"fmt"
	"net"
	"syscall"
)

// endWithParent makes a child end with the thread that starts it.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// reserve reports whether no other process has reserved a port. Like the port itself,
// the abstract socket that says so is of the network namespace, and ends with us.
func reserve(port int) bool {
	_, err := net.Listen("unix", fmt.Sprintf("@mxsrv-port-%d", port))
	return err == nil
}
