package rig

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A Process is a command that was started, with all that it starts itself: they are one
// process group, which ends when the command does.
type Process struct {
	*exec.Cmd
	output output
	exited chan struct{}

	mu   sync.Mutex
	gone bool // its number may be that of another
}

// output is what a process has printed.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // closed when there is more
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.more)
	o.more = make(chan struct{})
	return o.text.Write(b)
}

// get returns what there is, and when to look again.
func (o *output) get() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String(), o.more
}

// starter returns the way to a thread that lasts as long as this process: a child
// with Pdeathsig ends with the thread that has started it.
var starter = sync.OnceValue(func() chan<- func() {
	starts := make(chan func())
	go func() {
		runtime.LockOSThread()
		for start := range starts {
			start()
		}
	}()
	return starts
})

// Start starts a command. What it prints is kept, except what cmd.Stdout and cmd.Stderr
// take if they are set. With exec.CommandContext the group ends with the context.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{Cmd: cmd, exited: make(chan struct{}), output: output{more: make(chan struct{})}}
	if cmd.Stdout == nil {
		cmd.Stdout = &p.output
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &p.output
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	cmd.WaitDelay = 5 * time.Second // for children that have left the group, and keep the output open
	if cmd.Cancel != nil {
		cmd.Cancel = func() error { return p.signalGroup(syscall.SIGKILL) }
	}
	started := make(chan error)
	starter() <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	go func() {
		if awaitExit(cmd) {
			p.signalGroup(syscall.SIGKILL)
		}
		p.mu.Lock()
		p.gone = true
		p.mu.Unlock()
		cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// signalGroup sends a signal to the group, unless it has ended.
func (p *Process) signalGroup(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return os.ErrProcessDone
	}
	return syscall.Kill(-p.Process.Pid, s)
}

// String returns what the process has printed.
func (p *Process) String() string {
	text, _ := p.output.get()
	return text
}

// Exited returns a channel that is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Err returns an error if the process has ended, with what it has printed.
func (p *Process) Err() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s has ended: %v\n%s", p.Args[0], p.ProcessState, p)
	default:
		return nil
	}
}

// Await waits until the process has printed a line that holds mark.
func (p *Process) Await(mark string, limit time.Duration) error {
	for late := time.After(limit); ; {
		ended := p.Err()
		text, more := p.output.get()
		if strings.Contains(text, mark) {
			return nil
		}
		if ended != nil {
			return fmt.Errorf("no %q: %w", mark, ended)
		}
		select {
		case <-more:
		case <-p.exited:
		case <-late:
			return fmt.Errorf("%s does not print %q within %v\n%s", p.Args[0], mark, limit, p)
		}
	}
}

// Wait waits until the process has ended, and returns its exit code, -1 if a signal has
// ended it.
func (p *Process) Wait(limit time.Duration) (code int, err error) {
	select {
	case <-p.exited:
		return p.ProcessState.ExitCode(), nil
	case <-time.After(limit):
		return 0, fmt.Errorf("%s does not end within %v\n%s", p.Args[0], limit, p)
	}
}

// Signal sends a signal to the process alone.
func (p *Process) Signal(s os.Signal) error { return p.Process.Signal(s) }

// Stop asks the group to end, and kills it if it has not ended within limit.
func (p *Process) Stop(limit time.Duration) {
	p.signalGroup(syscall.SIGTERM)
	if _, err := p.Wait(limit); err != nil {
		p.Kill()
	}
}

// Kill kills the group, and waits until the process has ended.
func (p *Process) Kill() {
	p.signalGroup(syscall.SIGKILL)
	<-p.exited
}
