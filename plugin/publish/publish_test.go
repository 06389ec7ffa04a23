package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// late is a source that delivers something later.
type late struct{ next chan *change.Content }

func (late) String() string { return "late" }

func (late) Load() *change.Content { return nil }

func (l late) Run(ctx context.Context, deliver func(*change.Content)) {
	for {
		select {
		case <-ctx.Done():
			return
		case c := <-l.next:
			deliver(c)
		}
	}
}

// expect compares lists of lines.
func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const unknownHots = `unknown word "hots": write host [syntax]`

// TestLoad: what is counted, logged and told by the first load, good or bad.
func TestLoad(t *testing.T) {
	for _, tc := range []struct{ name, corefile, text, want string }{
		{"nothing", "mxsrv {\n}", "#", ""},
		{"definitions", "mxsrv {\n host a 192.0.2.1\n}", "mail @ 10 a", ""},
		{"a mistake in the Corefile", "mxsrv {\n hots a 192.0.2.1\n}", "#", `Corefile:2: error: unknown word "hots"`},
		{"a mistake in the other source", "mxsrv {\n}", "#\nhots", `0.conf:2: error: unknown word "hots"`},
		{"a contradiction of both", "mxsrv {\n mail @ none\n}", "host a 192.0.2.1\nmail @ 10 a",
			"Corefile:2: error: mail domain example.org. has none, and exchanges at 0.conf:2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, log, _ := publisherOf(t, tc.corefile, t.Name(), [2]string{tc.text, "#"})
			err := p.Load()
			result := fmt.Sprint(err)
			if (err != nil) != (tc.want != "") || !strings.HasPrefix(strings.TrimPrefix(result, "<nil>"), tc.want) {
				t.Fatalf("%v\nwant %s", err, tc.want)
			}
			expect(t, "loads", log.loads, "Corefile: "+result, "edited: "+result)
			expect(t, "errors in the log, which are returned", log.errors)
			if served := p.Table() != nil; served != (err == nil) || p.Status().Failed == served {
				t.Errorf("served %v, failed %v", served, p.Status().Failed)
			}
		})
	}
}

// TestLate: until the last source has delivered nothing is served, but mistakes in what
// is known are errors.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := late{make(chan *change.Content)}
		wrong, _ := newPublisher(t, configOf("mxsrv {\n hots\n}", t.Name(), l))
		if err := wrong.Load(); err == nil || !strings.HasPrefix(err.Error(), `Corefile:2: error: unknown word "hots"`) {
			t.Errorf("%v while a source is late, want the mistake in the other", err)
		}
		p, log := newPublisher(t, configOf("mxsrv {\n mail @ 10 a\n}", t.Name(), l))
		if err := p.Load(); err != nil {
			t.Fatal(err)
		}
		_ = p.SetPlugins(lint.Plugins{})
		p.Follow()
		defer p.Stop()
		synctest.Wait()
		deliver := func(text string) {
			e := edited{reader: newReader("example.org.")}
			l.next <- e.content([2]string{text, "#"})
			synctest.Wait()
		}
		if p.Table() != nil || !p.Status().Loaded.IsZero() || len(log.loads) > 0 {
			t.Fatalf("served before everything is known: %+v, loads %q", p.Status(), log.loads)
		}
		deliver("hots")
		if p.Table() != nil || !p.Status().Failed {
			t.Errorf("a mistake is served: %+v", p.Status())
		}
		expect(t, "errors", log.errors,
			"0.conf:1: error: "+unknownHots,
			"late: rejected: nothing is served yet")
		deliver("host a 192.0.2.1")
		if s := p.Status(); p.Table() == nil || s.Failed || !s.Loaded.Equal(time.Now()) || s.Total != 2 {
			t.Errorf("%+v once everything is known", s)
		}
		expect(t, "log", log.infos, "Corefile:1: nothing is served yet: late has not delivered", "late: loaded, serving 2 names in 1 zone, in 0s")
		if len(log.loads) != 2 || log.loads[1] != "late: <nil>" {
			t.Errorf("loads %q, want one that failed and one of late", log.loads)
		}
	})
}

