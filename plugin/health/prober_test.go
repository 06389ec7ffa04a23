package health_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
)

// A world is what a prober under test sees: servers, and what it reports. Time is that of a bubble.
type world struct {
	mu      sync.Mutex
	server  func(n int, to netip.AddrPort) behavior // what a server does with its nth connection, from 1
	dials   map[netip.AddrPort][]time.Time          // when connections began
	running int
	most    int // that ran at once
	changes []health.Change
	at      []time.Time // of the changes
	log     []string
	results map[string]int // by outcome and reason
}

// A behavior is what a server does with a connection.
type behavior int

const (
	answers behavior = iota
	refuses
	hangs
	unroutable
	exhausted // the descriptors here
)

func (w *world) dial(ctx context.Context, _ netip.Addr, to netip.AddrPort) (net.Conn, error) {
	w.mu.Lock()
	w.dials[to] = append(w.dials[to], time.Now())
	b := w.server(len(w.dials[to]), to)
	w.running++
	w.most = max(w.most, w.running)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.running--
		w.mu.Unlock()
	}()
	switch b {
	case refuses:
		return nil, syscall.ECONNREFUSED
	case hangs:
		<-ctx.Done()
		return nil, ctx.Err()
	case unroutable:
		return nil, syscall.ENETUNREACH
	case exhausted:
		return nil, syscall.EMFILE
	}
	client, _ := net.Pipe()
	return client, nil
}

func (w *world) line(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, text)
}

func (w *world) Info(text string)    { w.line("info: " + text) }
func (w *world) Warning(text string) { w.line("warning: " + text) }
func (w *world) Error(text string)   { w.line("error: " + text) }

func (w *world) Changed(changes []health.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range changes {
		w.changes, w.at = append(w.changes, c), append(w.at, time.Now())
	}
}

func (w *world) Probed(_ health.Probe, r health.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.results[strings.TrimSpace(r.Outcome.String()+" "+r.Why)]++
}

// begun returns when the probes of a target began.
func (w *world) begun(p health.Probe) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.dials[p.Addr])
}

// changed returns when the nth change was reported, from 0.
func (w *world) changed(n int) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at[n]
}

// story returns the states that were reported.
func (w *world) story() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var states []string
	for _, c := range w.changes {
		states = append(states, c.State.String())
	}
	return strings.Join(states, " ")
}

func newWorld(server func(n int, to netip.AddrPort) behavior) *world {
	return &world{server: server, dials: make(map[netip.AddrPort][]time.Time), results: make(map[string]int)}
}

type verdicts = map[health.Probe]health.Verdict

// inBubble runs a prober in a bubble of synctest, until f has returned.
func inBubble(t *testing.T, config health.Config, known verdicts, w *world, f func(*health.Prober)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if config.Dial == nil {
			config.Dial = w.dial
		}
		p := health.New(config, known, w)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { p.Run(ctx) })
		f(p)
		cancel()
		running.Wait()
	})
}

// sleep lets time pass, and waits for what that has caused.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func targets(t *testing.T, n int) []health.Probe {
	t.Helper()
	var probes []health.Probe
	for i := range n {
		addr := netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)})
		probes = append(probes, definition.NewProbe(netip.AddrPortFrom(addr, 25), check(t, "tcp"), ""))
	}
	return probes
}

