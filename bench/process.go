package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mxsrv/mxsrv/test/rig"
)

// Server and dnsperf have a core each; more would measure the scheduler. The Go runtime
// counts the cores that it may use, so that CoreDNS runs with GOMAXPROCS=1 untold.
const (
	serverCore  = "0"
	dnsperfCore = "1"
	allCores    = "0,1"
)

var corednsCommand = []string{"../server", "-conf", "Corefile"}

// start starts a command in a directory, on some cores. What it writes to standard output
// is lost, at the same cost for all: that is where log writes.
func start(ctx context.Context, dir, cores string, command ...string) (*rig.Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	cmd := exec.CommandContext(ctx, "taskset", append([]string{"-c", cores}, command...)...)
	cmd.Dir, cmd.Stdout = dir, null
	return rig.Start(cmd)
}

// etcdOn starts an empty etcd on a core.
func etcdOn(ctx context.Context, dir, core string) (*rig.Cluster, error) {
	c, err := rig.StartEtcd(dir, 1)
	if err != nil {
		return nil, err
	}
	pin := exec.CommandContext(ctx, "taskset", "-acp", core, strconv.Itoa(c.Members[0].Process.Cmd.Process.Pid))
	if out, err := pin.CombinedOutput(); err != nil {
		c.Stop()
		return nil, fmt.Errorf("%v: %w: %s", pin, err, out)
	}
	return c, nil
}

// cpu returns the processor time that processes and their groups have taken. The clock of
// a process counts in nanoseconds, where /proc has ticks of 10 ms.
func cpu(processes ...*rig.Process) (sum time.Duration) {
	for _, p := range processes {
		for _, pid := range group(p) {
			var ts unix.Timespec
			if unix.ClockGettime(int32(^pid)<<3|2, &ts) == nil { // clock_getcpuclockid(3)
				sum += time.Duration(ts.Nano())
			}
		}
	}
	return sum
}

// memory returns a line of the status of a process, in bytes: VmRSS is what it has now,
// VmHWM the most that it had.
func memory(p *rig.Process, line string) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	_, after, _ := strings.Cut(string(text), "\n"+line+":")
	kilobytes := 0.0
	fmt.Sscan(after, &kilobytes)
	return kilobytes * 1024
}

// forgetPeak makes VmHWM the memory of now.
func forgetPeak(p *rig.Process) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.Process.Pid), []byte("5"), 0)
}

// group returns the processes of the group of a process.
func group(p *rig.Process) []int {
	var members []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, _ := os.ReadFile(path)
		if pid, group, ok := parseStat(string(text)); ok && group == p.Process.Pid {
			members = append(members, pid)
		}
	}
	return members
}

// parseStat reads process and group of a line like "12 (name) S 1 12 ...", in which the
// name may have spaces and parentheses.
func parseStat(stat string) (pid, group int, ok bool) {
	end := strings.LastIndex(stat, ")")
	_, err := fmt.Sscan(stat, &pid)
	f := strings.Fields(stat[end+1:])
	if err != nil || end < 0 || len(f) < 3 {
		return 0, 0, false
	}
	group, err = strconv.Atoi(f[2])
	return pid, group, err == nil
}
