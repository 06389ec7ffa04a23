package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
)

// TestSPFDeadline: a server that is slow does not hold a check for longer than receivers wait.
func TestSPFDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		slow := func(string, uint16) delivery.Answer {
			time.Sleep(tries * timeout)
			return delivery.Answer{}
		}
		c := &spfCheck{look: slow, owner: "example.org.", deadline: began.Add(spfTime), seen: map[string]bool{}}
		c.follow("v=spf1 "+strings.Repeat("mx:example.net ", 9)+"-all", "example.org.")
		if took := time.Since(began); len(c.findings) != 1 || took < spfTime || took > spfTime+tries*timeout {
			t.Errorf("%v after %v", c.findings, took)
		}
	})
}
