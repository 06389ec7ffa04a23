package test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A history has the serials of a zone as a client has seen them, and the contents that they had.
type history struct {
	t    *testing.T
	of   string
	last uint32
	had  map[uint32]string // content by serial
}

func newHistory(t *testing.T, of string) *history {
	return &history{t: t, of: of, had: make(map[uint32]string)}
}

// see adds a transfer, whose SOA is of the same table as all else.
func (h *history) see(records []dns.RR) {
	h.t.Helper()
	serial := records[0].(*dns.SOA).Serial
	lines := texts(records[1 : len(records)-1])
	content := strings.Join(lines, "\n")
	if before, ok := h.had[serial]; ok && before != content {
		h.t.Errorf("%s: serial %d has had\n%s\nand now has\n%s", h.of, serial, before, content)
	}
	if h.last != 0 && int32(serial-h.last) < 0 {
		h.t.Errorf("%s: serial %d after %d", h.of, serial, h.last)
	}
	h.last, h.had[serial] = serial, content
}

// follow transfers a zone again and again until stop is called.
func (h *history) follow(s *server) (stop func()) {
	var running sync.WaitGroup
	done := make(chan bool)
	running.Go(func() {
		tick := time.NewTicker(3 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if records, err := transfer(s.addr, new(dns.Msg).SetAxfr("example.org.")); err == nil { // else a reload broke it off
				h.see(records)
			}
		}
	})
	return sync.OnceFunc(func() { close(done); running.Wait() })
}

// toggled is a zone whose line for serials comes and goes.
const toggled = `example.org:1053 {
    bind 127.0.0.1
    pprof 127.0.0.1:1057
    mxsrv {
        authoritative {
            ns ns1.example.net.
        }
        file zone.conf
        reload 100ms
        %s
    }
    transfer {
        to *
    }
}
`

// TestSerialsToggled: while the line for serials comes and goes and the content changes, and comes back to what it was,
// no serial falls, and none has two contents; so it is over a restart.
func TestSerialsToggled(t *testing.T) {
	dir := t.TempDir()
	content := func(n int) string { return fmt.Sprintf("host a 192.0.2.%d\n", n%3+1) }
	write(t, filepath.Join(dir, "zone.conf"), content(0))
	s := start(t, dir, fmt.Sprintf(toggled, "serials serials"))
	corefile := read(t, filepath.Join(s.Dir, "Corefile"))
	s.awaitSignals(t)
	h := newHistory(t, "the zone")
	stop := h.follow(s)
	defer stop()
	last := serialOf(t, s, "example.org")
	for n := range 25 {
		write(t, filepath.Join(s.Dir, "zone.conf"), content(n+1))
		if n%2 == 0 {
			s.reload(t, strings.Replace(corefile, "serials serials", "", 1), reloaded)
		} else {
			s.reload(t, corefile, reloaded)
		}
		want := fmt.Sprintf("192.0.2.%d", (n+1)%3+1)
		eventually(t, s, want, func() bool { return strings.Contains(answers(s, "a.example.org A"), want) })
		now := serialOf(t, s, "example.org")
		if int32(now-last) <= 0 {
			t.Errorf("change %d: serial %d after %d", n, now, last)
		}
		last = now
	}
	s.reload(t, corefile, reloaded)
	stop()
	s.restart(t)
	h.see(zoneOf(t, s, "example.org."))
	if again := serialOf(t, s, "example.org"); again != last {
		t.Errorf("serial %d after a restart, want %d", again, last)
	}
	if len(h.had) < 2 {
		t.Errorf("only %d serials were seen in transfers", len(h.had))
	}
}

// views has three server blocks for one zone: two views on one address, and one on another.
const views = `example.org:1053 {
    bind 127.0.0.1
    view first {
        expr type() == 'AXFR'
    }
    mxsrv {
        authoritative {
            ns ns1.example.net.
        }
        serials serials
        file first.conf
        reload 100ms
    }
    transfer {
        to *
    }
}
example.org:1053 {
    bind 127.0.0.1
    mxsrv {
        authoritative {
            ns ns1.example.net.
        }
        serials serials
        host a 192.0.2.2
    }
}
example.org:1054 {
    bind 127.0.0.1
    mxsrv {
        authoritative {
            ns ns1.example.net.
        }
        serials serials
        host a 192.0.2.3
    }
}
`

// TestSerialsOfViews: the serials of a zone that several server blocks serve, on one address and on another, have
// nothing to do with each other.
func TestSerialsOfViews(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "first.conf"), "host a 192.0.2.1\n")
	s := start(t, dir, views)
	other := &server{Process: s.Process, addr: s.at[":1054"]}
	all := func() string {
		first := zoneOf(t, s, "example.org.")
		return fmt.Sprint(first[0].(*dns.SOA).Serial, serialOf(t, s, "example.org"), serialOf(t, other, "example.org"))
	}
	before := all()
	for range 3 {
		s.restart(t)
		if got := all(); got != before {
			t.Errorf("serials %s after a restart, want %s", got, before)
		}
	}
	write(t, filepath.Join(s.Dir, "first.conf"), "host a 192.0.2.9\n")
	eventually(t, s, "the first view has changed", func() bool { return all() != before })
	if got := all(); !slices.Equal(strings.Fields(got)[1:], strings.Fields(before)[1:]) {
		t.Errorf("serials %s after a change of the first view, before %s", got, before)
	}
}
