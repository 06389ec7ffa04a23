package publish

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// An oracle is a prober that knows verdicts by the last octet of an IPv4 address.
type oracle struct {
	knows   map[byte]health.State
	set     []definition.Probe
	running atomic.Int32
	runs    int
}

func (o *oracle) Set(probes []definition.Probe) { o.set = probes }

func (o *oracle) Verdict(p definition.Probe) health.Verdict {
	return health.Verdict{State: o.knows[last(p)]}
}

func (o *oracle) Run(ctx context.Context) {
	o.runs++
	o.running.Add(1)
	<-ctx.Done()
	o.running.Add(-1)
}

func last(p definition.Probe) byte { a := p.Addr.Addr().AsSlice(); return a[len(a)-1] }

// probed returns what an oracle is to probe, as last octets.
func (o *oracle) probed() string {
	var all []string
	for _, p := range o.set {
		all = append(all, fmt.Sprint(last(p)))
	}
	return strings.Join(all, " ")
}

// checkedBy returns a source of a mail domain and services that are checked.
func checkedBy(t *testing.T, text string) source.Source {
	t.Helper()
	set, errs := definition.Read("checked", text, definition.Zones{"example.org."})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for i := range set.Mails {
		set.Mails[i].Check = &definition.Check{Protocol: definition.CheckSMTP}
	}
	for i := range set.Services {
		set.Services[i].Check = &definition.Check{Protocol: definition.CheckTCP}
	}
	return source.Static("checked", set, nil)
}

// A ward is a publisher of hosts in texts that are edited, and of checks, with an oracle. It needs a bubble of synctest.
type ward struct {
	*Publisher
	*oracle
	log    *recorder
	edited *edited
	made   int // oracles
}

func newWard(t *testing.T, hosts, checked string) *ward {
	t.Helper()
	forgetSerials()
	w := &ward{edited: &edited{texts: [2]string{hosts, "#"}, next: make(chan [2]string)}}
	c := configOf("mxsrv example.org {\n authoritative {\n ns ns.example.net.\n }\n}", "checked "+t.Name(),
		w.edited, checkedBy(t, checked))
	w.edited.reader = definition.NewReader(c.Zones)
	w.oracle = &oracle{knows: make(map[byte]health.State)}
	c.Prober = func() Prober {
		w.made++
		w.oracle = &oracle{knows: w.knows}
		return w.oracle
	}
	w.Publisher, w.log = newPublisher(t, c)
	return w
}

// follow loads, and follows until the test ends.
func (w *ward) follow(t *testing.T) {
	t.Helper()
	if err := w.Load(); err != nil {
		t.Fatal(err)
	}
	w.Follow()
	t.Cleanup(w.Stop)
	synctest.Wait()
}

// exchanges returns what a mail domain is answered with.
func (w *ward) exchanges() string {
	_, a := w.Table().Lookup("example.org.", dns.TypeMX)
	var all []string
	for _, rr := range a.RRs {
		all = append(all, strings.TrimSuffix(rr.(*dns.MX).Mx, ".example.org."))
	}
	return strings.Join(all, " ")
}

// decide changes verdicts, and tells the publisher of them.
func (w *ward) decide(verdicts map[byte]health.State) {
	var changed []definition.Probe
	for _, p := range w.set {
		if s, ok := verdicts[last(p)]; ok {
			w.knows[last(p)] = s
			changed = append(changed, p)
		}
	}
	w.VerdictsChanged(changed...)
	synctest.Wait()
}

const pair = "host a 192.0.2.1\nhost b 192.0.2.2"

