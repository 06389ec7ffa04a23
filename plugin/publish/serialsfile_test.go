package publish

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/serial"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// readEntries reads a file of serials.
func readEntries(t *testing.T, path string) map[fileKey]entry {
	t.Helper()
	f := &serialsFile{path: path, entries: make(map[fileKey]entry)}
	if err := f.read(); err != nil {
		t.Fatal(err)
	}
	return f.entries
}

// TestSerialsFileVersions: all forms that were ever written are read.
func TestSerialsFileVersions(t *testing.T) {
	digest := func(s string) table.Digest {
		d, err := table.ParseDigest(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	org, net := digest("8bd13116e6e497e46089ac781de8a23c"), digest("383372f90303d5d3f1cf7c29191f74e7")
	other := digest("8842be574cb495cbe14d94477af2a745")
	for name, want := range map[string]map[fileKey]entry{
		"serials-1": {
			{"", "example.org."}: {serial: 3_000_000_007, content: org, served: true},
			{"", "example.net."}: {serial: 3_000_000_007, content: net, served: true},
		},
		"serials-2": {
			{"", "example.net."}:                      {serial: 3_000_000_007, content: net, served: true},
			{"dns://127.0.0.1:53", "example.org."}:    {"dns://127.0.0.1:53", 3_000_000_009, org, true, false},
			{"dns://127.0.0.1:53 #2", "example.org."}: {"dns://127.0.0.1:53 #2", 1_795_655_393, other, true, false},
		},
	} {
		if got := readEntries(t, filepath.Join("testdata", name)); !maps.Equal(got, want) {
			t.Errorf("%s: %v\nwant %v", name, got, want)
		}
	}
}

const authoritative = "mxsrv {\n authoritative {\n ns ns1.example.net.\n }\n %s\n}"

// TestSerialsAfterCrash: what a process noted is read after its end, however that came. What a machine or a full disk
// may have lost makes serials rise.
func TestSerialsAfterCrash(t *testing.T) {
	const keep, rise = "keep", "rise"
	for _, tc := range []struct {
		name, want string
		edit       func(text string) string
	}{
		{"the process has ended", keep, func(s string) string { return strings.Replace(s, stateOpen+"  ", stateClosed, 1) }},
		{"the process has crashed", keep, func(s string) string { return s }},
		{"it has while it appended", keep, func(s string) string { return s + "# view the server\nexample.org. 39" }},
		{"the machine was shut down", keep, func(s string) string {
			return strings.Replace(strings.Replace(s, boot(), strings.Repeat("f", 36), 1), stateOpen+"  ", stateClosed, 1)
		}},
		{"the machine has crashed", rise, func(s string) string {
			return strings.Replace(s, boot(), strings.Repeat("f", 36), 1)
		}},
		{"the disk was full", rise, func(s string) string { return strings.Replace(s, stateOpen+"  ", stateBehind, 1) }},
		{"the machine does not say since when it runs", rise, func(s string) string {
			return strings.Replace(s, boot(), fmt.Sprintf("%-36s", "-"), 1)
		}},
		{"version 1", keep, func(s string) string { return s[strings.LastIndex(strings.TrimSpace(s), "\n")+1:] }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "serials")
			synctest.Test(t, func(t *testing.T) {
				start := func() (*Publisher, uint32) {
					forgetSerials()
					p, _ := loaded(t, fmt.Sprintf(authoritative, "serials "+path))
					return p, serialOf(t, p, "example.org.")
				}
				_, before := start()
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(tc.edit(string(text))), 0o600); err != nil {
					t.Fatal(err)
				}
				_, after := start()
				if tc.want == keep && after != before || tc.want == rise && !serial.Newer(after, before+mostLost) {
					t.Errorf("serial %d after %d, want it to %s", after, before, tc.want)
				}
				if _, again := start(); again != after {
					t.Errorf("serial %d after another start, want %d", again, after)
				}
				time.Sleep(syncAfter)
			})
		})
	}
}

