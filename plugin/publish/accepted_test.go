package publish

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// A directory has definitions files, and is DIR in Corefiles. It needs a bubble of synctest, whose clock files have.
type directory struct {
	*testing.T
	path string
}

// write writes files, each "NAME TEXT", or removes those without a text. A text of / is a directory.
func (d directory) write(files ...string) {
	d.Helper()
	for _, f := range files {
		name, text, written := strings.Cut(f, " ")
		path := filepath.Join(d.path, name)
		err := os.RemoveAll(path)
		switch {
		case text == "/":
			err = os.Mkdir(path, 0o700)
		case written:
			if err = os.WriteFile(path, []byte(text), 0o600); err == nil {
				err = os.Chtimes(path, time.Now(), time.Now())
			}
		}
		if err != nil {
			d.Fatal(err)
		}
	}
	time.Sleep(10 * time.Second) // longer than a change takes
	synctest.Wait()
}

// publisher returns the publisher of a Corefile, which may go on with what another one serves.
func (d directory) publisher(corefile string, before []*Publisher, more ...source.Source) (*Publisher, *recorder) {
	c := configOf(strings.ReplaceAll(corefile, "DIR", d.path), d.Name(), more...)
	c.Accepted = func() (all []*Accepted) {
		for _, p := range before {
			all = append(all, p.Accepted())
		}
		return all
	}
	return newPublisher(d.T, c)
}

// lines returns lines with paths relative to the directory.
func (d directory) lines(texts ...string) []string {
	return strings.Split(strings.ReplaceAll(strings.Join(texts, "\n"), d.path+"/", ""), "\n")
}

// serving returns the names that a publisher serves.
func serving(p *Publisher) string {
	var names []string
	for _, name := range []definition.Name{"a", "b", "c", "fixed", "new"} {
		for zone := range p.zones {
			if p.Table().HasRecords(name + "." + zone) {
				names = append(names, string(name))
			}
		}
	}
	return strings.Join(names, " ")
}