// TestVerdicts: verdicts are served as they change, and no serial moves by them.
func TestVerdicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, pair, "mail @ 10 a b")
		w.follow(t)
		serial := serialOf(t, w.Publisher, "example.org.")
		notified := len(w.log.changed)
		for _, step := range []struct {
			verdicts map[byte]health.State
			want     string
		}{
			{nil, "a b"},
			{map[byte]health.State{1: health.Down}, "a b"},
			{map[byte]health.State{2: health.Up}, "b"},
			{map[byte]health.State{2: health.Down}, "a b"},
			{map[byte]health.State{1: health.Up}, "a"},
			{map[byte]health.State{1: health.Unknown}, "a b"},
			{map[byte]health.State{1: health.Up}, "a"},
			{map[byte]health.State{1: health.Unreachable}, "a b"},
		} {
			w.decide(step.verdicts)
			if got := w.exchanges(); got != step.want {
				t.Errorf("after %v: %s, want %s", step.verdicts, got, step.want)
			}
		}
		if now := serialOf(t, w.Publisher, "example.org."); now != serial || len(w.log.changed) != notified {
			t.Errorf("serial %d, was %d; notified of %v", now, serial, w.log.changed[notified:])
		}
	})
}

// TestUnreachable: a target is down at its other addresses alone, if one cannot be reached from here.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, "host a 192.0.2.1 2001:db8::9\nhost b 192.0.2.2", "mail @ 10 a b")
		w.follow(t)
		for _, step := range []struct {
			verdicts map[byte]health.State
			want     string
		}{
			{map[byte]health.State{1: health.Down, 2: health.Up}, "a b"},
			{map[byte]health.State{9: health.Unreachable}, "b"},
			{map[byte]health.State{1: health.Unreachable}, "a b"},
			{map[byte]health.State{9: health.Down}, "b"},
			{map[byte]health.State{1: health.Up}, "a b"},
			{map[byte]health.State{1: health.Unreachable, 2: health.Unreachable}, "a b"},
		} {
			w.decide(step.verdicts)
			if got := w.exchanges(); got != step.want {
				t.Errorf("after %v: %s, want %s", step.verdicts, got, step.want)
			}
		}
	})
}

// TestProbesFollow: what is probed follows patches and full loads, and verdicts outlast both. A verdict that is known of
// a new probe counts at once.
func TestProbesFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, pair, "mail @ 10 a b")
		w.follow(t)
		w.decide(map[byte]health.State{1: health.Down, 2: health.Up})
		w.knows[9] = health.Down
		for _, step := range []struct {
			texts        [2]string
			patched      bool
			probed, want string
		}{
			{[2]string{pair, "host x 192.0.2.7"}, true, "1 2", "b"},
			{[2]string{"host a 192.0.2.8\nhost b 192.0.2.2", "#"}, true, "2 8", "a b"},
			{[2]string{"host a 192.0.2.9\nhost b 192.0.2.2", "#"}, true, "2 9", "b"},
			{[2]string{"host a 192.0.2.1\nhost b 192.0.2.2", "#"}, true, "1 2", "b"},
			{[2]string{"ttl 60\nhost a 192.0.2.1\nhost b 192.0.2.2", "#"}, false, "1 2", "b"},
			{[2]string{"ttl 60\nhost b 192.0.2.2", "host a 192.0.2.3"}, true, "2 3", "a b"},
		} {
			w.edited.next <- step.texts
			synctest.Wait()
			if got := w.probed(); got != step.probed || w.exchanges() != step.want || (w.Table().Patched() != nil) != step.patched {
				t.Errorf("%q: %s are probed, want %s; answered %s, want %s; patched %v", step.texts, got, step.probed,
					w.exchanges(), step.want, w.Table().Patched())
			}
		}
		if w.runs != 1 || w.made != 2 {
			t.Errorf("%d probers, the last has run %d times", w.made, w.runs)
		}
	})
}