// TestTimeToDetect: a server that stops to answer, at any time, is down within the time that the package promises, and
// not before as many failures as there have to be.
func TestTimeToDetect(t *testing.T) {
	for _, config := range []health.Config{
		{}, {Every: time.Second}, {Every: time.Minute, Timeout: 50 * time.Second}, {Down: 1}, {Down: 5},
		{Every: 10 * time.Second, Timeout: 10 * time.Second},
	} {
		every, timeout, down := max(config.Every, time.Second), config.Timeout, config.Down
		if config.Every == 0 {
			every = 10 * time.Second
		}
		if timeout == 0 {
			timeout = 3 * time.Second
		}
		if down == 0 {
			down = 3
		}
		bound := every + time.Duration(down-1)*every/5 + timeout
		for _, how := range []behavior{refuses, hangs} {
			for part := range 10 {
				t.Run(fmt.Sprintf("every %v timeout %v down %d, %v, %d/10", every, timeout, down, how, part), func(t *testing.T) {
					var death atomic.Pointer[time.Time]
					w := newWorld(func(int, netip.AddrPort) behavior {
						if at := death.Load(); at == nil || time.Now().Before(*at) {
							return answers
						}
						return how
					})
					inBubble(t, config, nil, w, func(p *health.Prober) {
						p.Set(targets(t, 1))
						sleep(3 * every)
						last := w.begun(targets(t, 1)[0])
						died := last[len(last)-1].Add(every + 1 + every*time.Duration(part)/10)
						death.Store(&died)
						sleep(time.Until(died) + bound)
						if w.story() != "up down" {
							t.Fatalf("%s, %v after it died", w.story(), bound)
						}
						failures := 0
						for _, d := range w.begun(targets(t, 1)[0]) {
							if !d.Before(died) && d.Before(w.changed(1)) {
								failures++
							}
						}
						if took := w.changed(1).Sub(died); failures < down-1 || part == 0 && how == hangs && took < bound-every/10 {
							t.Errorf("down after %v and %d probes", took, failures)
						}
					})
				})
			}
		}
	}
}

// then returns a server that does one thing n times, and then another.
func then(times int, first, rest behavior) func(n int) behavior {
	return func(n int) behavior {
		if n <= times {
			return first
		}
		return rest
	}
}

// TestPatterns: what results in a row mean. The last one goes on.
func TestPatterns(t *testing.T) {
	for _, tc := range []struct {
		name   string
		server func(n int) behavior
		want   string // states in order
	}{
		{"one failure in three", func(n int) behavior { return []behavior{refuses, answers, answers}[n%3] }, "up"},
		{"one that hangs in three", func(n int) behavior { return []behavior{hangs, answers, answers}[n%3] }, "up"},
		{"two failures in three", func(n int) behavior { return []behavior{refuses, refuses, answers}[n%3] }, "up"},
		{"three in four", func(n int) behavior { return []behavior{refuses, refuses, refuses, answers}[n%4] }, "up down"},
		{"fails from the start", func(int) behavior { return refuses }, "down"},
		{"comes back", then(3, refuses, answers), "down up"},
		{"comes back for a moment", func(n int) behavior {
			if n == 4 {
				return answers
			}
			return refuses
		}, "down"},
		{"cannot be probed", func(int) behavior { return exhausted }, ""},
		{"two failures and then no descriptor", then(2, refuses, exhausted), ""},
		{"no descriptor any more", then(1, answers, exhausted), "up unknown"},
		{"no descriptor for nine intervals", func(n int) behavior { return []behavior{answers, exhausted}[min(1, n%10)] }, "up"},
		{"no route", func(int) behavior { return unroutable }, "unreachable"},
		{"no route twice", then(2, unroutable, answers), "up"},
		{"no route thrice", then(3, unroutable, answers), "unreachable up"},
		{"no route, and then no answer", then(3, unroutable, refuses), "unreachable down"},
		{"two failures and then no route", then(2, refuses, unroutable), "unreachable"},
		{"two failures, no route, and a failure", func(n int) behavior {
			return []behavior{refuses, refuses, unroutable, unroutable, unroutable, refuses, answers}[min(n-1, 6)]
		}, "unreachable up"},
		{"no route for a moment to what has none", func(n int) behavior {
			return []behavior{unroutable, unroutable, unroutable, refuses, unroutable, refuses, answers}[min(n-1, 6)]
		}, "unreachable up"},
		{"no route any more", then(1, answers, unroutable), "up unreachable"},
		{"no route to what is down", then(3, refuses, unroutable), "down unreachable"},
		{"no route, with a success in three", func(n int) behavior { return []behavior{answers, unroutable, unroutable}[n%3] }, "up"},
		{"no route, with a failure in three", func(n int) behavior { return []behavior{refuses, unroutable, unroutable}[n%3] }, "down"},
		{"no route, without a descriptor between", func(n int) behavior { return []behavior{unroutable, exhausted}[n%2] }, "unreachable"},
		{"no route, and then no descriptor", then(3, unroutable, exhausted), "unreachable unknown"},
		{"no route between failures", func(n int) behavior { return []behavior{refuses, unroutable}[n%2] }, "down"},
		{"no route between successes", func(n int) behavior {
			if n <= 3 {
				return refuses
			}
			return []behavior{answers, unroutable}[n%2]
		}, "down up"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(func(n int, _ netip.AddrPort) behavior { return tc.server(n) })
			inBubble(t, health.Config{}, nil, w, func(p *health.Prober) {
				p.Set(targets(t, 1))
				sleep(time.Hour)
				if got := w.story(); got != tc.want {
					t.Errorf("%q, want %q", got, tc.want)
				}
				if n := len(w.begun(targets(t, 1)[0])); n < 300 {
					t.Errorf("%d probes in an hour", n)
				}
			})
		})
	}
}

