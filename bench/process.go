package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Server and dnsperf have a core each; more would measure the scheduler. The Go
// runtime counts the cores that it may use, so that the CoreDNS peers run with
// GOMAXPROCS=1 without being told.
const (
	serverCore  = "0"
	dnsperfCore = "1"
)

// A server is a process that has started, with all that it starts itself.
type server struct {
	cmd    *exec.Cmd
	stderr *output
	exited chan struct{}
}

// output is what a process has printed, the end of it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.text.Len() > 1<<16 {
		o.text.Reset()
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start starts a server on the core of servers.
func start(ctx context.Context, s site, command []string) (*server, error) {
	return launch(ctx, s, append([]string{"taskset", "-c", serverCore}, command...))
}

// launch starts a server in a process group of its own, which ends with us.
func launch(ctx context.Context, s site, command []string) (*server, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = s.dir
	p := &server{cmd: cmd, stderr: new(output), exited: make(chan struct{})}
	cmd.Stderr = p.stderr // what goes to stdout, as all of log, goes to /dev/null
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// stop ends a server; its port is free then.
func (p *server) stop() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.exited
}

// err reports that the server has ended by itself.
func (p *server) err() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s has ended: %s", filepath.Base(p.cmd.Path), p.stderr)
	default:
		return nil
	}
}

// cpu returns the processor time that the group has taken. The clock of a
// process counts in nanoseconds, where /proc has ticks of 10 ms.
func (p *server) cpu() time.Duration {
	var sum time.Duration
	for _, pid := range group(p.cmd.Process.Pid) {
		var ts unix.Timespec
		if unix.ClockGettime(int32(^pid)<<3|2, &ts) == nil { // clock_getcpuclockid(3)
			sum += time.Duration(ts.Nano())
		}
	}
	return sum
}

// group returns the processes of a process group.
func group(leader int) []int {
	var members []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, _ := os.ReadFile(path)
		if pid, pgrp, ok := processOf(string(text)); ok && pgrp == leader {
			members = append(members, pid)
		}
	}
	return members
}

// processOf reads process and group of a line like "12 (name) S 1 12 ...".
func processOf(stat string) (pid, pgrp int, ok bool) {
	open, end := strings.Index(stat, " ("), strings.LastIndex(stat, ")")
	if open < 0 || end < 0 {
		return 0, 0, false
	}
	f := strings.Fields(stat[end+1:])
	if len(f) < 3 {
		return 0, 0, false
	}
	pid, err := strconv.Atoi(stat[:open])
	pgrp, err2 := strconv.Atoi(f[2])
	return pid, pgrp, err == nil && err2 == nil
}

// memory returns a line of the status of the processes, in bytes: VmRSS is what
// they have now, VmHWM the most that they had.
func (p *server) memory(line string) float64 {
	sum := 0.0
	for _, pid := range group(p.cmd.Process.Pid) {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		for l := range strings.Lines(string(text)) {
			if f := strings.Fields(l); len(f) == 3 && f[0] == line+":" {
				kilobytes, _ := strconv.ParseFloat(f[1], 64)
				sum += kilobytes * 1024
			}
		}
	}
	return sum
}

func (s site) address() string { return net.JoinHostPort("127.0.0.1", fmt.Sprint(s.port)) }

// freePort returns a port that is free for UDP and TCP with the two after it,
// which etcd takes: CoreDNS takes no port 0. It is none of those that Linux gives
// to clients: a client that asks before the server is up could get it, and would
// have its own question as the answer.
func freePort() (int, error) {
	const least, most = 20000, 32000
	for range 100 {
		port := least + rand.IntN(most-least)
		if free("udp", port) && free("tcp", port) && free("tcp", port+1) && free("tcp", port+2) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no port from %d to %d is free for both UDP and TCP", least, most)
}

func free(network string, port int) bool {
	address := net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	if network == "udp" {
		conn, err := net.ListenPacket(network, address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}
	l, err := net.Listen(network, address)
	if err == nil {
		l.Close()
	}
	return err == nil
}