// TestProbesRun: the first table has verdicts from before. Probes run only from Follow on, with what is known then, and
// end with Stop.
func TestProbesRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, pair, "mail @ 10 a b")
		w.knows[1], w.knows[2] = health.Down, health.Up
		if err := w.Load(); err != nil {
			t.Fatal(err)
		}
		if w.exchanges() != "b" || w.made != 1 || w.runs != 0 {
			t.Errorf("loaded: %s, %d probers, %d running", w.exchanges(), w.made, w.runs)
		}
		w.knows = map[byte]health.State{1: health.Up, 2: health.Down} // as the one before came to know
		w.Follow()
		synctest.Wait()
		if w.exchanges() != "a" || w.made != 2 || w.running.Load() != 1 {
			t.Errorf("followed: %s, %d probers, %d running", w.exchanges(), w.made, w.running.Load())
		}
		w.Stop()
		if n := w.running.Load(); n != 0 {
			t.Errorf("stopped: %d running", n)
		}
	})
}

// TestNoProber: without checks there is none; with the first one there is, and it runs.
func TestNoProber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWard(t, "host a 127.0.0.1\nhost b ::1", "mail @ 10 a b") // where nothing is probed
		w.follow(t)
		if w.made != 0 {
			t.Fatalf("%d probers, want none", w.made)
		}
		w.edited.next <- [2]string{pair, "#"}
		synctest.Wait()
		if w.made != 1 || w.running.Load() != 1 || w.probed() != "1 2" {
			t.Errorf("%d probers, %d running, %s are probed", w.made, w.running.Load(), w.probed())
		}
	})
}

// TestMayProbe: which addresses are probed, by where they are declared, and which are logged not to be.
func TestMayProbe(t *testing.T) {
	const file = "host a 192.0.2.1 {\nopen\n}\nhost here 127.0.0.1 ::1\nhost link 169.254.169.254 fe80::1\nhost many 224.0.0.1 ff02::1\n"
	for _, tc := range []struct{ networks, want, logged string }{
		{"", "192.0.2.1 192.0.2.9", "127.0.0.1 169.254.169.254 192.0.2.2 192.0.2.3 224.0.0.1"},
		{"192.0.2.0/24", "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.9", "127.0.0.1 169.254.169.254 224.0.0.1"},
		{"192.0.2.3/32 127.0.0.0/8 fe80::/10", "127.0.0.1 192.0.2.1 192.0.2.3 192.0.2.9 fe80::1", "169.254.169.254 192.0.2.2 224.0.0.1 ::1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			forgetSerials()
			k := &keys{zones: definition.Zones{"example.org."}, fragments: map[string]change.Fragment{}, next: make(chan *change.Content)}
			c := configOf("mxsrv example.org {\n host own 192.0.2.9\n}", "probes "+t.Name(), k,
				checkedBy(t, file+"service _s._tcp 0 0 1 a b own here link many out.example.net."))
			c.Fragments = true
			for word := range strings.FieldsSeq(tc.networks) {
				c.ProbeNetworks = append(c.ProbeNetworks, netip.MustParsePrefix(word))
			}
			o := new(oracle)
			c.Prober = func() Prober { return o }
			p, log := newPublisher(t, c)
			if err := p.Load(); err != nil {
				t.Fatal(err)
			}
			p.Follow()
			defer p.Stop()
			synctest.Wait()
			k.edit(put("a", "host a 192.0.2.2"), put("b", "host b 192.0.2.3"), put("c", "host own 192.0.2.4"))
			got := make(map[string]bool)
			for _, probe := range o.set {
				got[probe.Addr.Addr().String()] = true
			}
			if got := strings.Join(slices.Sorted(maps.Keys(got)), " "); got != tc.want {
				t.Errorf("inside %q: %s are probed, want %s", tc.networks, got, tc.want)
			}
			clear(got)
			for _, m := range regexp.MustCompile(`address (\S+) is not probed`).FindAllStringSubmatch(strings.Join(log.warnings, "\n"), -1) {
				got[m[1]] = true
			}
			if got := strings.Join(slices.Sorted(maps.Keys(got)), " "); got != tc.logged {
				t.Errorf("inside %q: %s are logged not to be probed, want %s", tc.networks, got, tc.logged)
			}
		})
	}
}
