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
	"unicode"
)

// A liveness checks by a command whether an instance is healthy: from the first success on, until some checks in a row
// have failed.
type liveness struct {
	command  string
	interval time.Duration // from check to check, and how long one may take
	limit    int           // failures in a row
}

// start checks until ctx ends. It returns what tells the result, and a channel that is sent to when it has changed.
func (h *liveness) start(ctx context.Context, u *ui) (healthy func() bool, changed <-chan struct{}) {
	var state atomic.Bool
	changes := make(chan struct{}, 1)
	set := func(healthy bool) {
		if state.Swap(healthy) != healthy {
			select {
			case changes <- struct{}{}:
			default: // the receiver will read the state in any case
			}
		}
	}
	go h.run(ctx, u, set)
	return state.Load, changes
}

func (h *liveness) run(ctx context.Context, u *ui, set func(healthy bool)) {
	tick := time.NewTicker(h.interval)
	defer tick.Stop()
	failures, reasons := 0, map[string]bool{}
	for ctx.Err() == nil {
		err := h.check(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			failures = 0
			clear(reasons)
			set(true)
		case failures < h.limit: // of further failures, only other reasons are noted
			failures++
			reasons[reasonOf(err)] = true
			u.note("the check fails, %d of %d: %v", failures, h.limit, err)
		case !reasons[reasonOf(err)] && len(reasons) < mostReasons:
			reasons[reasonOf(err)] = true
			u.note("the check fails for another reason: %v", err)
		}
		if failures == h.limit {
			set(false)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// mostReasons is how many reasons are noted until a check succeeds again.
const mostReasons = 10

// reasonOf returns an error without its numbers, which may be the time or that of a process.
func reasonOf(err error) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, err.Error())
}

// check runs the command, and returns why the instance is not healthy.
func (h *liveness) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, h.interval)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", h.command)
	killGroup(cmd)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = time.Second // for output of what it has left running
	err := cmd.Run()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("no result in %v", h.interval)
	}
	if line := lastLine(output.String()); line != "" {
		err = fmt.Errorf("%v: %s", err, line)
	}
	return err
}

// lastLine returns the last line of a text, or the end of it if it is long.
func lastLine(text string) string {
	const longest = 200
	lines := strings.Split(strings.TrimSpace(text), "\n")
	last := []rune(strings.TrimSpace(lines[len(lines)-1]))
	return printable(string(last[max(0, len(last)-longest):]))
}
