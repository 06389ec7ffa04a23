package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const logged = `example.org.:5471
CoreDNS-1.15.0
linux/amd64, go1.26.8,
[INFO] plugin/mxsrv: etcd 127.0.0.1:2379/mxsrv/: connected
[INFO] plugin/mxsrv: etcd 127.0.0.1:2379/mxsrv/: names changed: 21, in 1.2ms; 105003 names are in service
[WARNING] plugin/mxsrv: etcd:/mxsrv/a:1: warning: 3 names are in service of one network
[INFO] plugin/mxsrv: etcd 127.0.0.1:2379/mxsrv/: 110003 names are in service
[INFO] plugin/mxsrv: etcd 127.0.0.1:2379/mxsrv/: names changed: 2, in 900µs; 110003 names are in service
`

// TestJournal: a process writes when it likes, not line by line.
func TestJournal(t *testing.T) {
	want := []load{{false, 21, 1200 * time.Microsecond}, {true, 110003, 0}, {false, 2, 900 * time.Microsecond}}
	for _, size := range []int{1, 7, len(logged)} {
		var j journal
		for part := range slices.Chunk([]byte(logged), size) {
			j.Write(part)
		}
		if got := j.since(0); !reflect.DeepEqual(got, want) {
			t.Errorf("%d octets at a time: %v, want %v", size, got, want)
		}
		if got := j.since(2); !reflect.DeepEqual(got, want[2:]) {
			t.Errorf("since 2: %v, want %v", got, want[2:])
		}
		if !strings.HasSuffix(j.last(), "in 900µs; 110003 names are in service") {
			t.Errorf("last line %q", j.last())
		}
	}
	took, whole := patches(want)
	if !slices.Equal(took, []time.Duration{1200 * time.Microsecond, 900 * time.Microsecond}) || whole != 1 {
		t.Errorf("patches took %v, and %d loads were whole", took, whole)
	}
}

const dnsperfOutput = `Statistics:

  Queries sent:         300000
  Queries completed:    299998 (99.99%)
  Queries lost:         2 (0.01%)

  Response codes:       NOERROR 299998 (100.00%)
  Average packet size:  request 29, response 127
  Run time (s):         6.000021
  Queries per second:   49999.491668

  Average Latency (s):  0.000134 (min 0.000021, max 0.011450)
  Latency StdDev (s):   0.000160
`

func TestParseTurn(t *testing.T) {
	got, err := parseTurn(dnsperfOutput)
	if want := (turn{299998, 2, 49999.491668, 0.000134}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for out, want := range map[string]string{
		"[Status] Testing complete": "dnsperf has no answers",
		strings.Replace(dnsperfOutput, "NOERROR 299998", "NOERROR 299990 (99.99%), SERVFAIL 8", 1): "SERVFAIL 8",
	} {
		if _, err := parseTurn(out); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestMemoryIn(t *testing.T) {
	const status = "Name:\tcoredns\nVmHWM:\t  209920 kB\nVmRSS:\t  201728 kB\n"
	for line, want := range map[string]float64{"VmRSS": 201728 * 1024, "VmHWM": 209920 * 1024, "VmSwap": 0} {
		if got := memoryIn(status, line); got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
	}
}

func TestAddressIn(t *testing.T) {
	for records, want := range map[string]string{
		"": "", "i.example.org. A 10.0.0.1": "10.0.0.1", "i.example.org. AAAA 2001:db8::1": "",
		"i.example.org. A 10.0.0.1\ni.example.org. A 10.0.0.2": "",
	} {
		m := new(dns.Msg)
		for line := range strings.Lines(records) {
			record, err := dns.NewRR(line)
			if err != nil {
				t.Fatal(err)
			}
			m.Answer = append(m.Answer, record)
		}
		if got := addressIn(m); got != want {
			t.Errorf("%q: %q, want %q", records, got, want)
		}
	}
	if got := addressIn(nil); got != "" {
		t.Errorf("no answer: %q", got)
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
			if err := addressError(i.address()); err != nil {
				t.Errorf("%+v: %v", i, err)
			}
		}
	}
}

func addressError(address string) error {
	if _, err := dns.NewRR("i.example.org. A " + address); err != nil {
		return fmt.Errorf("address %s: %w", address, err)
	}
	return nil
}

func TestQuantile(t *testing.T) {
	var figures []int
	for n := range 1000 {
		figures = append(figures, 999-n)
	}
	for part, want := range map[float64]int{0: 0, 0.5: 500, 0.99: 990, 1: 999} {
		if got := quantile(figures, part); got != want {
			t.Errorf("quantile %v is %d, want %d", part, got, want)
		}
	}
	if got := quantile([]int(nil), 0.5); got != 0 {
		t.Errorf("of nothing: %d", got)
	}
}

func TestChoose(t *testing.T) {
	for words, want := range map[string]string{
		"": "[latency queries stock large]", "large,latency": "[latency large]", "all": `part "all": write some of large,latency,queries,stock`,
	} {
		chosen, err := choose(words)
		got := fmt.Sprint(chosen)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", words, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	var rows table
	rows.add("start", "%.2f s", 1.5)
	rows.demand(true, "at least 5 times", "rate", "%d times", 6)
	rows.demand(false, "none", "lost", "%d", 1)
	var out strings.Builder
	rows.write(&out)
	const want = `| what | figure | demand | met |
|--|--|--|--|
| start | 1.50 s |  |  |
| rate | 6 times | at least 5 times | yes |
| lost | 1 | none | **no** |
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

// TestCompare: the ratio is that of the turns of one round, and a lost query is one
// too many.
func TestCompare(t *testing.T) {
	quiet := []turn{{rate: 50000}, {rate: 40000}, {rate: 50000}}
	for _, tc := range []struct {
		busy []turn
		met  string
	}{
		{[]turn{{rate: 50000}, {rate: 40000}, {rate: 10000}}, "yes"},
		{[]turn{{rate: 49000}, {rate: 39000}, {rate: 49000}}, "**no**"},
		{[]turn{{rate: 50000}, {rate: 40000, lost: 1}, {rate: 50000}}, "**no**"},
	} {
		var rows table
		rows.compare(quiet, tc.busy, 100)
		if got := rows[len(rows)-1]; got.met != tc.met {
			t.Errorf("%v: met %s, want %s", tc.busy, got.met, tc.met)
		}
	}
}
