package test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/test/rig"
)

var soak = flag.Duration("soak", 3*time.Second, "how long TestSoak goes on; from 1m on it looks at memory too")

// between is how long a file is left as it is.
const between = 200 * time.Millisecond

// TestSoak rewrites a file again and again, good and bad in turn, in place and by
// a rename. Each good set comes into service, each bad one is rejected; no query is
// lost, no answer is one that was not declared, and memory stays as it is.
func TestSoak(t *testing.T) {
	if *soak < time.Minute {
		rig.Short(t, "make soak")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "defs"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "defs", "a.conf"), "mail @ 10 a.example.net.\n")
	s := start(t, dir, followed)
	put := func(i int, text string) {
		t.Helper()
		path := filepath.Join(s.Dir, "defs", "a.conf")
		if i%4 < 2 {
			write(t, path, text)
			return
		}
		write(t, path+".new", text)
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	stop := load(t, s, "stay.example.org MX")
	w := newWatch(t, s, "example.org. MX", mx("a"))

	var memory []int // from when a tenth of the time is over
	began, tick := time.Now(), time.NewTicker(between)
	defer tick.Stop()
	i := 0
	for ; time.Since(began) < *soak; i++ {
		<-tick.C
		if i%2 == 1 {
			before := s.rejected()
			put(i, "mail @ 10 192.0.2.1\n")
			eventually(t, s, "a mistake is rejected", func() bool { return s.rejected() > before })
			continue
		}
		want := mx(fmt.Sprint("b", i))
		w.expect(want)
		put(i, fmt.Sprintf("mail @ 10 b%d.example.net.\n", i))
		eventually(t, s, want, func() bool { return format(s.ask(t, "udp", query(t, "example.org. MX"))) == want })
		if time.Since(began) > *soak/10 {
			memory = append(memory, resident(t, s))
		}
	}
	w.stop()
	stop()
	t.Logf("%d changes, %d rejected", i, s.rejected())
	if n := len(memory); n > 0 && *soak >= time.Minute {
		first, last := memory[0], memory[n-1]
		t.Logf("resident memory: %d kB, at the end %d kB", first, last)
		if last > first*5/4 {
			t.Errorf("resident memory grows from %d kB to %d kB", first, last)
		}
	}
}

// resident returns the resident memory of a server in kB.
func resident(t *testing.T, s *server) int {
	t.Helper()
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindStringSubmatch(read(t, fmt.Sprintf("/proc/%d/status", s.Cmd.Process.Pid)))
	kilobytes, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes
}