// TestRestore: while a file has a mistake, a reload serves a changed Corefile with what was accepted of its files, and
// says so; once the file is corrected, that is served.
func TestRestore(t *testing.T) {
	const oops = `error: unknown word "oops"`
	for _, tc := range []struct {
		name      string
		files     []string // at the start
		later     []string // what becomes of them, one after the other
		was, is   string   // the mxsrv stanzas, before and after the reload
		want      string   // what is served then
		logs      string   // the error
		corrected string   // what is served once m.conf is corrected
	}{
		{"a mistake", []string{"m.conf mail a none"}, []string{"m.conf oops"},
			"mxsrv {\n file DIR/m.conf\n}", "mxsrv {\n mail new none\n file DIR/m.conf\n}",
			"a new", "m.conf:1: " + oops, "fixed new"},
		{"a file that nobody follows", []string{"m.conf mail a none"}, []string{"m.conf oops"},
			"mxsrv {\n file DIR/m.conf\n reload 0\n}", "mxsrv {\n mail new none\n file DIR/m.conf\n reload 0\n}",
			"a new", "m.conf:1: " + oops, "a new"},
		{"a file that is empty", []string{"m.conf mail a none"}, []string{"m.conf "},
			"mxsrv {\n file DIR/m.conf\n}", "mxsrv {\n mail new none\n file DIR/m.conf\n}",
			"a new", "Corefile:3: error: m.conf is empty", "fixed new"},
		{"a file that cannot be read", []string{"m.conf mail a none"}, []string{"m.conf /"},
			"mxsrv {\n file DIR/m.conf\n}", "mxsrv {\n mail new none\n file DIR/m.conf\n}",
			"a new", "Corefile:3: error: m.conf is a directory", "fixed new"},
		{"a file that is gone", []string{"m.conf mail a none"}, []string{"m.conf"},
			"mxsrv {\n file DIR/m.conf\n}", "mxsrv {\n mail new none\n file DIR/m.conf\n}",
			"a new", "Corefile:3: error: m.conf: no such file", "fixed new"},
		{"of several files all are as they were", []string{"m.conf mail a none", "n.conf mail b none"}, []string{"m.conf oops", "n.conf mail c none"},
			"mxsrv {\n file DIR/m.conf DIR/n.conf\n}", "mxsrv {\n mail new none\n file DIR/m.conf DIR/n.conf\n}",
			"a b new", "m.conf:1: " + oops, "c fixed new"},
		{"of two stanzas too", []string{"m.conf mail a none", "n.conf mail b none"}, []string{"m.conf oops", "n.conf mail c none"},
			"mxsrv {\n file DIR/m.conf\n}\nmxsrv {\n file DIR/n.conf\n}", "mxsrv {\n mail new none\n file DIR/m.conf\n}\nmxsrv {\n file DIR/n.conf\n}",
			"a b new", "m.conf:1: " + oops, "c fixed new"},
		{"a pattern, of which some come and some go", []string{"m.conf mail a none", "n.conf mail b none"}, []string{"m.conf oops", "n.conf", "o.conf mail c none"},
			"mxsrv {\n file DIR/*.conf\n}", "mxsrv {\n mail new none\n file DIR/*.conf\n}",
			"a b new", "m.conf:1: " + oops, "c fixed new"},
		{"a pattern with a new file", []string{"n.conf mail a none"}, []string{"m.conf oops"},
			"mxsrv {\n file DIR/*.conf\n}", "mxsrv {\n mail new none\n file DIR/*.conf\n}",
			"a new", "m.conf:1: " + oops, "a fixed new"},
		{"a pattern that matches nothing", []string{"m.conf mail a none"}, []string{"m.conf"},
			"mxsrv {\n file DIR/*.conf\n}", "mxsrv {\n mail new none\n file DIR/*.conf\n}",
			"a new", "Corefile:3: error: *.conf matches no file", "fixed new"},
		{"another file in the Corefile", []string{"m.conf mail a none", "n.conf mail b none"}, []string{"m.conf oops"},
			"mxsrv {\n file DIR/m.conf\n}", "mxsrv {\n file DIR/m.conf DIR/n.conf\n}",
			"a b", "m.conf:1: " + oops, "b fixed"},
		{"a file instead of a pattern", []string{"m.conf mail a none", "n.conf mail b none"}, []string{"m.conf oops"},
			"mxsrv {\n file DIR/*.conf\n}", "mxsrv {\n mail new none\n file DIR/m.conf\n}",
			"a new", "m.conf:1: " + oops, "fixed new"},
		{"another pattern", []string{"m.conf mail a none"}, []string{"m.conf oops", "n.conf mail b none"},
			"mxsrv {\n file DIR/m.*\n}", "mxsrv {\n mail new none\n file DIR/*.conf\n}",
			"a b new", "m.conf:1: " + oops, "b fixed new"},
		{"another zone that relative names are in", []string{"m.conf mail a none"}, []string{"m.conf oops"},
			"mxsrv {\n file DIR/m.conf\n}", "mxsrv example.com {\n file DIR/m.conf\n}",
			"a", "m.conf:1: " + oops, "fixed"},
		{"two files for one path", []string{"m.conf mail a none"}, []string{"m.conf oops"},
			"mxsrv {\n file DIR/*.conf\n}", "mxsrv {\n mail new none\n file DIR/m.conf DIR/*.conf\n}",
			"a new", "m.conf:1: " + oops, "fixed new"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := directory{t, t.TempDir()}
				d.write(tc.files...)
				running, _ := d.publisher(tc.was, nil)
				if err := running.Load(); err != nil {
					t.Fatal(err)
				}
				running.Follow()
				defer running.Stop()
				for _, f := range tc.later {
					d.write(f)
				}
				if first, _ := d.publisher(tc.is, nil); first.Load() == nil {
					t.Error("it is no error at a first start")
				}
				p, log := d.publisher(tc.is, []*Publisher{running})
				if err := p.Load(); err != nil {
					t.Fatal(d.lines(err.Error()))
				}
				expect(t, "logged before it serves", append(log.errors, log.infos...))
				p.Follow()
				defer p.Stop()
				if got := serving(p); got != tc.want || !p.Status().Failed {
					t.Errorf("serving %q, failed %v, want %q and yes", got, p.Status().Failed, tc.want)
				}
				errs := d.lines(log.errors...)
				if !strings.HasPrefix(errs[0], tc.logs) || !strings.HasSuffix(errs[len(errs)-1], ": rejected: what was loaded before is still served") {
					t.Errorf("errors\n%s\nwant\n%s", strings.Join(errs, "\n"), tc.logs)
				}
				if loads := strings.Join(log.loads, "\n"); !strings.HasPrefix(loads, "Corefile: <nil>\nfile ") || strings.Count(loads, "<nil>") != 1 {
					t.Errorf("counted\n%s\nwant the Corefile as good, and its files as not", loads)
				}
				d.write("m.conf mail fixed none")
				if got, followed := serving(p), tc.corrected != tc.want; got != tc.corrected || p.Status().Failed == followed {
					t.Errorf("corrected: serving %q, failed %v, want %q\n%s", got, p.Status().Failed, tc.corrected, strings.Join(log.errors, "\n"))
				}
			})
		})
	}
}

