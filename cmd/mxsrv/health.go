package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"
)

// A health tells by a command whether an instance is well: not before the command
// has succeeded once, and then until it has failed some times in a row. A nil one
// is always well.
type health struct {
	command  string
	interval time.Duration // of checks, and how long one may take
	limit    int           // failures in a row

	well    atomic.Bool
	changed chan struct{} // has room for one
}

func (h *health) isWell() bool { return h == nil || h.well.Load() }

// news is sent to when the instance has become well, or not.
func (h *health) news() <-chan struct{} {
	if h == nil {
		return nil
	}
	return h.changed
}

// run checks until ctx ends.
func (h *health) run(ctx context.Context, u *ui) {
	failures := 0
	for {
		started := time.Now()
		why := h.check(ctx)
		if ctx.Err() != nil {
			return
		}
		if why == nil {
			failures = 0
			h.set(true)
		} else if failures++; failures <= h.limit { // the rest would be the same again and again
			u.note("the check fails, %d of %d: %v", failures, h.limit, why)
		}
		if failures == h.limit {
			h.set(false)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(h.interval - time.Since(started)):
		}
	}
}

func (h *health) set(well bool) {
	if h.well.Swap(well) == well {
		return
	}
	select {
	case h.changed <- struct{}{}:
	default: // it is to be looked at anyway
	}
}

// check runs the command, and returns why the instance is not well.
func (h *health) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.interval)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", h.command)
	endWhole(cmd)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = time.Second // for what it has left behind
	err := cmd.Run()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("no result in %v", h.interval)
	}
	if said := lastLine(output.String()); said != "" {
		err = fmt.Errorf("%v: %s", err, said)
	}
	return err
}

// lastLine returns the end of the last line of a text that has more than blanks.
func lastLine(text string) string {
	const longest = 200
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := []rune(strings.TrimSpace(lines[len(lines)-1]))
	return printable(string(last[max(0, len(last)-longest):]))
}
