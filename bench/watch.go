package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const askedPerSecond = 2000

// watched is what dnsperf has said, answer by answer.
type watched struct {
	answers []answered
	lost    int // without an answer, or with another code than NOERROR
	err     error
}

type answered struct {
	at      time.Time
	latency float64 // seconds
}

// watch asks at a constant rate until ctx ends. The time of an answer is when
// its line is read, and so dnsperf is to write each line at once.
func watch(ctx context.Context, s site) (w watched) {
	cmd := exec.Command("stdbuf", "-oL", "dnsperf", "-s", "127.0.0.1", "-p", fmt.Sprint(s.port),
		"-d", queryFile, "-Q", fmt.Sprint(askedPerSecond), "-l", "600", "-v")
	cmd.Dir = s.dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		return watched{err: err}
	}
	if err := cmd.Start(); err != nil {
		return watched{err: err}
	}
	defer context.AfterFunc(ctx, func() { cmd.Process.Signal(os.Interrupt) })()
	w.read(out, time.Now)
	if err := cmd.Wait(); err != nil {
		w.err = fmt.Errorf("dnsperf: %w", err)
	}
	return w
}

// read takes lines like "> NOERROR example.org MX 0.000123"; in place of the code
// a lost query has T, and one that dnsperf waited for when it was stopped I.
func (w *watched) read(out io.Reader, now func() time.Time) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		f := strings.Fields(lines.Text())
		switch {
		case len(f) < 5 || f[0] != ">" || f[1] == "I":
		case f[1] != "NOERROR":
			w.lost++
		default:
			latency, _ := strconv.ParseFloat(f[4], 64)
			w.answers = append(w.answers, answered{now(), latency})
		}
	}
}

// between returns the latencies of what was answered between two times.
func (w *watched) between(from, to time.Time) []float64 {
	var latencies []float64
	for _, a := range w.answers {
		if a.at.After(from) && a.at.Before(to) {
			latencies = append(latencies, a.latency)
		}
	}
	return latencies
}
