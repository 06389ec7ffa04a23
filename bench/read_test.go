package main

import (
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"
)

// What other programs print.

const dnsperfOutput = `DNS Performance Testing Tool
Version 2.10.0

[Status] Command line: dnsperf -s 127.0.0.1 -p 5300 -d queries -l 1
[Status] Testing complete (time limit)

Statistics:

  Queries sent:         21979
  Queries completed:    21977 (99.99%)
  Queries lost:         2 (0.01%)

  Response codes:       NOERROR 21970 (99.97%), SERVFAIL 7 (0.03%)
  Average packet size:  request 51, response 2131
  Run time (s):         1.003313
  Queries per second:   21904.430621

  Average Latency (s):  0.004509 (min 0.000068, max 0.020450)
  Latency StdDev (s):   0.001601
`

func TestParseLoad(t *testing.T) {
	l, err := parseLoad(dnsperfOutput)
	if err != nil {
		t.Fatal(err)
	}
	if l.completed != 21977 || l.lost != 2 || l.seconds != 1.003313 {
		t.Errorf("%+v, want 21977 completed and 2 lost in 1.003313 s", l)
	}
	if want := map[string]float64{"NOERROR": 21970, "SERVFAIL": 7}; !maps.Equal(l.codes, want) {
		t.Errorf("codes %v, want %v", l.codes, want)
	}
	if err := l.only("NOERROR"); err == nil || err.Error() != "7 of 21977 answers are SERVFAIL" {
		t.Errorf("only NOERROR: %v", err)
	}
	if _, err := parseLoad("[Status] Testing complete"); err == nil || !strings.Contains(err.Error(), "dnsperf has no answers") {
		t.Errorf("without statistics: %v", err)
	}
}

func TestWatched(t *testing.T) {
	const text = `[Status] Sending queries (to 127.0.0.1:5300)
> NOERROR d000001.example.org MX 0.000123
> SERVFAIL d000002.example.org MX 0.000200
> T d000003.example.org MX 5.000000
> NOERROR h000001.example.org A 0.002000
> I d000004.example.org MX 0.000001
`
	var w watched
	start := time.Unix(1000, 0)
	now := start
	w.read(strings.NewReader(text), func() time.Time {
		now = now.Add(time.Second)
		return now
	})
	if w.lost != 2 {
		t.Errorf("%d lost, want 2: the refused and the late one", w.lost)
	}
	if got, want := w.between(start, start.Add(time.Minute)), []float64{0.000123, 0.002}; !reflect.DeepEqual(got, want) {
		t.Errorf("latencies %v, want %v", got, want)
	}
	if got := w.between(start.Add(1500*time.Millisecond), start.Add(time.Minute)); len(got) != 1 {
		t.Errorf("%d answers after 1.5 s, want 1", len(got))
	}
}

func TestProcessOf(t *testing.T) {
	for _, tc := range []struct {
		stat      string
		pid, pgrp int
		ok        bool
	}{
		{"12 (coredns) S 1 10 10 0 -1", 12, 10, true},
		{"13 (a (b) c) R 12 10 10 0 -1", 13, 10, true},
		{"14 (cut short", 0, 0, false},
		{"", 0, 0, false},
	} {
		pid, pgrp, ok := processOf(tc.stat)
		if pid != tc.pid || pgrp != tc.pgrp || ok != tc.ok {
			t.Errorf("%q: %d, %d, %t; want %d, %d, %t", tc.stat, pid, pgrp, ok, tc.pid, tc.pgrp, tc.ok)
		}
	}
}

func TestVersionIn(t *testing.T) {
	for text, want := range map[string]string{
		"etcd Version: 3.4.23\nGit SHA: Not provided\n":                    "3.4.23",
		"NSD version 4.6.1\nWritten by NLnet Labs.\n":                      "4.6.1",
		"BIND 9.18.49-1~deb12u3-Debian (Extended Support Version) <id:>\n": "9.18.49",
		"Usage: dnsperf [-f family]\n  -p port (53)\nVersion 2.10.0\n":     "2.10.0",
		"sh: 1.2: not found\n":                                             "of unknown version",
	} {
		if got := versionIn(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestParseBenchstat(t *testing.T) {
	const text = `goos: linux
cpu: Intel(R) Xeon(R) Processor
,benchmarks,
,sec/op,CI
MX/mxsrv-2,1.377e-07,2%
MX/file-2,2.1e-06,∞
geomean,2.002e-07,

,benchmarks,
,B/op,CI
MX/mxsrv-2,160,0%
MX/file-2,616,0%

,benchmarks,
,allocs/op,CI
MX/mxsrv-2,1,0%
MX/file-2,12,0%
`
	h, err := parseBenchstat(text)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"MX/mxsrv-2", "MX/file-2"}; !reflect.DeepEqual(h.names, want) {
		t.Errorf("%v, want %v", h.names, want)
	}
	want := map[string]string{"sec/op": "1.377e-07", "sec/op CI": "2%", "B/op": "160", "B/op CI": "0%", "allocs/op": "1", "allocs/op CI": "0%"}
	if got := h.figures["MX/mxsrv-2"]; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, err := parseBenchstat("goos: linux\n"); err == nil {
		t.Error("no error without a benchmark")
	}
}
