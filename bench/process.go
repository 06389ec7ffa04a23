package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Server and dnsperf have a core each; more would measure the scheduler.
const (
	serverCore  = "0"
	dnsperfCore = "1"
)

// A server is one that has started.
type server struct {
	cmd     *exec.Cmd
	version string // as CoreDNS prints it
}

// pinned is the server of a contender on one core.
func pinned(ctx context.Context, dir, name string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "taskset", "-c", serverCore, filepath.Join(dir, "server"), "-conf", name)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	return cmd
}

// start starts a server and waits until it serves.
func start(cmd *exec.Cmd) (*server, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "CoreDNS-") { // printed once it listens
			s.version = lines.Text()
			go io.Copy(io.Discard, stdout) // or it would block when it has much to log
			return s, nil
		}
	}
	s.stop()
	return nil, fmt.Errorf("the server does not start: %s", stderr.String())
}

func (s *server) stop() {
	s.cmd.Process.Kill()
	s.cmd.Wait() // the port is free only then
}

// load is what dnsperf says of a turn.
type load struct {
	qps  float64
	lost float64 // queries without an answer
}

var (
	qpsLine  = regexp.MustCompile(`Queries per second: +([0-9.]+)`)
	lostLine = regexp.MustCompile(`Queries lost: +([0-9]+)`)
)

// dnsperf asks as fast as the server answers, with its default of 100 queries
// under way at a time.
func dnsperf(ctx context.Context, dir string, port int) (load, error) {
	cmd := exec.CommandContext(ctx, "taskset", "-c", dnsperfCore, "dnsperf",
		"-s", "127.0.0.1", "-p", fmt.Sprint(port), "-d", queryFile, "-l", fmt.Sprint(*seconds))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("dnsperf: %v\n%s", err, out)
	}
	qps, err := number(qpsLine, out)
	if err != nil {
		return load{}, err
	}
	lost, err := number(lostLine, out)
	return load{qps, lost}, err
}

func number(line *regexp.Regexp, out []byte) (float64, error) {
	found := line.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("dnsperf prints no %q:\n%s", line, out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