// TestSerialsPutBack: without the word serials the process knows them all the same, and the file gets them when the
// word is there again.
func TestSerialsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgetSerials()
		path := filepath.Join(t.TempDir(), "serials")
		last, content := uint32(0), ""
		reload := func(word, definitions string) {
			t.Helper()
			p, _ := loaded(t, fmt.Sprintf(authoritative, word+"\n "+definitions))
			p.Follow()
			synctest.Wait()
			p.Stop()
			got := serialOf(t, p, "example.org.")
			if changed := definitions != content; changed != serial.Newer(got, last) || !changed && got != last {
				t.Errorf("%q with %q: serial %d after %d", definitions, word, got, last)
			}
			last, content = got, definitions
		}
		reload("serials "+path, "host a 192.0.2.1")
		reload("", "host a 192.0.2.1")
		reload("", "host a 192.0.2.2")
		reload("", "host a 192.0.2.1")
		reload("serials "+path, "host a 192.0.2.1")
		reload("serials "+path, "host a 192.0.2.2")
		forgetSerials() // a restart
		reload("serials "+path, "host a 192.0.2.2")
		forgetSerials() // a restart without the file, which is put back in the process
		time.Sleep(time.Hour)
		reload("", "host a 192.0.2.1")
		reload("serials "+path, "host a 192.0.2.1")
		reload("serials "+path, "host a 192.0.2.2")
	})
}

// TestSerialsOfViews: several contents of a zone have serials of their own, also in one file; a view by a new name goes
// on from what was served.
func TestSerialsOfViews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgetSerials()
		path := filepath.Join(t.TempDir(), "serials")
		start := func(view, addr string) uint32 {
			t.Helper()
			p, _ := newPublisher(t, configOf(fmt.Sprintf(authoritative, "serials "+path+"\n host a "+addr), view))
			if err := p.Load(); err != nil {
				t.Fatal(err)
			}
			p.Follow()
			synctest.Wait()
			t.Cleanup(p.Stop)
			return serialOf(t, p, "example.org.")
		}
		one, two := start("dns://:53", "192.0.2.1"), start("dns://:53 #2", "192.0.2.2")
		for range 3 {
			time.Sleep(time.Hour)
			forgetSerials()
			if a, b := start("dns://:53", "192.0.2.1"), start("dns://:53 #2", "192.0.2.2"); a != one || b != two {
				t.Errorf("serials %d and %d after a restart, want %d and %d", a, b, one, two)
			}
		}
		if renamed := start("dns://:1053", "192.0.2.2"); renamed != two {
			t.Errorf("serial %d of a view that listens elsewhere, want %d", renamed, two)
		}
		if changed := start("dns://:53 #2", "192.0.2.1"); !serial.Newer(changed, two) {
			t.Errorf("serial %d after %d of a view that now has what another has", changed, two)
		}
	})
}

// TestSerialsWithRevisionsOfViews: at the first start each view has the serial of the revision.
func TestSerialsWithRevisionsOfViews(t *testing.T) {
	l := newLedger()
	for i, view := range []string{"dns://:53", "dns://:53 #2"} {
		if e := l.next(view, "example.org.", table.Digest{uint64(i)}, 7); e.serial != 3_000_000_007 {
			t.Errorf("%s: serial %d, want that of revision 7", view, e.serial)
		}
	}
}