// TestTimeToComeBack: a server is back after two successes, which are an interval apart.
func TestTimeToComeBack(t *testing.T) {
	var server atomic.Int64
	server.Store(int64(refuses))
	w := newWorld(func(int, netip.AddrPort) behavior { return behavior(server.Load()) })
	inBubble(t, health.Config{}, nil, w, func(p *health.Prober) {
		p.Set(targets(t, 1))
		sleep(time.Minute)
		server.Store(int64(answers))
		sleep(20 * time.Second)
		if got := w.story(); got != "down up" {
			t.Fatalf("%s after two intervals", got)
		}
		if took := w.changed(1).Sub(w.changed(0)); took%(10*time.Second) != 6*time.Second { // down at 4 s after the first
			t.Errorf("up %v after it was down", took)
		}
		v := p.Verdict(targets(t, 1)[0])
		if v.State != health.Up || v.Why != "" || !v.Since.Equal(w.changed(1)) || v.Probed.Before(v.Since) {
			t.Errorf("%+v", v)
		}
	})
}

// TestSpread: each probe has its moment in the interval, the same in every process.
func TestSpread(t *testing.T) {
	probes := targets(t, 1000)
	moments := func() map[netip.AddrPort][]time.Time {
		w := newWorld(func(int, netip.AddrPort) behavior { return answers })
		inBubble(t, health.Config{}, nil, w, func(p *health.Prober) {
			p.Set(slices.Concat(probes, probes))
			sleep(20 * time.Second)
		})
		return w.dials
	}
	first := moments()
	seconds := make(map[int]int)
	for addr, at := range first {
		if len(at) != 2 || at[1].Sub(at[0]) != 10*time.Second {
			t.Fatalf("%v is probed at %v", addr, at)
		}
		seconds[at[0].Second()%10]++
	}
	if len(first) != 1000 || len(seconds) != 10 || slices.Max(slices.Collect(maps.Values(seconds))) > 150 {
		t.Errorf("%d targets, by second %v", len(first), seconds)
	}
	if again := moments(); !maps.EqualFunc(first, again, slices.Equal[[]time.Time]) {
		t.Error("other moments in another process")
	}
}

// TestSlowGreeting: a server that is always slow is not asked again while it takes its usual time.
func TestSlowGreeting(t *testing.T) {
	var connections atomic.Int64
	var closed atomic.Bool
	w := newWorld(nil)
	config := health.Config{Dial: piped(func(c net.Conn) {
		connections.Add(1)
		if closed.Load() {
			return
		}
		io.WriteString(c, "220-mx\r\n")
		time.Sleep(6 * time.Second)
		script("220 mx", "<EHLO", "250 mx", "<QUIT", "221 bye")(c)
	})}
	inBubble(t, config, nil, w, func(p *health.Prober) {
		p.Set([]health.Probe{definition.NewProbe(netip.MustParseAddrPort("192.0.2.1:25"), check(t, "smtp"), "")})
		sleep(106 * time.Second)
		if got := w.story(); got != "up" || connections.Load() > 13 { // two more at first
			t.Errorf("%q, %d connections in ten intervals", got, connections.Load())
		}
		closed.Store(true)
		if sleep(17 * time.Second); w.story() != "up down" {
			t.Errorf("%q after it was closed", w.story())
		}
	})
}

