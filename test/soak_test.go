package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// soaked is a zone of a file, of etcd and of the Corefile. SERIALS stands for a line that comes and goes.
const soaked = `example.org:1053 {
    bind 127.0.0.1
    root defs
    errors
    prometheus 127.0.0.1:1054
    pprof 127.0.0.1:1057
    mxsrv {
        authoritative {
            ns ns1.example.net.
            refresh 168h
        }
        host stay 192.0.2.1
        mail stay 10 stay
        file *.conf
        reload 100ms
        SERIALS
        etcd %s {
            snapshot ../snapshot
            timeout 1s
        }
    }
    transfer {
        to * 127.0.0.1:1055
    }
}
`

// A soaking is a server whose definitions change all the time.
type soaking struct {
	*writer
	*server
	watch    *watch
	corefile string // SERIALS is in it
	changes  int
	serials  bool
}

// TestSoak: files change, good and bad, in place and by a rename; keys in etcd change; the Corefile is read again, with
// and without its serials line, also while a file is bad. No query is lost, no answer is one that was not declared, the
// serial never falls and never stands for two contents, here and at a live secondary; memory stays as it is.
func TestSoak(t *testing.T) {
	lasts := orLong(t, 3*time.Second, 10*time.Minute)
	nsd := rig.Peer(t, "nsd")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "defs"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "defs", "a.conf"), "mail @ 10 a.example.net.\n")
	c := startCluster(t)
	corefile := fmt.Sprintf(soaked, c.endpoints())
	s := &soaking{
		writer: &writer{cluster: c, rand: rand.New(rand.NewPCG(1, 2))},
		server: start(t, dir, strings.Replace(corefile, "SERIALS", "serials ../serials", 1)), serials: true,
	}
	s.corefile = strings.Replace(read(t, filepath.Join(s.Dir, "Corefile")), "serials ../serials", "SERIALS", 1)
	s.awaitSignals(t)
	s.write(50)
	secondary := startNSD(t, nsd, s.at[":1055"], []hosted{{zone: "example.org.", primary: s.addr}})
	stop := load(t, s.server, "stay.example.org MX")
	s.watch = newWatch(t, s.server, "example.org. MX", mx("a"))
	serials := watchSerials(t, s.addr, secondary.addr)

	var memory []int // heap, as the race detector keeps memory, from when a tenth of the time is over
	began := time.Now()
	for time.Since(began) < lasts {
		s.step(t)
		if time.Since(began) > lasts/10 {
			memory = append(memory, heap(t, s.server))
		}
	}
	s.watch.stop()
	stop()
	eventually(t, secondary, "the secondary has all of it", func() bool {
		return answers(secondary, "example.org SOA") == answers(s.server, "example.org SOA")
	})
	t.Logf("%d changes, %d rejected, %s", s.changes, s.rejected(), serials())
	for _, q := range []string{"example.org MX", "counter.example.org AAAA", "h1.example.org AAAA"} {
		if got, want := answers(secondary, q), answers(s.server, q); got != want {
			t.Errorf("%s: the secondary says\n%s\nwant\n%s", q, got, want)
		}
	}
	if n := len(memory); *long && n > 0 {
		first, last := slices.Max(memory[:n/4]), slices.Max(memory[n-n/4:])
		t.Logf("heap: at most %d octets in the first quarter, %d in the last", first, last)
		if last > first*5/4 {
			t.Errorf("the heap grows from %d to %d octets", first, last)
		}
	}
}

// step makes one change of every kind, and waits until each is served or rejected.
func (s *soaking) step(t *testing.T) {
	t.Helper()
	s.changes++
	s.good(t)
	s.write(3)
	s.exact(s.server)
	if s.rand.IntN(2) == 0 {
		s.serials = !s.serials
	}
	s.reload(t)
	s.bad(t)
	if s.rand.IntN(2) == 0 {
		s.reload(t)
	}
	s.write(1)
}

