package test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
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

// upgraded serves the zones of testdata/upgrade, with the files that version 0 before this one has written.
const upgraded = `example.org:1053 example.net:1053 {
    bind 127.0.0.1
    mxsrv {
        authoritative {
            ns ns1.example.com.
        }
        etcd %s {
            snapshot snapshot
        }
        %s
    }
    transfer {
        to * 127.0.0.1:1055 127.0.0.1:1056
    }
}
`

// older has those zones as the older version served them, whose serials were all 3,000,000,000 and the last revision.
const older = `example.org:1053 {
    bind 127.0.0.1
    file db.example.org
    transfer {
        to * 127.0.0.1:1055 127.0.0.1:1056
    }
}
example.net:1053 {
    bind 127.0.0.1
    file db.example.net
    transfer {
        to * 127.0.0.1:1055 127.0.0.1:1056
    }
}
`

// TestUpgrade: secondaries follow a primary over an upgrade, with a file of serials, with the snapshot alone, and with
// nothing that was kept. In MXSRV_UPGRADE_FROM may be the binary of the older version.
func TestUpgrade(t *testing.T) {
	for name, tc := range map[string]struct {
		serials string
		lost    []string // files
	}{
		"a file of serials": {"serials serials", nil},
		"a snapshot":        {"", []string{"serials"}},
		"nothing":           {"serials serials", []string{"serials", "snapshot"}},
	} {
		t.Run(name, func(t *testing.T) { upgrade(t, tc.serials, tc.lost) })
	}
}

func upgrade(t *testing.T, serials string, lost []string) {
	c := rig.Etcd(t, 1)
	c.Do(t, put("hosts", "host mx1 192.0.2.10\nhost mx2 198.51.100.20"))
	c.Do(t, put("mail", "mail @ lists 10 mx1"))
	c.Do(t, put("gone", "host gone 192.0.2.99"))
	if os.Getenv("MXSRV_UPGRADE_FROM") == "" {
		c.Do(t, put(".revision", "# written at each start of a server, so that serials rise with revisions\n"))
	}
	c.Do(t, put("example.net", "host only.example.net. 192.0.2.30"))
	c.Do(t, del("gone"))
	dir := filepath.Join("testdata", "upgrade")
	corefile := fmt.Sprintf(upgraded, c.Members[0].Addr(), serials)
	s := startOlder(t, dir, corefile)
	zones := []hosted{{zone: "example.org.", primary: s.addr}, {zone: "example.net.", primary: s.addr}}
	followers := map[string]*server{
		"NSD":  startNSD(t, rig.Peer(t, "nsd"), s.at[":1055"], zones),
		"Knot": startKnot(t, rig.Peer(t, "knotd"), s.at[":1056"], zones),
	}
	u := &upgrading{t: t, primary: s, followers: followers, seen: map[string]*history{}}
	u.awaitAll("example.org", "example.net")

	for _, file := range lost {
		os.Remove(filepath.Join(s.Dir, file))
	}
	before := map[string]uint32{"example.org": u.serial("example.org"), "example.net": u.serial("example.net")}
	s.Kill()
	write(t, filepath.Join(s.Dir, "Corefile"), s.replaced(corefile))
	s.run(t, s.Dir)
	for zone, was := range before {
		if got := u.serial(zone); int32(got-was) < 0 || len(lost) == 0 && got != was {
			t.Errorf("%s: serial %d after the upgrade, before %d", zone, got, was)
		}
	}
	r := c.Do(t, put("mail", "mail @ lists 10 mx1 mx2"))
	for zone := range before {
		eventually(t, s, "the change is served", func() bool { return u.serial(zone) == uint32(3_000_000_000+r) })
	}
	u.awaitAll("example.org", "example.net")
	net := u.serial("example.net")
	only := c.Do(t, put("org", "host new.example.org. 192.0.2.40"))
	eventually(t, s, "the change is served", func() bool { return u.serial("example.org") == uint32(3_000_000_000+only) })
	u.awaitAll("example.org", "example.net")
	if got := u.serial("example.net"); got != net || got != uint32(3_000_000_000+r) {
		t.Errorf("example.net: serial %d after a change of example.org, want %d, which is that of revision %d", got, net, r)
	}
}

// startOlder starts what stands for an older version, or that, with a Corefile.
func startOlder(t *testing.T, dir, corefile string) *server {
	t.Helper()
	old := os.Getenv("MXSRV_UPGRADE_FROM")
	if old == "" {
		return start(t, dir, older)
	}
	s := start(t, dir, older) // for its ports
	s.Kill()
	write(t, filepath.Join(s.Dir, "Corefile"), s.replaced(corefile))
	for _, file := range []string{"serials", "snapshot"} {
		os.Remove(filepath.Join(s.Dir, file))
	}
	cmd := exec.Command(old)
	cmd.Dir = s.Dir
	s.Process = runProcess(t, cmd, "CoreDNS-")
	return s
}

// replaced returns a Corefile with the ports that were chosen for the server.
func (s *server) replaced(corefile string) string {
	for port, addr := range s.at {
		corefile = strings.ReplaceAll(corefile, port, strings.TrimPrefix(addr, "127.0.0.1"))
	}
	return corefile
}

// upgrading is a primary and its secondaries, of which nobody may see a serial fall or used twice.
type upgrading struct {
	t         *testing.T
	primary   *server
	followers map[string]*server
	seen      map[string]*history // by zone: what was served by anybody
}

func (u *upgrading) serial(zone string) uint32 {
	u.t.Helper()
	return serialOf(u.t, u.primary, zone)
}

// awaitAll waits until all followers have the primary's serials, and looks at what they have.
func (u *upgrading) awaitAll(zones ...string) {
	u.t.Helper()
	for _, zone := range zones {
		if u.seen[zone] == nil {
			u.seen[zone] = newHistory(u.t, zone)
		}
		u.seen[zone].see(zoneOf(u.t, u.primary, zone+"."))
		for _, name := range slices.Sorted(maps.Keys(u.followers)) {
			f := u.followers[name]
			eventually(u.t, f, name+" follows "+zone, func() bool {
				return answers(f, zone+" SOA") == answers(u.primary, zone+" SOA")
			})
			for _, q := range []string{zone + " MX", "mx2." + zone + " A", "new." + zone + " A", "gone." + zone + " A"} {
				if got, want := answers(f, q), answers(u.primary, q); got != want {
					u.t.Errorf("%s: %s\n%s\nwant\n%s", q, name, got, want)
				}
			}
		}
	}
}
