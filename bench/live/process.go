package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Cores, as taskset has them.
const (
	serverCore  = "0"
	dnsperfCore = "1"
	allCores    = "0,1"
)

// A process is a program that was started here.
type process struct {
	cmd     *exec.Cmd
	began   time.Time
	journal journal
	exited  chan struct{}
}

// launch starts a program in a directory, on some cores. It ends with ctx.
func launch(ctx context.Context, dir, cores string, command ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, "taskset", append([]string{"-c", cores}, command...)...), exited: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = &p.journal, &p.journal
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// stop ends a process as an operator does, and waits until it has ended.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(10 * time.Second):
		p.cmd.Process.Kill()
		<-p.exited
	}
}

// err reports that the process has ended by itself.
func (p *process) err() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s has ended: %s", filepath.Base(p.cmd.Args[3]), p.journal.last())
	default:
		return nil
	}
}

// memory returns a line of the status of the process, in bytes: VmRSS is what it
// has now, VmHWM the most that it had.
func (p *process) memory(line string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	return memoryIn(string(text), line)
}

func memoryIn(status, line string) float64 {
	for l := range strings.Lines(status) {
		if f := strings.Fields(l); len(f) == 3 && f[0] == line+":" {
			kilobytes, _ := strconv.ParseFloat(f[1], 64)
			return kilobytes * 1024
		}
	}
	return 0
}

// freePort returns a port that is free for UDP and TCP, and none of those that
// Linux gives to clients: a client that asks before the server is up could get it.
func freePort() (int, error) {
	const least, most = 20000, 32000
	for range 100 {
		port := least + rand.IntN(most-least)
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		conn, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		conn.Close()
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return port, nil
		}
	}
	return 0, fmt.Errorf("no port from %d to %d is free for both UDP and TCP", least, most)
}