// TestRestoreFails: what was accepted of files is not served where it cannot be, and then a reload fails for what is
// wrong now.
func TestRestoreFails(t *testing.T) {
	const oops = `m.conf:1: error: unknown word "oops"`
	for _, tc := range []struct {
		name     string
		later    string // what becomes of m.conf, which declares a mail domain
		is       string // the stanzas after the reload
		late     bool   // and a source that has not delivered yet
		want     []string
		accepted string
	}{
		{"a mistake in the Corefile", "oops", "mxsrv {\n hots\n file DIR/m.conf\n}", false, []string{oops, "Corefile:2: error: unknown word"}, "a"},
		{"only in the Corefile", "mail b none", "mxsrv {\n hots\n file DIR/m.conf\n}", false, []string{"Corefile:2: error: unknown word"}, "b"},
		{"a contradiction of what is accepted", "mail b none", "mxsrv {\n mail b 10 x.example.net.\n file DIR/m.conf\n}", false,
			[]string{"m.conf:1: error: mail domain b.example.org. has none, and exchanges at Corefile:2"}, "b"},
		{"a contradiction of what was accepted", "oops", "mxsrv {\n mail a 10 x.example.net.\n file DIR/m.conf\n}", false, []string{oops}, "a"},
		{"other zones", "oops", "mxsrv example.com {\n file DIR/m.conf\n}", false, []string{oops}, "a"},
		{"another file", "mail b none", "mxsrv {\n file DIR/m.conf DIR/n.conf\n}", false, []string{"Corefile:2: error: n.conf: no such file"}, "b"},
		{"a source that is late", "oops", "mxsrv {\n file DIR/m.conf\n}", true, []string{oops}, "a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := directory{t, t.TempDir()}
				d.write("m.conf mail a.example.org. none")
				running, _ := d.publisher("mxsrv {\n file DIR/m.conf\n}", nil)
				if err := running.Load(); err != nil {
					t.Fatal(err)
				}
				running.Follow()
				defer running.Stop()
				d.write("m.conf " + tc.later)
				var more []source.Source
				if tc.late {
					more = append(more, late{})
				}
				p, log := d.publisher(tc.is, []*Publisher{running}, more...)
				errs := d.lines(fmt.Sprint(p.Load()))
				if !slices.EqualFunc(errs, tc.want, strings.HasPrefix) {
					t.Errorf("%s\nwant\n%s", strings.Join(errs, "\n"), strings.Join(tc.want, "\n"))
				}
				if p.Table() != nil || !p.Status().Failed && !tc.late || len(log.errors) > 0 {
					t.Errorf("serving %v, failed %v, logged %q", p.Table() != nil, p.Status().Failed, log.errors)
				}
				if got := serving(running); got != tc.accepted {
					t.Errorf("the running one serves %q, want %q", got, tc.accepted)
				}
			})
		})
	}
}

// TestRestoreOfBlocks: of server blocks that have accepted different content of a file each goes on with its own, and
// loads that once more by itself.
func TestRestoreOfBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := directory{t, t.TempDir()}
		d.write("m.conf mail a none")
		stanzas := []string{"mxsrv example.org {\n file DIR/m.conf\n}", "mxsrv example.com {\n mail c 10 x.example.net.\n file DIR/m.conf\n}"}
		var running []*Publisher
		for _, stanza := range stanzas {
			p, _ := d.publisher(stanza, nil)
			if err := p.Load(); err != nil {
				t.Fatal(err)
			}
			p.Follow()
			defer p.Stop()
			running = append(running, p)
		}
		d.write("m.conf mail c none")
		d.write("m.conf oops")
		for i, want := range []string{"c", "a c"} {
			for _, before := range [][]*Publisher{running, {running[1], running[0]}} {
				p, _ := d.publisher(stanzas[i], before)
				for range 2 {
					if err := p.Load(); err != nil || serving(p) != want {
						t.Errorf("block %d: %v, serving %q, want %q", i, err, serving(p), want)
					}
					p.config.Accepted = nil
				}
			}
		}
	})
}
