package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// A turn is what dnsperf says.
type turn struct {
	completed, lost float64
	rate            float64 // answers a second
	latency         float64 // average, in seconds
}

// dnsperf asks a server for the exchanges of the zone; options may bound how fast.
func (r *run) dnsperf(s *server, span time.Duration, options ...string) (turn, error) {
	const file = "queries"
	if err := os.WriteFile(filepath.Join(s.dir, file), []byte(zone+" MX\n"), 0o600); err != nil {
		return turn{}, err
	}
	args := append([]string{"-c", dnsperfCore, "dnsperf", "-s", "127.0.0.1", "-p", strconv.Itoa(s.port),
		"-d", file, "-t", "1", "-l", fmt.Sprintf("%.2f", span.Seconds())}, options...)
	cmd := exec.CommandContext(r, "taskset", args...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return turn{}, fmt.Errorf("dnsperf: %v\n%s", err, out)
	}
	return parseTurn(string(out))
}

var (
	statistic = regexp.MustCompile(`(?m)^ +(Queries completed|Queries lost|Queries per second|Average Latency \(s\)): +([0-9.]+)`)
	refusal   = regexp.MustCompile(`Response codes:.*(SERVFAIL|NXDOMAIN|REFUSED) [0-9]+`)
)

// parseTurn reads the statistics that dnsperf prints at the end. Answers with a code
// other than NOERROR are an error.
func parseTurn(out string) (turn, error) {
	figures := map[string]float64{}
	for _, found := range statistic.FindAllStringSubmatch(out, -1) {
		figures[found[1]], _ = strconv.ParseFloat(found[2], 64)
	}
	t := turn{figures["Queries completed"], figures["Queries lost"], figures["Queries per second"], figures["Average Latency (s)"]}
	if t.completed == 0 {
		return t, fmt.Errorf("dnsperf has no answers:\n%s", out)
	}
	if codes := refusal.FindString(out); codes != "" {
		return t, fmt.Errorf("dnsperf: %s", codes)
	}
	return t, nil
}
