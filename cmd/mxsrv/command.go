package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// startCommand starts a command. When it ends, the channel gets nil or its exit status.
func startCommand(command []string) (*os.Process, <-chan error, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	exited := make(chan error, 1)
	go func() { exited <- statusOf(cmd.Wait()) }()
	return cmd.Process, exited, nil
}

// An exitStatus is that of a command, which becomes that of this program.
type exitStatus int

func (exitStatus) Error() string { return "the command has failed" }

// statusOf returns nil for a command that succeeded, else its exit status: after a signal as shells have it.
func statusOf(err error) error {
	e := new(exec.ExitError)
	if !errors.As(err, &e) {
		return err
	}
	if status, ok := e.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return exitStatus(128 + int(status.Signal()))
	}
	return exitStatus(e.ExitCode())
}
