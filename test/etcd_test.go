package test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/test/rig"
)

// registered is a zone that is in etcd alone.
const registered = `example.org:1053 {
    bind 127.0.0.1
    mxsrv {
        authoritative {
            ns ns1.example.net.
        }
        etcd %s {
            snapshot snapshot
            timeout 1s
        }
    }
    transfer {
        to *
    }
    ready 127.0.0.1:1054
}
`

// version returns an address that says which version of a fragment it is of.
func version(n uint32) string {
	a := netip.MustParseAddr("2001:db8::").As16()
	binary.BigEndian.PutUint32(a[12:], n)
	return netip.AddrFrom16(a).String()
}

func versionOf(rr dns.RR) uint32 {
	aaaa, ok := rr.(*dns.AAAA)
	if !ok {
		return 0
	}
	return binary.BigEndian.Uint32(aaaa.AAAA[12:])
}

// A writer changes what is declared: hosts whose addresses are versions.
type writer struct {
	*cluster
	declared atomic.Uint32 // the last version of the host counter that was perhaps written
	rand     *rand.Rand
}

// write makes some random changes, and one of the counter.
func (w *writer) write(changes int) (revision int64) {
	w.t.Helper()
	for range changes {
		key := fmt.Sprint("h", w.rand.IntN(40))
		if w.rand.IntN(4) == 0 {
			w.do(del(key))
			continue
		}
		w.do(put(key, "host "+key+" "+version(w.rand.Uint32())))
	}
	return w.do(put("counter", "host counter "+version(w.declared.Add(1))))
}

// hosts returns what is declared, as a transfer has it, sorted.
func (c *cluster) hosts() (lines []string) {
	c.t.Helper()
	c.try("list", func(ctx context.Context, client *clientv3.Client) error {
		lines = nil
		r, err := client.Get(ctx, "/mxsrv/", clientv3.WithPrefix())
		if err != nil {
			return err
		}
		for _, kv := range r.Kvs {
			if words := strings.Fields(string(kv.Value)); words[0] == "host" {
				lines = append(lines, words[1]+".example.org. "+words[2])
			}
		}
		return nil
	})
	slices.Sort(lines)
	return lines
}

// transferHosts returns the hosts in a transfer of the zone, sorted; nil if it fails: a reload breaks one off.
func transferHosts(s *server) []string {
	all, err := transfer(s.addr, new(dns.Msg).SetAxfr("example.org."))
	if err != nil {
		return nil
	}
	return hostsIn(all)
}

func hostsIn(all []dns.RR) (lines []string) {
	for _, rr := range all {
		if aaaa, ok := rr.(*dns.AAAA); ok {
			lines = append(lines, aaaa.Hdr.Name+" "+aaaa.AAAA.String())
		}
	}
	slices.Sort(lines)
	return lines
}

// exact waits until a server has exactly what is declared.
func (w *writer) exact(s *server) {
	w.t.Helper()
	want := w.hosts()
	eventually(w.t, s, "it has what is declared", func() bool { return slices.Equal(transferHosts(s), want) })
	if len(want) < 5 {
		w.t.Errorf("only %d hosts are declared", len(want))
	}
}

// A stream asks all the time for a host that stays, and for the counter, whose
// versions must have been written and never fall. No query is lost.
type stream struct {
	t    *testing.T // of the whole time
	w    *writer
	addr string
	seen uint32
	sent atomic.Int64
	stop func()
}

func (w *writer) stream(s *server) *stream {
	st := &stream{t: w.t, w: w, addr: s.addr}
	st.resume()
	w.t.Cleanup(func() { st.stop() })
	return st
}

func (st *stream) resume() {
	done, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		conn, err := dns.Dial("udp", st.addr)
		if err != nil {
			st.t.Error(err)
			return
		}
		defer conn.Close()
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				st.ask(conn)
			}
		}
	}()
	st.stop = sync.OnceFunc(func() { close(done); <-ended })
}

func (st *stream) ask(conn *dns.Conn) {
	n := st.sent.Add(1)
	name := "counter.example.org."
	if n%2 == 0 {
		name = "stay.example.org."
	}
	m := new(dns.Msg).SetQuestion(name, dns.TypeAAAA)
	res, _, err := new(dns.Client).ExchangeWithConn(m, conn)
	switch {
	case err != nil:
		st.t.Errorf("query %d: %v", n, err)
	case len(res.Answer) != 1 || res.Rcode != dns.RcodeSuccess:
		st.t.Errorf("query %d: %v", n, res)
	case name == "stay.example.org.":
		if v := versionOf(res.Answer[0]); v != 1 {
			st.t.Errorf("query %d: version %d, want 1", n, v)
		}
	default:
		v, declared := versionOf(res.Answer[0]), st.w.declared.Load()
		if v < st.seen || v > declared {
			st.t.Errorf("query %d: version %d after %d, while %d is the last that was written", n, v, st.seen, declared)
		}
		st.seen = v
	}
}