// TestSet: what stays keeps its verdict, what goes is forgotten and not probed, also if it is being probed.
func TestSet(t *testing.T) {
	w := newWorld(func(int, netip.AddrPort) behavior { return refuses })
	probes := targets(t, 3)
	inBubble(t, health.Config{}, nil, w, func(p *health.Prober) {
		p.Set(probes[:2])
		sleep(20 * time.Second)
		p.Set(probes[1:])
		before := len(w.begun(probes[0]))
		states := func() (s []health.State) {
			for _, probe := range probes {
				s = append(s, p.Verdict(probe).State)
			}
			return s
		}
		if got := states(); !slices.Equal(got, []health.State{health.Unknown, health.Down, health.Unknown}) {
			t.Errorf("%v", got)
		}
		sleep(20 * time.Second)
		want := []health.State{health.Unknown, health.Down, health.Down}
		if got := states(); !slices.Equal(got, want) || len(p.Verdicts()) != 2 {
			t.Errorf("%v, %v", got, p.Verdicts())
		}
		if n := len(w.begun(probes[0])); n != before {
			t.Errorf("%d probes of what is gone", n-before)
		}
		p.Set(nil)
		sleep(time.Hour)
		if len(p.Verdicts()) != 0 || w.story() != "down down down" {
			t.Errorf("%v, %s", p.Verdicts(), w.story())
		}
	})
}

// TestSetWhileProbing: the result of what is gone is nobody's.
func TestSetWhileProbing(t *testing.T) {
	w := newWorld(func(int, netip.AddrPort) behavior { return hangs })
	probes := targets(t, 5)
	inBubble(t, health.Config{Every: time.Second, Down: 1, Limit: 1}, nil, w, func(p *health.Prober) {
		p.Set(probes)
		sleep(1500 * time.Millisecond) // one is probed, the others wait
		p.Set(nil)
		sleep(time.Minute)
		probed := 0
		for _, probe := range probes {
			probed += len(w.begun(probe))
		}
		if w.story() != "" || probed != 1 {
			t.Errorf("%s, %d probes", w.story(), probed)
		}
	})
}

// TestLimit: no more than some probes run at once, and servers that hang do not keep the others from being probed.
func TestLimit(t *testing.T) {
	probes := targets(t, 1000)
	alive := func(to netip.AddrPort) bool { return to.Addr().As4()[3]%2 == 0 }
	w := newWorld(func(_ int, to netip.AddrPort) behavior {
		if alive(to) {
			return answers
		}
		return hangs
	})
	inBubble(t, health.Config{Limit: 50}, nil, w, func(p *health.Prober) {
		p.Set(probes)
		sleep(15 * time.Minute)
		for probe, v := range p.Verdicts() {
			want := health.Down
			if alive(probe.Addr) {
				want = health.Up
			}
			if v.State != want {
				t.Fatalf("%v is %v", probe, v)
			}
		}
		before := time.Now()
		sleep(time.Minute)
		for _, probe := range probes {
			at := slices.DeleteFunc(w.begun(probe), before.After)
			for i := range at {
				if i > 0 && alive(probe.Addr) && at[i].Sub(at[i-1]) != 10*time.Second {
					t.Fatalf("%v is probed %v after the last time", probe, at[i].Sub(at[i-1]))
				}
			}
			if alive := alive(probe.Addr); alive && len(at) != 6 || !alive && len(at) == 0 {
				t.Fatalf("%v, which is alive: %v, is probed %d times a minute", probe, alive, len(at))
			}
		}
	})
	if w.most != 50 {
		t.Errorf("%d probes at once", w.most)
	}
}

// TestLimitOfDown: what is down is probed, too, while many others hang that are not down yet.
func TestLimitOfDown(t *testing.T) {
	probes, known := targets(t, 500), make(verdicts)
	w := newWorld(func(int, netip.AddrPort) behavior { return hangs })
	for _, probe := range probes[:10] {
		at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // where the clock of a bubble starts
		known[probe] = health.Verdict{State: health.Down, Since: at, Probed: at}
	}
	inBubble(t, health.Config{Limit: 10, Down: 100}, known, w, func(p *health.Prober) {
		p.Set(probes)
		sleep(time.Minute)
		for _, probe := range probes[:10] {
			if n := len(w.begun(probe)); n < 3 {
				t.Errorf("%v is probed %d times a minute", probe, n)
			}
		}
	})
}