// TestStartLog: what is logged of the first load, once it is followed, and of a file that two stanzas name.
func TestStartLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := directory{t, t.TempDir()}
		d.write("a.conf host a 192.0.2.1\nmail example.com. 10 a.example.org.", "b.conf mail b none")
		k := &keys{zones: []definition.Name{"example.org."}, revision: 7, fragments: map[string]change.Fragment{
			"1": {Key: "1", Text: "host k 192.0.2.2", Created: 1}, "2": {Key: "2", Text: "hots", Created: 2}}}
		p, log := d.publisher("mxsrv {\n file DIR/a.conf\n}\nmxsrv example.com {\n file DIR/*.conf\n}", nil, k)
		if err := p.Load(); err != nil {
			t.Fatal(err)
		}
		expect(t, "before it is followed", append(log.infos, log.warnings...))
		p.Follow()
		defer p.Stop()
		expect(t, "log", d.lines(log.infos...), "file a.conf: read 1 file", "file *.conf: read 2 files",
			"keys: read 2 fragments at revision 7, of which 1 excluded",
			"Corefile:1: loaded 5 names in 2 zones from Corefile, file a.conf, file *.conf, keys in 0s")
		expectRules(t, log.warnings, "mail-single-host")

		d.write("a.conf hots")
		again, _ := d.publisher("mxsrv {\n file DIR/a.conf\n}\nmxsrv example.com {\n file DIR/*.conf\n}", nil)
		expect(t, "error", d.lines(fmt.Sprint(again.Load())), "a.conf:1: error: "+unknownHots)
	})
}

// TestChanges: what is logged and counted of each change, and what is served then.
func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "mxsrv example.org example.com {\n host stay 192.0.2.1\n}", [2]string{"#", "#"})
		first := s.Status().Loaded
		still := fmt.Sprintf("edited: rejected: the definitions loaded at %s are still served", first.Format(time.DateTime))
		const mistake = "1.conf:1: error: " + unknownHots
		for _, step := range []struct {
			name, text   string
			infos        []string
			errors       []string
			load         string
			total, hosts int
		}{
			{"a mistake", "hots", nil, []string{mistake, still}, mistake, 2, 1},
			{"the same again", "hots #", nil, []string{mistake, still}, mistake, 2, 1},
			{"corrected", "host a 192.0.2.2\n", []string{"edited: loaded, serving 4 names in 2 zones, in 0s"}, nil, "<nil>", 4, 2},
			{"another", "host a 192.0.2.2\nhost b 192.0.2.3 2001:db8::3", []string{"edited: patched 2 names, serving 6 names in 2 zones, in 0s"}, nil, "<nil>", 6, 3},
			{"gone", "#", []string{"edited: patched 4 names, serving 2 names in 2 zones, in 0s"}, nil, "<nil>", 2, 1},
		} {
			time.Sleep(time.Hour)
			s.edit(t, [2]string{"#", step.text})
			expect(t, step.name+": infos", s.log.infos, step.infos...)
			expect(t, step.name+": errors", s.log.errors, step.errors...)
			expect(t, step.name+": loads", s.log.loads, "edited: "+step.load)
			status, failed := s.Status(), step.load != "<nil>"
			if status.Failed != failed || failed && !status.Loaded.Equal(first) || !failed && !status.Loaded.Equal(time.Now()) {
				t.Errorf("%s: failed %v, loaded %v", step.name, status.Failed, status.Loaded)
			}
			if hosts := status.Names[Kind{"example.com.", "host"}]; status.Total != step.total || hosts != step.hosts {
				t.Errorf("%s: %d names, %d hosts in a zone, want %d, %d", step.name, status.Total, hosts, step.total, step.hosts)
			}
		}
	})
}

// TestCounts: a name counts once for each kind, in its zone.
func TestCounts(t *testing.T) {
	p, _ := loaded(t, "mxsrv example.org sub.example.org {\n host mx 192.0.2.1 2001:db8::1\n}\n"+
		"mxsrv example.org {\n mail @ 10 mx {\n srv\n}\n mail mx 10 mx\n alias www mx\n service _ldap._tcp.sub 0 0 389 mx\n record @ mx TXT a\n record mx CAA 0 issue b\n}")
	want := map[Kind]int{
		{"example.org.", "host"}: 1, {"example.org.", "mail"}: 2, {"example.org.", "service"}: 1, {"example.org.", "alias"}: 1,
		{"example.org.", "record"}: 2, {"sub.example.org.", "record"}: 0,
		{"sub.example.org.", "host"}: 1, {"sub.example.org.", "mail"}: 0, {"sub.example.org.", "service"}: 1, {"sub.example.org.", "alias"}: 0,
	}
	if s := p.Status(); !maps.Equal(s.Names, want) || s.Total != 6 {
		t.Errorf("%d names: %v\nwant 6: %v", s.Total, s.Names, want)
	}
}