// TestSerialsFileGrows: the file is written anew when much was appended, and has all that was noted meanwhile.
func TestSerialsFileGrows(t *testing.T) {
	forgetSerials()
	path := filepath.Join(t.TempDir(), "serials")
	f, err := openSerials(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.follow(func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	var writing sync.WaitGroup
	want := make(map[fileKey]entry)
	for v := range 3 {
		view := fmt.Sprint("view ", v)
		for zone := range 4 {
			name := definition.Name(fmt.Sprintf("z%d.", zone))
			want[fileKey{view, name}] = entry{
				view: view, serial: 2000 + uint32(v), content: table.Digest{uint64(zone)}, served: true}
		}
		writing.Go(func() {
			for n := range uint32(2000) {
				noted := make(map[definition.Name]entry)
				for zone := range 4 {
					name := definition.Name(fmt.Sprintf("z%d.", zone))
					noted[name] = entry{view: view, serial: n + uint32(v) + 1, content: table.Digest{uint64(zone)}}
				}
				if err := f.note(noted); err != nil {
					t.Error(err)
				}
			}
		})
	}
	noted := make(chan bool)
	go func() { writing.Wait(); close(noted) }()
	for done := false; !done; {
		f.flush()
		select {
		case <-noted:
			done = true
		default:
		}
	}
	if got := readEntries(t, path); !maps.Equal(got, want) {
		t.Errorf("%d entries %v\nwant %d %v", len(got), got, len(want), want)
	}
	f.flush()
	if err := f.unfollow(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if lines := strings.Count(string(text), "\n"); err != nil || lines > 3*rewriteAfter {
		t.Errorf("%d lines, %v", lines, err)
	}
	if !strings.HasPrefix(string(text), heading(stateClosed)) {
		t.Errorf("it starts %q", text[:80])
	}
	if got := readEntries(t, path); !maps.Equal(got, want) {
		t.Errorf("%d entries %v\nwant %d %v", len(got), got, len(want), want)
	}
}

// TestSerialsUnasked: where nobody has asked for the file, it is no error that there can be none, and the log has it.
func TestSerialsUnasked(t *testing.T) {
	for _, path := range []string{"nosuch/serials", "."} {
		forgetSerials()
		c := configOf(fmt.Sprintf(authoritative, "serials "+filepath.Join(t.TempDir(), path)), t.Name())
		c.Unasked = true
		p, log := newPublisher(t, c)
		if err := p.Load(); err != nil || len(log.errors) != 1 {
			t.Errorf("%s: %v, logged %q, want one line", path, err, log.errors)
		}
	}
}

// TestSerialsFileDeleted: a file that somebody deletes is written again.
func TestSerialsFileDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgetSerials()
		path := filepath.Join(t.TempDir(), "serials")
		p, log, e := publisherOf(t, fmt.Sprintf(authoritative, "serials "+path), t.Name(), [2]string{"#", "#"})
		if err := p.Load(); err != nil {
			t.Fatal(err)
		}
		p.Follow()
		synctest.Wait()
		for _, text := range []string{"host a 192.0.2.1", "host a 192.0.2.2"} {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			e.next <- [2]string{text, "#"}
			time.Sleep(2 * syncAfter)
			if got := readEntries(t, path)[fileKey{t.Name(), "example.org."}].serial; got != serialOf(t, p, "example.org.") {
				t.Errorf("the file has serial %d, %d is served", got, serialOf(t, p, "example.org."))
			}
		}
		p.Stop()
		if len(log.errors) > 0 {
			t.Errorf("errors %q", log.errors)
		}
	})
}

// TestSerialsFileSyncedLater: a sync that was due while nobody followed is done once somebody does.
func TestSerialsFileSyncedLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgetSerials()
		path := filepath.Join(t.TempDir(), "serials")
		p, log, _ := publisherOf(t, fmt.Sprintf(authoritative, "serials "+path), "the server", [2]string{"#", "#"})
		if err := p.Load(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * syncAfter)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		p.Follow()
		defer p.Stop()
		time.Sleep(2 * syncAfter) // what is synced is written again if it is gone
		if got := readEntries(t, path)[fileKey{"the server", "example.org."}].serial; got != serialOf(t, p, "example.org.") {
			t.Errorf("the file has serial %d, %d is served, errors %q", got, serialOf(t, p, "example.org."), log.errors)
		}
	})
}

// TestSerialsFileForgets: the file, which lasts as long as the process, keeps nobody in memory who has followed.
func TestSerialsFileForgets(t *testing.T) {
	forgetSerials()
	f, err := openSerials(filepath.Join(t.TempDir(), "serials"))
	if err != nil {
		t.Fatal(err)
	}
	follow := func() weak.Pointer[recorder] {
		log := new(recorder)
		if err := f.follow(func(err error) { log.Error(err.Error()) }); err != nil {
			t.Fatal(err)
		}
		return weak.Make(log)
	}
	follower := follow()
	if err := f.unfollow(); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	if follower.Value() != nil {
		t.Error("what was reported to is still in memory")
	}
	runtime.KeepAlive(f)
}

// FuzzSerialsFile: no text is read in another way than what is written of it.
func FuzzSerialsFile(f *testing.F) {
	for _, name := range []string{"serials-1", "serials-2"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(heading(stateOpen) + "# view a\nexample.org. 1 00112233445566778899aabbccddeeff\nexample.org. 2 0011")
	path := filepath.Join(f.TempDir(), "serials")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s := &serialsFile{path: path, entries: make(map[fileKey]entry)}
		if s.read() != nil {
			return
		}
		if err := os.WriteFile(path, append([]byte(heading(stateClosed)), encode(s.entries)...), 0o600); err != nil {
			t.Fatal(err)
		}
		again := readEntries(t, path)
		for k, e := range s.entries {
			e.uncertain = false
			s.entries[k] = e
		}
		if !maps.Equal(again, s.entries) {
			t.Errorf("%v\nis read back as %v", s.entries, again)
		}
	})
}