// TestOvertaken: a failure says nothing if a later probe has succeeded already.
func TestOvertaken(t *testing.T) {
	w := newWorld(func(n int, _ netip.AddrPort) behavior { return []behavior{answers, hangs}[n%2] })
	inBubble(t, health.Config{Down: 2}, nil, w, func(p *health.Prober) {
		p.Set(targets(t, 1))
		sleep(time.Hour)
		if got := w.story(); got != "up" {
			t.Errorf("%q", got)
		}
	})
}

// TestLongTimeout: where a probe takes longer than an interval, a server gets no more at once than take it down.
func TestLongTimeout(t *testing.T) {
	w := newWorld(func(int, netip.AddrPort) behavior { return hangs })
	inBubble(t, health.Config{Every: time.Second, Timeout: 10 * time.Second}, nil, w, func(p *health.Prober) {
		p.Set(targets(t, 1))
		sleep(time.Minute)
	})
	if w.story() != "down" || w.most != 3 {
		t.Errorf("%q, %d probes at once", w.story(), w.most)
	}
}

// TestLimitIsOurs: who is not probed for want of a turn does not get down, and is unknown after ten intervals.
func TestLimitIsOurs(t *testing.T) {
	probes := targets(t, 60)
	known := make(verdicts)
	w := newWorld(func(int, netip.AddrPort) behavior { return hangs })
	synctest.Test(t, func(t *testing.T) {
		for _, probe := range probes {
			known[probe] = health.Verdict{State: health.Up, Since: time.Now(), Probed: time.Now()}
		}
	})
	inBubble(t, health.Config{Limit: 1, Every: time.Second, Down: 5}, known, w, func(p *health.Prober) {
		p.Set(probes)
		sleep(15 * time.Second)
		unknown := 0
		for probe, v := range p.Verdicts() {
			if len(w.begun(probe)) == 0 && v.State == health.Unknown {
				unknown++
			} else if v.State == health.Down {
				t.Errorf("%v is down after %d probes", probe, len(w.begun(probe)))
			}
		}
		if unknown < 50 {
			t.Errorf("%d are unknown", unknown)
		}
	})
}

// TestKnown: verdicts from before hold for ten intervals, and those that nobody asked for yet are handed on.
func TestKnown(t *testing.T) {
	probes := targets(t, 4)
	w := newWorld(func(int, netip.AddrPort) behavior { return exhausted })
	synctest.Test(t, func(t *testing.T) { // its clock starts where that of inBubble does
		now := time.Now()
		known := verdicts{
			probes[0]: {State: health.Down, Since: now.Add(-time.Hour), Probed: now.Add(-40 * time.Second), Why: "refused"},
			probes[1]: {State: health.Down, Since: now.Add(-time.Hour), Probed: now.Add(-101 * time.Second), Why: "refused"},
			probes[2]: {State: health.Up, Since: now, Probed: now.Add(2 * time.Second)},
			probes[3]: {State: health.Up, Since: now, Probed: now.Add(time.Hour)},
		}
		p := health.New(health.Config{Dial: w.dial}, known, w)
		ctx, cancel := context.WithCancel(t.Context())
		go p.Run(ctx)
		p.Set(probes[:2])
		if v := p.Verdict(probes[0]); v != known[probes[0]] {
			t.Errorf("%+v, want %+v", v, known[probes[0]])
		}
		if v := p.Verdict(probes[1]); v != (health.Verdict{}) {
			t.Errorf("%+v of what is too old", v)
		}
		if got, want := p.Snapshot(), (verdicts{
			probes[0]: known[probes[0]], probes[2]: known[probes[2]],
		}); !maps.Equal(got, want) {
			t.Errorf("handed on: %v, want %v", got, want)
		}
		sleep(65 * time.Second)
		p.Set(probes)
		if a, b := p.Verdict(probes[0]).State, p.Verdict(probes[2]).State; a != health.Down || b != health.Up {
			t.Errorf("%v and %v after 105 and 63 s", a, b)
		}
		sleep(6 * time.Second)
		if v := p.Verdict(probes[0]); v.State != health.Unknown || v.Why != "no probe for ten intervals" {
			t.Errorf("%+v, want unknown", v)
		}
		if got := w.story(); got != "unknown" {
			t.Errorf("%q", got)
		}
		cancel()
		synctest.Wait()
	})
}

