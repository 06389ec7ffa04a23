package publish

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/serial"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// TestSerials: a change makes the serial the time or one more, nothing makes it
// fall, and without a change it stays.
func TestSerials(t *testing.T) {
	for _, kept := range []bool{false, true} {
		t.Run(fmt.Sprintf("file %v", kept), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { keepSerials(t, kept) })
		})
	}
}

func keepSerials(t *testing.T, kept bool) {
	const block = "mxsrv {\n authoritative {\n ns ns1.example.net.\n }\n %s\n %s\n}"
	path := filepath.Join(t.TempDir(), "serials")
	keep := ""
	if kept {
		keep = "serials " + path
	}
	forgetSerials()
	serial := func(definitions string) uint32 {
		t.Helper()
		p, _ := loaded(t, fmt.Sprintf(block, keep, definitions))
		return serialOf(t, p, "example.org.")
	}
	now := func() uint32 { return uint32(time.Now().Unix()) }

	first := serial("host a 192.0.2.1\nhost b 192.0.2.2")
	if first != now() {
		t.Errorf("the first serial is %d, want the time, %d", first, now())
	}
	time.Sleep(time.Hour)
	if same := serial("host b 192.0.2.2\nhost a 192.0.2.1"); same != first {
		t.Errorf("%d after a reload that changed nothing, want %d", same, first)
	}
	second := serial("host a 192.0.2.3")
	if second != now() {
		t.Errorf("%d after a change, want the time, %d", second, now())
	}
	third := serial("host a 192.0.2.4")
	if third != second+1 {
		t.Errorf("%d after another within a second, want %d", third, second+1)
	}

	forgetSerials() // a restart
	if !kept {
		if again := serial("host a 192.0.2.4"); again != now() {
			t.Errorf("%d after a restart, want the time, %d", again, now())
		}
		return
	}
	if again := serial("host a 192.0.2.4"); again != third {
		t.Errorf("%d after a restart, want %d as before", again, third)
	}
	forgetSerials() // with a clock that was set back
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	later := third + 5000
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), fmt.Sprint(third), fmt.Sprint(later), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if next := serial("host a 192.0.2.5"); next != later+1 {
		t.Errorf("%d by a clock that was set back, want %d", next, later+1)
	}
}

// TestSerialsOfRevisions: with a revision a new content has the serial of that, and no content has a serial that
// another one had.
func TestSerialsOfRevisions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger()
		for _, step := range []struct {
			name     string
			content  uint64
			revision int64
			want     uint32
		}{
			{"without a revision", 1, 0, uint32(time.Now().Unix())},
			{"the first revision, with the same content", 1, 6, uint32(time.Now().Unix())},
			{"another content", 2, 7, 3_000_000_007},
			{"another Corefile at the same revision", 3, 7, 3_000_000_008},
			{"the next revision, which has that serial", 4, 8, 3_000_000_009},
			{"the same content at the next", 4, 9, 3_000_000_009},
			{"the same content later", 4, 20, 3_000_000_009},
			{"another one later", 5, 30, 3_000_000_030},
			{"revisions that start again", 6, 2, 3_000_000_031},
			{"and the same content again", 6, 3, 3_000_000_031},
			{"no revision any more", 7, 0, 3_000_000_032},
		} {
			if got := l.next("view", "example.org.", table.Digest{step.content}, step.revision); got.serial != step.want {
				t.Errorf("%s: %d, want %d", step.name, got.serial, step.want)
			}
		}
	})
}

// TestSerialsOfLate: what a source has delivered late was served too, and its serial is not used again by a view of
// another name with another content at the same revision.
func TestSerialsOfLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgetSerials()
		at7 := func(text string) *change.Content {
			return &change.Content{Zones: definition.Zones{"example.org."}, Revision: 7,
				Edits: []change.Edit{{Fragment: change.Fragment{Key: "a", Text: text, Created: 1}}}}
		}
		start := func(view, text string) uint32 {
			t.Helper()
			l := late{make(chan *change.Content)}
			p, _ := newPublisher(t, configOf(fmt.Sprintf(authoritative, ""), view, l))
			if err := p.Load(); err != nil {
				t.Fatal(err)
			}
			p.Follow()
			l.next <- at7(text)
			synctest.Wait()
			p.Stop()
			return serialOf(t, p, "example.org.")
		}
		before := start("dns://:53", "host a 192.0.2.1")
		if want := serial.OfRevision(7); before != want {
			t.Errorf("serial %d at the first start, want that of revision 7, %d", before, want)
		}
		if after := start("dns://:1053", "host a 192.0.2.2"); !serial.Newer(after, before) {
			t.Errorf("serial %d after %d of another content was served", after, before)
		}
	})
}