// more waits for some more queries.
func (st *stream) more(n int64) {
	st.w.t.Helper()
	before := st.sent.Load()
	for deadline := time.Now().Add(rig.Limit); st.sent.Load() < before+n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			st.w.t.Fatal("the stream has ended")
		}
	}
}

// current waits until the stream has seen the last version.
func (st *stream) current(s *server) {
	st.w.t.Helper()
	want := st.w.declared.Load()
	eventually(st.w.t, s, fmt.Sprint("version ", want), func() bool {
		res, err := dns.Exchange(new(dns.Msg).SetQuestion("counter.example.org.", dns.TypeAAAA), s.addr)
		return err == nil && len(res.Answer) == 1 && versionOf(res.Answer[0]) == want
	})
}

// TestEtcdFaults: what can happen to a cluster of three happens, while queries come
// all the time and definitions change. None is lost, no answer is one that was not
// declared or is older than one before, and afterwards all is as it is declared.
func TestEtcdFaults(t *testing.T) {
	outage := orLong(t, 3*time.Second, time.Minute)
	c := startCluster(t)
	w := &writer{cluster: c, rand: rand.New(rand.NewPCG(1, 2))}
	c.do(put("stay", "host stay "+version(1)))
	w.write(50)
	s := start(t, t.TempDir(), fmt.Sprintf(registered, c.endpoints()))
	st := w.stream(s)
	w.write(50)
	w.exact(s)
	must := func(err error) {
		c.t.Helper()
		if err != nil {
			c.t.Fatal(err)
		}
	}

	for _, fault := range []struct {
		name string
		do   func()
	}{
		{"leader killed, and started", func() {
			leader := c.leader()
			leader.Kill()
			w.write(20)
			st.current(s)
			c.start(leader)
			w.write(20)
		}},
		{"leader hangs", func() {
			leader := c.leader()
			must(c.hang(leader))
			w.write(20)
			st.current(s)
			must(c.resume(leader))
			w.write(20)
		}},
		{"majority lost, and regained", func() {
			lost := strings.Count(s.String(), "watch lost")
			c.Members[0].Kill()
			c.Members[1].Kill()
			eventually(t, s, "the third has no leader", func() bool { return strings.Count(s.String(), "watch lost") > lost })
			c.start(c.Members[1])
			w.write(20)
			st.current(s)
			c.start(c.Members[0])
			w.write(20)
		}},
		{"all down", func() {
			for _, m := range c.Members {
				m.Kill()
			}
			time.Sleep(outage)
			c.start(c.Members...)
			w.write(20)
		}},
		{"cut off while what it knows is compacted", func() {
			for _, p := range c.proxies {
				p.Cut()
			}
			revision := w.write(50)
			c.try("compaction", func(ctx context.Context, client *clientv3.Client) error {
				_, err := client.Compact(ctx, revision, clientv3.WithCompactPhysical())
				return err
			})
			for _, p := range c.proxies {
				p.Restore()
			}
		}},
		{"server restarted while all are down", func() {
			st.current(s)
			kept := fmt.Sprint("revision ", c.do(put("stay", "host stay "+version(1))), " ")
			path := filepath.Join(s.Dir, "snapshot")
			eventually(t, s, path+" has "+kept, func() bool { return strings.Contains(read(t, path), kept) })
			for _, m := range c.Members {
				m.Kill()
			}
			st.stop()
			s.restart(t)
			if status := s.get(":1054", "/ready"); status != "OK" {
				t.Errorf("with its snapshot it says %q, want that it is ready\n%s", status, s)
			}
			st.resume()
			st.more(100)
			c.start(c.Members...)
			w.write(20)
		}},
		{"Corefile reloaded while all are down", func() {
			w.write(1) // and perhaps not in the snapshot
			st.current(s)
			for _, m := range c.Members {
				m.Kill()
			}
			path := filepath.Join(s.Dir, "Corefile")
			write(t, path, strings.Replace(read(t, path), "timeout 1s", "timeout 1500ms", 1))
			must(s.Signal(syscall.SIGUSR1))
			eventually(t, s, "it goes on with what it knew", func() bool {
				log := s.String()
				return strings.Contains(log, reloaded) && strings.Contains(log, " as they were before")
			})
			st.more(100)
			c.start(c.Members...)
			w.write(20)
		}},
		{"member replaced", func() {
			must(c.replace(c.Members[2]))
			w.write(20)
			st.current(s)
			c.Members[0].Kill()
			w.write(20)
			c.start(c.Members[0])
			w.write(1)
		}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			c.t = t
			sent, began := st.sent.Load(), time.Now()
			fault.do()
			st.current(s)
			w.exact(s)
			t.Logf("%v, %d queries", time.Since(began).Round(time.Millisecond), st.sent.Load()-sent)
		})
		c.t = t
	}
	st.stop()
	t.Logf("%d queries, none lost\n%s", st.sent.Load(), s)
}
