package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
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
	if l.completed != 21977 || l.lost != 2 || l.seconds != 1.003313 || l.latency != 0.004509 {
		t.Errorf("%+v, want 21977 completed and 2 lost in 1.003313 s, in 0.004509 s each", l)
	}
	if want := map[string]float64{"NOERROR": 21970, "SERVFAIL": 7}; !maps.Equal(l.codes, want) {
		t.Errorf("codes %v, want %v", l.codes, want)
	}
	if err := l.only("NOERROR"); err == nil || err.Error() != "7 of 21977 answers are SERVFAIL" {
		t.Errorf("only NOERROR: %v", err)
	}
	_, err = parseLoad("[Status] Testing complete")
	if err == nil || !strings.Contains(err.Error(), "dnsperf has no answers") {
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
	start := time.Unix(1000, 0)
	now := start
	w := watched{now: func() time.Time {
		now = now.Add(time.Second)
		return now
	}}
	for part := range slices.Chunk([]byte(text), 7) { // it writes when it likes, not line by line
		w.Write(part)
	}
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

func TestParseStat(t *testing.T) {
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
		pid, pgrp, ok := parseStat(tc.stat)
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

func TestParseBenchmarks(t *testing.T) {
	const text = `goos: linux
cpu: Intel(R) Xeon(R) Processor
BenchmarkMX/mxsrv-2         	 1000000	       137.7 ns/op	     160 B/op	       1 allocs/op
BenchmarkMX/mxsrv-2         	 1000000	       140 ns/op	     160 B/op	       1 allocs/op
BenchmarkMX/file-2          	  100000	      2100 ns/op	         5.000 questions	     616 B/op	      12 allocs/op
PASS
`
	want := []*benchmark{
		{"MX/mxsrv", []float64{137.7, 140}, []float64{160, 160}, []float64{1, 1}},
		{"MX/file", []float64{2100}, []float64{616}, []float64{12}},
	}
	if got := parseBenchmarks(text); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestAddressIn(t *testing.T) {
	for records, want := range map[string]string{
		"": "", "i.example.org. A 10.0.0.1": "10.0.0.1", "i.example.org. AAAA 2001:db8::1": "",
		"i.example.org. A 10.0.0.1\ni.example.org. A 10.0.0.2": "",
	} {
		if got := addressIn(&dns.Msg{Answer: parsed(t, records)}); got != want {
			t.Errorf("%q: %q, want %q", records, got, want)
		}
	}
}

// TestAddress: an address tells instance and version.
func TestAddress(t *testing.T) {
	seen := map[string]instance{}
	for _, number := range []int{0, 1, 255, 256, 65535, 65536, 109999} {
		for version := range 50 {
			i := instance{number: number, version: version}
			if other, known := seen[i.address()]; known {
				t.Fatalf("%+v and %+v have the address %s", i, other, i.address())
			}
			seen[i.address()] = i
			if _, err := netip.ParseAddr(i.address()); err != nil {
				t.Errorf("%+v: %v", i, err)
			}
		}
	}
}

func TestChoose(t *testing.T) {
	names := []string{"MX 2", "MX 2 errors", "scale"}
	for list, want := range map[string]string{
		"": "[MX 2 MX 2 errors scale]", "scale, MX 2 errors": "[scale MX 2 errors]",
		"all": `no part "all": write some of MX 2, MX 2 errors, scale`,
	} {
		chosen, err := choose(list, names)
		got := fmt.Sprint(chosen)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", list, got, want)
		}
	}
}

// TestFollow: steps come in order, and the first error ends the run and has its name.
func TestFollow(t *testing.T) {
	var did []string
	do := func(name string, err error) step {
		return step{name, 1, func(context.Context) error {
			did = append(did, name)
			return err
		}}
	}
	err := follow(t.Context(), []step{do("one", nil), do("two", errors.New("broken")), do("three", nil)})
	if err == nil || err.Error() != "two: broken" || !slices.Equal(did, []string{"one", "two"}) {
		t.Errorf("%v after %q, want two: broken", err, did)
	}
}