// TestLog: a line for a change, none for a probe, and no thousand.
func TestLog(t *testing.T) {
	var server atomic.Int64
	w := newWorld(func(int, netip.AddrPort) behavior { return behavior(server.Load()) })
	inBubble(t, health.Config{}, nil, w, func(p *health.Prober) {
		p.Set(targets(t, 1))
		sleep(time.Minute)
		server.Store(int64(refuses))
		sleep(time.Minute)
		server.Store(int64(exhausted))
		sleep(30 * time.Second)
		server.Store(int64(answers))
		sleep(time.Minute)
		server.Store(int64(exhausted))
		sleep(3 * time.Minute)
	})
	want := []string{
		"warning: 192.0.0.0:25 (tcp) is down: refused",
		"warning: 192.0.0.0:25 (tcp) and maybe others cannot be probed: too many open files",
		"info: 192.0.0.0:25 (tcp) is up",
		"warning: 192.0.0.0:25 (tcp) is unknown: no probe for ten intervals",
	}
	if !slices.Equal(w.log, want) {
		t.Errorf("%s\nwant:\n%s", strings.Join(w.log, "\n"), strings.Join(want, "\n"))
	}

	w = newWorld(func(int, netip.AddrPort) behavior { return refuses })
	inBubble(t, health.Config{}, nil, w, func(p *health.Prober) {
		p.Set(targets(t, 1000))
		sleep(time.Minute)
	})
	lines, more := 0, 0
	for _, l := range w.log {
		if n := 0; strings.Contains(l, "more") {
			fmt.Sscanf(l, "warning: %d more verdicts have changed in the last 10s", &n)
			more += n
		} else {
			lines++
		}
	}
	if lines+more != 1000 || lines > 200 || len(w.changes) != 1000 {
		t.Errorf("%d lines of changes, and %d more, of %d", lines, more, len(w.changes))
	}
}

// TestLogReach: that the addresses of a family have no route is one line, and so is that they have one again.
func TestLogReach(t *testing.T) {
	var cut, dead atomic.Bool
	w := newWorld(func(_ int, to netip.AddrPort) behavior {
		switch {
		case to.Addr().Is6() || cut.Load():
			return unroutable
		case dead.Load():
			return refuses
		}
		return answers
	})
	both := []health.Probe{
		definition.NewProbe(netip.MustParseAddrPort("[2001:db8::1]:25"), check(t, "tcp"), ""),
		definition.NewProbe(netip.MustParseAddrPort("[2001:db8::2]:25"), check(t, "tcp"), ""),
	}
	both = append(both, targets(t, 100)...)
	inBubble(t, health.Config{}, nil, w, func(p *health.Prober) {
		p.Set(both[1:])
		for _, c := range []bool{false, true, false} {
			cut.Store(c)
			sleep(5 * time.Minute)
		}
		p.Set(both) // one more without a route
		sleep(5 * time.Minute)
		cut.Store(true)
		sleep(5 * time.Minute)
		p.Set(both[2:3])
		dead.Store(true)
		cut.Store(false)
		sleep(5 * time.Minute)
	})
	want := []string{
		`warning: \[2001:db8::2\]:25 \(tcp\) and maybe others are unreachable from here: network is unreachable`,
		`warning: 192\.0\.0\.\d+:25 \(tcp\) and maybe others are unreachable from here: network is unreachable`,
		`info: 192\.0\.0\.\d+:25 \(tcp\) and maybe others can be reached again`,
		`warning: 192\.0\.0\.\d+:25 \(tcp\) and maybe others are unreachable from here: network is unreachable`,
		`warning: 192\.0\.0\.0:25 \(tcp\) is down: refused`,
	}
	if !slices.EqualFunc(w.log, want, func(l, pattern string) bool { return regexp.MustCompile("^" + pattern + "$").MatchString(l) }) {
		t.Errorf("%s\nwant:\n%s", strings.Join(w.log, "\n"), strings.Join(want, "\n"))
	}
}