// put replaces the file, in place or by a rename.
func (s *soaking) put(t *testing.T, text string) {
	t.Helper()
	path := filepath.Join(s.Dir, "defs", "a.conf")
	if s.rand.IntN(2) == 0 {
		write(t, path, text)
		return
	}
	write(t, path+".new", text)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func (s *soaking) good(t *testing.T) {
	t.Helper()
	want := mx(fmt.Sprint("b", s.changes))
	s.watch.expect(want)
	s.put(t, fmt.Sprintf("mail @ 10 b%d.example.net.\n", s.changes))
	eventually(t, s.server, want, func() bool { return format(s.ask(t, "udp", query(t, "example.org. MX"))) == want })
}

func (s *soaking) bad(t *testing.T) {
	t.Helper()
	before := s.rejected()
	s.put(t, fmt.Sprintf("mail @ 10 192.0.2.%d\n", s.changes%200+1))
	eventually(t, s.server, "a mistake is rejected", func() bool { return s.rejected() > before })
}

// reload has CoreDNS read its Corefile again.
func (s *soaking) reload(t *testing.T) {
	t.Helper()
	line := ""
	if s.serials {
		line = "serials ../serials"
	}
	s.server.reload(t, strings.Replace(s.corefile, "SERIALS", line, 1), reloaded)
}

// watchSerials transfers a zone from its primary and asks a secondary for its SOA again and again: the serial of neither
// ever falls (RFC 1982), and none stands for two contents. It ends with the test, or when the result is called for a
// line that says what was seen.
func watchSerials(t *testing.T, primary, secondary string) (stop func() string) {
	ctx, done, ended := t.Context(), make(chan bool), make(chan string)
	go func() {
		contents, transfers, broken := map[uint32]string{}, 0, 0
		var last, lastThere uint32
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for going := true; going; {
			select {
			case <-tick.C:
			case <-done:
				going = false
			case <-ctx.Done():
				return
			}
			serial, content, err := zoneContent(primary)
			if err != nil { // a connection that the server before a reload had accepted: secondaries ask again
				broken++
				serial, content, err = zoneContent(primary)
			}
			if err != nil {
				t.Errorf("transfer, tried again: %v", err)
				break
			}
			transfers++
			checkSerial(t, "primary", &last, serial)
			if was, ok := contents[serial]; ok && was != content {
				t.Errorf("serial %d stands for\n%s\nand for\n%s", serial, was, content)
			}
			contents[serial] = content
			if res, err := dns.Exchange(new(dns.Msg).SetQuestion("example.org.", dns.TypeSOA), secondary); err == nil && len(res.Answer) == 1 {
				checkSerial(t, "secondary", &lastThere, res.Answer[0].(*dns.SOA).Serial)
			}
		}
		ended <- fmt.Sprintf("%d transfers of %d serials, the last %d; %d broken off", transfers, len(contents), last, broken)
	}()
	return sync.OnceValue(func() string { close(done); return <-ended })
}

func checkSerial(t *testing.T, who string, last *uint32, serial uint32) {
	if *last != 0 && int32(serial-*last) < 0 {
		t.Errorf("the serial of the %s falls from %d to %d", who, *last, serial)
	}
	*last = serial
}

// zoneContent transfers example.org, and returns its serial and its other records.
func zoneContent(addr string) (serial uint32, content string, err error) {
	all, err := transfer(addr, new(dns.Msg).SetAxfr("example.org."))
	if err != nil {
		return 0, "", err
	}
	var b strings.Builder
	for _, rr := range all {
		if soa, ok := rr.(*dns.SOA); !ok {
			b.WriteString(rr.String() + "\n")
		} else if serial == 0 {
			serial = soa.Serial
		} else if serial != soa.Serial {
			return 0, "", fmt.Errorf("one transfer has the serials %d and %d", serial, soa.Serial)
		}
	}
	return serial, b.String(), nil
}