func TestSerialsFile(t *testing.T) {
	dir := t.TempDir()
	const newer = "this mxsrv reads up to 2: start the one that wrote the file, or a newer one, " +
		"or delete the file to start anew"
	for _, tc := range []struct{ name, text, want string }{
		{"good", "# last\n\nexample.org. 5 00112233445566778899aabbccddeeff\n", ""},
		{"words", "example.org. 5\n", `:1: "example.org. 5": write ZONE SERIAL DIGEST, or delete the file to start anew`},
		{"zone", "a..b 5 00112233445566778899aabbccddeeff\n", `:1: "a..b" has an empty label: write one dot between labels`},
		{"serial", "#\nexample.org. five 00112233445566778899aabbccddeeff\n", `:2: serial "five": write a number from 1 to 4294967295`},
		{"newer", "# mxsrv serials 3 closed\nexample.org. 5 cbor\n", `:1: version "3" of the format: ` + newer},
		{"newer-alone", "# mxsrv serials 3\nexample.org. 5 00112233445566778899aabbccddeeff\n",
			`:1: version "3" of the format: ` + newer},
		{"digest", "example.org. 5 001122\n", `:1: no digest: write 32 hexadecimal digits`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(dir, tc.name)
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := New(configOf("mxsrv {\n serials "+path+"\n}", "the server"), new(recorder))
			if want := "Corefile:2: serials: " + path + tc.want; tc.want == "" && err != nil || tc.want != "" && (err == nil || err.Error() != want) {
				t.Errorf("%v\nwant %s", err, tc.want)
			}
		})
	}
	for name, make := range map[string]func(path string) error{
		"no regular file": func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"1099511627776 octets, of which a file may have at most 1073741824": func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<40))
		},
	} {
		path := filepath.Join(t.TempDir(), "serials")
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		_, err := New(configOf("mxsrv {\n serials "+path+"\n}", "the server"), new(recorder))
		if want := "Corefile:2: serials: open " + path + ": " + name; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	p, _ := newPublisher(t, configOf("mxsrv {\n authoritative {\n ns ns1.example.net.\n }\n serials "+dir+"/nosuch/serials\n}", "the server"))
	err := p.Load()
	if want := "no such file or directory: write the path of a file in a directory that CoreDNS may write to"; err == nil ||
		!strings.HasPrefix(err.Error(), "Corefile:5: serials: ") || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// TestSerialsKeptElsewhere: a reloaded Corefile that keeps the serials elsewhere
// goes on where the one before was.
func TestSerialsKeptElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgetSerials()
		dir := t.TempDir()
		last := uint32(0)
		for i, keep := range []string{"", "", "", "serials " + dir + "/a", "serials " + dir + "/b"} {
			p, _ := loaded(t, fmt.Sprintf("mxsrv {\n authoritative {\n ns ns1.example.net.\n }\n %s\n host a 192.0.2.%d\n}", keep, i))
			got := serialOf(t, p, "example.org.")
			if i > 0 && !serial.Newer(got, last) {
				t.Errorf("%d after %d with %q", got, last, keep)
			}
			last = got
		}
	})
}

// TestSerialsFileOfMany: blocks may name one file in different ways, also by a
// link, which stays one.
func TestSerialsFileOfMany(t *testing.T) {
	forgetSerials()
	dir := t.TempDir()
	path, link := filepath.Join(dir, "serials"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Symlink("serials", link)); err != nil {
		t.Fatal(err)
	}
	change := func(zone, path, addr string) {
		t.Helper()
		loaded(t, "mxsrv "+zone+" {\n authoritative {\n ns ns1.example.net.\n }\n serials "+path+"\n host a "+addr+"\n}")
	}
	change("a.example.org", path, "192.0.2.1")
	change("b.example.org", dir+"/./serials", "192.0.2.1")
	change("c.example.org", link, "192.0.2.1")
	change("a.example.org", path, "192.0.2.2")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, zone := range []string{"a", "b", "c"} {
		if !strings.Contains(string(text), zone+".example.org. ") {
			t.Errorf("%s.example.org is not in the file:\n%s", zone, text)
		}
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != os.ModeSymlink {
		t.Errorf("the link is now %v, %v", info.Mode(), err)
	}
}

// nested is an authoritative zone within another, with something to warn of.
const nested = `mxsrv example.org child.example.org {
    authoritative {
        ns ns1
    }
    host ns1 192.0.2.53
    mail @ 10 ns1
}`

// TestCatchUp: what another publisher of the zone, the one before a reload, has published
// while this one was loading is not undercut, and the secondaries are told.
func TestCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		forgetSerials()
		p, log := loaded(t, nested)
		before := serials.next("the server", "example.org.", table.Digest{1}, 0).serial
		if got := serialOf(t, p, "example.org."); got == before {
			t.Fatal("the ledger does not move")
		}
		*log = recorder{}
		p.Follow()
		synctest.Wait()
		p.Stop()
		if got := serialOf(t, p, "example.org."); !serial.Newer(got, before) {
			t.Errorf("serial %d after %d was served", got, before)
		}
		if len(log.warnings) == 0 {
			t.Error("what it found is not logged")
		}
		if !slices.Contains(log.changed, "example.org.") || !slices.Contains(log.changed, "child.example.org.") {
			t.Errorf("%q were told, want both zones", log.changed)
		}
	})
}