// TestProbed: results are counted, also those that change nothing.
func TestProbed(t *testing.T) {
	w := newWorld(func(n int, _ netip.AddrPort) behavior {
		return []behavior{answers, unroutable, refuses, exhausted}[n%4]
	})
	inBubble(t, health.Config{Every: time.Minute, Down: 100}, nil, w, func(p *health.Prober) {
		p.Set(targets(t, 1))
		sleep(time.Hour)
	})
	want := []string{"failure refused", "no route network is unreachable", "success", "undecided too many open files"}
	if got := slices.Sorted(maps.Keys(w.results)); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestStateFile: verdicts are in the file soon after they change, at the end, and anew while they last.
func TestStateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	w := newWorld(func(_ int, to netip.AddrPort) behavior {
		return []behavior{answers, refuses}[to.Addr().AsSlice()[3]%2] // the IPv6 one does not say hello
	})
	probes := append(targets(t, 2), definition.NewProbe(
		netip.MustParseAddrPort("[2001:db8::1]:443"), check(t, "https /h 200 insecure"), "www.example.org."))
	var last verdicts
	read := func() verdicts {
		got, err := health.ReadState(path)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	inBubble(t, health.Config{State: path}, nil, w, func(p *health.Prober) {
		if got := read(); len(got) != 0 {
			t.Fatalf("%v without a file", got)
		}
		p.Set(probes)
		sleep(40 * time.Second)
		if got := read(); len(got) != 3 || got[probes[0]].State != health.Up || got[probes[1]].State != health.Down {
			t.Errorf("%v", got)
		}
		sleep(2 * time.Minute)
		for probe, v := range read() {
			if age := time.Since(v.Probed); age > 60*time.Second {
				t.Errorf("%v is %v old", probe, age)
			}
		}
		last = p.Verdicts()
	})
	got := read()
	for probe, v := range last {
		if g := got[probe]; g.State != v.State || !g.Since.Equal(v.Since) || !g.Probed.Equal(v.Probed) || g.Why != v.Why {
			t.Errorf("%v: %+v, want %+v", probe, g, v)
		}
	}
}

// TestStateFileUnreachable: what is unreachable is so after a restart, at once, and before there is a probe.
func TestStateFileUnreachable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	w := newWorld(func(int, netip.AddrPort) behavior { return unroutable })
	one := targets(t, 1)
	inBubble(t, health.Config{State: path}, nil, w, func(p *health.Prober) {
		p.Set(one)
		sleep(5 * time.Minute)
	})
	known, err := health.ReadState(path)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Minute + 5*time.Minute)
		p := health.New(health.Config{}, known, w)
		p.Set(one)
		if v := p.Verdict(one[0]); v.State != health.Unreachable || v.Why != "network is unreachable" || time.Since(v.Probed) > 2*time.Minute {
			t.Errorf("%+v", v)
		}
	})
}

// TestStateFileLink: the file is replaced, and not a link to it.
func TestStateFileLink(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "state"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(path, []byte(heading), 0o600), os.Symlink("state", link)); err != nil {
		t.Fatal(err)
	}
	w := newWorld(func(int, netip.AddrPort) behavior { return answers })
	inBubble(t, health.Config{State: link}, nil, w, func(p *health.Prober) {
		p.Set(targets(t, 1))
		sleep(time.Minute)
	})
	if to, err := os.Readlink(link); to != "state" || err != nil {
		t.Errorf("the link is to %q, %v", to, err)
	}
	if got, err := health.ReadState(path); len(got) != 1 || err != nil {
		t.Errorf("%v, %v in the file", got, err)
	}
}

// TestStateFileCannotBeWritten: that is logged once.
func TestStateFileCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nowhere", "state")
	w := newWorld(func(int, netip.AddrPort) behavior { return answers })
	inBubble(t, health.Config{State: path}, nil, w, func(p *health.Prober) {
		p.Set(targets(t, 1))
		sleep(time.Hour)
	})
	if len(w.log) != 1 || !strings.HasPrefix(w.log[0], "error: verdicts of checks cannot be saved: open "+path) {
		t.Errorf("%q", w.log)
	}
}

const (
	heading = "# mxsrv health 2\n"
	times   = "up\t2026-11-26T04:00:00Z\t2026-11-26T04:00:01.5Z\t"
)