// TestChanged: the zones with another serial are told, those alone, and all when
// following begins.
func TestChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const authoritative = "mxsrv a.example {\n authoritative {\n ns ns.example.net.\n }\n}\n" +
			"mxsrv b.example {\n authoritative {\n ns ns.example.net.\n }\n}\nmxsrv c.example {\n}"
		s := newStage(t, authoritative, [2]string{"#", "#"})
		zones := []string{"a.example.", "b.example."}
		expect(t, "at the start, by Load and by Follow", s.log.changed, slices.Concat(zones, zones)...)
		for _, step := range []struct {
			text string
			want []string
		}{
			{"mail x.a.example. none", []string{"a.example."}},
			{"mail x.a.example. none\nmail x.c.example. none", nil},
			{"mail x.a.example. none\nmail x.c.example. none # so", nil},
			{"mail x.b.example. none", []string{"a.example.", "b.example."}},
		} {
			s.edit(t, [2]string{step.text, "#"})
			expect(t, step.text, s.log.changed, step.want...)
		}
	})
}

// expectRules compares the rules of findings.
func expectRules(t *testing.T, findings []string, want ...string) {
	t.Helper()
	var rules []string
	for _, f := range findings {
		rule, _, _ := strings.Cut(f[strings.LastIndex(f, "[")+1:len(f)-1], ",")
		rules = append(rules, rule)
	}
	expect(t, "rules", rules, want...)
}

// TestWarnings: those of a load are logged once it is followed, some of which are about other plugins;
// those of a change are logged with it, by a patch only those about what has changed.
func TestWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "mxsrv {\n host a 192.0.2.1\n mail @ 10 a\n}", [2]string{"#", "#"}, "minimal")
		expectRules(t, s.log.warnings, "mail-single-host", "minimal-strips-glue")
		s.edit(t, [2]string{"mail b 10 a", "#"}) // a patch
		expectRules(t, s.log.warnings, "mail-single-host")
		if !strings.HasPrefix(s.log.warnings[0], "0.conf:1: ") {
			t.Errorf("a patch warns of %q, want what it is about", s.log.warnings)
		}
		s.edit(t, [2]string{"ttl 5", "#"}) // a load
		expectRules(t, s.log.warnings, "minimal-strips-glue", "mail-single-host")
	})
}

// TestExcluded: which fragments are excluded is logged and counted, each once.
func TestExcluded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, log, k := followFragments(t, "mxsrv {\n host a 192.0.2.1\n}")
		edit := func(edits ...change.Edit) {
			*log = recorder{}
			k.edit(edits...)
		}
		edit(put("1", "hots b"))
		expect(t, "unread", log.errors, "excluded: etcd:1:1: error: "+unknownHots)
		if s := p.Status(); log.excluded != 1 || s.Fragments != 1 || s.Excluded != 1 || s.Failed {
			t.Errorf("%d counted, status %+v, want 1 of 1", log.excluded, s)
		}
		edit(put("1", "mail b 10 a"))
		expect(t, "corrected", log.infos, "keys: patched 1 name, serving 2 names in 1 zone, in 0s")
		edit(put("2", "mail b none"))
		expect(t, "a contradiction", log.errors, "excluded: etcd:2:1: error: b.example.org. belongs to etcd:1:1, which is older: "+
			"delete it here or there [fragment-younger]")
		if log.excluded != 1 {
			t.Errorf("%d counted, want the younger", log.excluded)
		}
		edit(put("3", "host c 192.0.2.3"))
		if len(log.errors) != 0 || log.excluded != 0 || p.Status().Excluded != 1 {
			t.Errorf("%q, %d counted, want nothing of what is excluded already", log.errors, log.excluded)
		}
		edit(change.Edit{Fragment: change.Fragment{Key: "1"}, Gone: true})
		expect(t, "the elder has gone", log.infos,
			"etcd:2: b.example.org. is not excluded any more", "keys: patched 1 name, serving 3 names in 1 zone, in 0s")
		var many []change.Edit
		for i := range maxFindings + 5 {
			many = append(many, put(fmt.Sprintf("m%02d", i), "mail b 10 a"))
		}
		edit(many...)
		n := len(log.errors)
		expect(t, "the last of many", log.errors[n-1:], "excluded: 5 names more like this [fragment-younger]")
		if n != maxFindings+1 || log.excluded != maxFindings+5 {
			t.Errorf("%d counted, and %d lines in the log:\n%s", log.excluded, n, strings.Join(log.errors, "\n"))
		}
	})
}

