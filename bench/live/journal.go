package main

import (
	"bytes"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// A journal is what a process has printed: the loads that a server tells of, and the
// last line.
type journal struct {
	mu    sync.Mutex
	rest  []byte // the start of a line
	line  string
	loads []load
}

// A load is what a server tells of changes that it has begun to serve.
type load struct {
	whole bool          // everything was loaded anew
	names int           // that have changed, or all if whole
	took  time.Duration // 0 if whole
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rest = append(j.rest, p...)
	for {
		line, rest, ok := bytes.Cut(j.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		j.line, j.rest = string(line), rest
		if l, ok := parseLoad(j.line); ok {
			j.loads = append(j.loads, l)
		}
	}
}

// last returns the last line.
func (j *journal) last() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.line
}

// count returns how many loads there were.
func (j *journal) count() int { return len(j.since(0)) }

// since returns all loads but for some first ones.
func (j *journal) since(first int) []load {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]load(nil), j.loads[first:]...)
}

var (
	patched = regexp.MustCompile(`: names changed: (\d+), in ([^;]+); \d+ names are in service$`)
	loaded  = regexp.MustCompile(`: (\d+) names are in service$`)
)

// parseLoad reads a line that tells of a load.
func parseLoad(line string) (load, bool) {
	if found := patched.FindStringSubmatch(line); found != nil {
		names, _ := strconv.Atoi(found[1])
		took, err := time.ParseDuration(found[2])
		return load{false, names, took}, err == nil
	}
	if found := loaded.FindStringSubmatch(line); found != nil {
		names, _ := strconv.Atoi(found[1])
		return load{true, names, 0}, true
	}
	return load{}, false
}

// patches returns what the loads took that were not whole, and how many were whole.
func patches(loads []load) (took []time.Duration, whole int) {
	for _, l := range loads {
		if l.whole {
			whole++
		} else {
			took = append(took, l.took)
		}
	}
	return took, whole
}