var stateTests = []struct{ text, err string }{
	{heading, ""},
	{heading + times + "192.0.2.1:25\t-\tsmtp starttls\t\n", ""},
	{"# mxsrv health 1\n" + times + "192.0.2.1:25\t-\ttcp\t\n", ""},
	{heading + "unreachable" + times[2:] + "[2001:db8::1]:25\t-\ttcp\tnetwork is unreachable\n", ""},
	{heading + "down" + times[2:] + "[2001:db8::1]:443\twww.example.org.\thttps / 200 insecure\tstatus 503\n", ""},
	{"", ":1: the file is empty: delete the file to start anew"},
	{"# mxsrv health 3\nup\n", `:1: version "3" of the format: this mxsrv reads up to 2: ` +
		`start the one that wrote the file, or a newer one, or delete the file to start anew`},
	{"\x00\x01", `:1: "\x00\x01": write "# mxsrv health 2", or delete the file to start anew`},
	{heading + "up\n", `:2: "up": 1 fields instead of 7: delete the file to start anew`},
	{heading + "unknown\ta\tb\tc\td\te\tf\n", `:2: "unknown" is neither up, down nor unreachable: delete the file to start anew`},
	{heading + "up\ta\tb\tc\td\te\tf\n", `:2: parsing time "a" as "2006-01-02T15:04:05.999999999Z07:00": ` +
		`cannot parse "a" as "2006": delete the file to start anew`},
	{heading + times + "192.0.2.1\t-\ttcp\t\n", `:2: not an ip:port: delete the file to start anew`},
	{heading + times + "192.0.2.1:1\ta..b.\ttcp\t\n",
		`:2: "a..b." has an empty label: write one dot between labels: delete the file to start anew`},
	{heading + times + "192.0.2.1:1\t-\tldap\t\n",
		`:2: unknown word "ldap": write one of tcp, tls, smtp, http, https: delete the file to start anew`},
}

// TestReadState: what is no file of verdicts is said to be none, and nothing of it is taken.
func TestReadState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	for _, tc := range stateTests {
		if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
			t.Fatal(err)
		}
		verdicts, err := health.ReadState(path)
		switch {
		case tc.err == "" && (err != nil || len(verdicts) != strings.Count(tc.text, "\n")-1):
			t.Errorf("%q: %v, %v", tc.text, verdicts, err)
		case tc.err != "" && (err == nil || err.Error() != path+tc.err || verdicts != nil):
			t.Errorf("%q: %v, %v\nwant %s", tc.text, verdicts, err, tc.err)
		}
	}
	if err := os.Truncate(path, 64<<20+1); err != nil {
		t.Fatal(err)
	}
	if _, err := health.ReadState(path); err == nil || !strings.HasSuffix(err.Error(), "of which a file may have at most 67108864") {
		t.Errorf("a large file: %v", err)
	}
	if _, err := health.ReadState(t.TempDir()); err == nil {
		t.Error("a directory is a file of verdicts")
	}
}

// FuzzReadState: any file is read or refused.
func FuzzReadState(f *testing.F) {
	for _, tc := range stateTests {
		f.Add(tc.text)
	}
	path := filepath.Join(f.TempDir(), "state")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if verdicts, err := health.ReadState(path); err != nil && verdicts != nil {
			t.Errorf("%v, %v", verdicts, err)
		}
	})
}

// TestRealServers: over a real network, a server that is closed gets down, and up when it listens again.
func TestRealServers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.MustParseAddrPort(l.Addr().String())
	states := make(chan health.State, 10)
	p := health.New(health.Config{Every: 20 * time.Millisecond, Timeout: time.Minute}, nil, observer{states})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx) })
	defer running.Wait()
	defer cancel()
	p.Set([]health.Probe{definition.NewProbe(addr, check(t, "tcp"), "")})
	if s := <-states; s != health.Up {
		t.Errorf("%v at first", s)
	}
	l.Close()
	if s := <-states; s != health.Down {
		t.Errorf("%v when it is closed", s)
	}
	if l, err = net.Listen("tcp", addr.String()); err != nil {
		t.Skip(err) // somebody else has the port
	}
	defer l.Close()
	if s := <-states; s != health.Up {
		t.Errorf("%v when it listens again", s)
	}
}

// An observer sends the states of changes.
type observer struct{ states chan<- health.State }

func (observer) Info(string)                        {}
func (observer) Warning(string)                     {}
func (observer) Error(string)                       {}
func (observer) Probed(health.Probe, health.Result) {}
func (o observer) Changed(changes []health.Change) {
	for _, c := range changes {
		o.states <- c.State
	}
}