// TestRejectedAgain: while fragments come and go, errors in other definitions are logged
// once, and not with each of them.
func TestRejectedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &edited{reader: newReader("example.org."), texts: [2]string{"#", "#"}, next: make(chan [2]string)}
		k := &keys{fragments: map[string]change.Fragment{}, revision: 1, next: make(chan *change.Content)}
		c := configOf("mxsrv {\n}", t.Name(), e, k)
		c.Fragments, k.zones = true, c.Zones
		p, log := newPublisher(t, c)
		if err := p.Load(); err != nil {
			t.Fatal(err)
		}
		p.Follow()
		defer p.Stop()
		synctest.Wait()
		e.next <- [2]string{"hots", "#"}
		synctest.Wait()
		for i := range 3 {
			k.edit(put(fmt.Sprint(i), fmt.Sprintf("mail m%d none", i)))
		}
		rejections := len(log.errors) - len(log.findings())
		if findings := log.findings(); len(findings) != 1 || rejections != 4 {
			t.Errorf("%d rejections, with the errors %q, want 4 with one", rejections, findings)
		}
		if s := p.Status(); !s.Failed || s.Fragments != 3 {
			t.Errorf("%+v, want that it has failed, with 3 fragments", s)
		}
		e.next <- [2]string{"#", "#"}
		synctest.Wait()
		if _, a := p.Table().Lookup("m2.example.org.", dns.TypeMX); p.Status().Failed || len(a.RRs) != 1 {
			t.Errorf("%v, %+v after the correction", a.RRs, p.Status())
		}
	})
}

// TestUnsavedSerials: if the file of serials cannot be written, changes are served all the same, the log has why, once,
// and it is written when it can be.
func TestUnsavedSerials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgetSerials()
		dir := filepath.Join(t.TempDir(), "dir")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		e := &edited{reader: newReader("example.org."), texts: [2]string{"#", "#"}, next: make(chan [2]string)}
		corefile := "mxsrv {\n authoritative {\n ns ns.example.net.\n }\n serials " + dir + "/serials\n}"
		p, log := newPublisher(t, configOf(corefile, t.Name(), e))
		if err := p.Load(); err != nil {
			t.Fatal(err)
		}
		p.Follow()
		defer p.Stop()
		synctest.Wait()
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		log.errors = nil
		for i, text := range []string{"mail @ none", "ttl 5\nmail @ none"} { // a patch, a load
			log.changed = nil
			e.next <- [2]string{text, "#"}
			time.Sleep(2 * syncAfter)
			synctest.Wait()
			if s := p.Status(); s.Failed || s.Total != 1 || !slices.Contains(log.changed, "example.org.") {
				t.Errorf("change %d: %+v, %q", i, s, log.changed)
			}
			all := strings.Join(log.errors, "\n")
			if len(log.errors) != 1 || !strings.HasPrefix(all, "Corefile:5: serials: ") ||
				!strings.HasSuffix(all, ": serials may fall at the next start") {
				t.Errorf("errors\n%s\nwant one of the file", all)
			}
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * retryAfter)
		text, err := os.ReadFile(dir + "/serials")
		if want := fmt.Sprintf("example.org. %d ", serialOf(t, p, "example.org.")); !strings.Contains(string(text), want) {
			t.Errorf("the file has %q, %v; want %q", text, err, want)
		}
	})
}

// TestStop: what comes after is not published, and no goroutine stays, or the bubble would
// not end.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, log, e := publisherOf(t, "mxsrv {\n}", t.Name(), [2]string{"#", "#"})
		p.Stop() // before it follows
		if err := p.Load(); err != nil {
			t.Fatal(err)
		}
		p.Follow()
		p.Stop()
		*log = recorder{}
		select {
		case e.next <- [2]string{"mail @ none", "#"}:
			t.Error("a change is taken after the end")
		case <-time.After(time.Hour):
		}
		expect(t, "log", log.infos)
	})
}

// TestProgress: a load that takes long is logged now and then, with what it is doing.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log []string
		p := Progress{Log: func(text string) { log = append(log, text) }}
		p.Doing("")
		p.Doing("reading a")
		time.Sleep(longLoad - time.Second)
		p.Doing("")
		p.Doing("reading b")
		time.Sleep(time.Second)
		p.Doing("checking b")
		time.Sleep(2*longLoad - time.Second)
		synctest.Wait()
		p.Doing("")
		time.Sleep(time.Hour)
		expect(t, "log", log, "still checking b, 3s after the start", "still checking b, 6s after the start")
	})
}

// TestSerialsError: the place is named, and what to write there unless the mistake is in
// the file.
func TestSerialsError(t *testing.T) {
	p := &Publisher{config: configOf("mxsrv {\n serials /x\n}", t.Name())}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{errors.New("/x:1: wrong"), "Corefile:2: serials: /x:1: wrong"},
		{&os.PathError{Op: "open", Path: "/x", Err: os.ErrPermission}, "Corefile:2: serials: open /x: permission denied: " +
			"write the path of a file in a directory that CoreDNS may write to"},
	} {
		if got := p.serialsError(tc.err); got.Error() != tc.want {
			t.Errorf("%v\nwant %s", got, tc.want)
		}
	}
	if err := p.serialsError(nil); err != nil {
		t.Errorf("%v, want none", err)
	}
}
