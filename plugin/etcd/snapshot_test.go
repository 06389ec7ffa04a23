package etcd

import (
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/plugin/change"
)

func snapshotOf(revision int64, fragments ...change.Fragment) snapshot {
	s := snapshot{state{map[string]change.Fragment{}, revision}, "/mxsrv/", time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)}
	for _, f := range fragments {
		s.fragments[f.Key] = f
	}
	return s
}

// TestSnapshot: what is written is read, whatever it holds.
func TestSnapshot(t *testing.T) {
	for name, s := range map[string]snapshot{
		"none":    snapshotOf(1),
		"some":    snapshotOf(12, change.Fragment{Key: "/mxsrv/b", Text: "host b 192.0.2.2", Created: 3}, change.Fragment{Key: "/mxsrv/a", Text: "host a 192.0.2.1\n", Created: 12}),
		"rubbish": snapshotOf(2, change.Fragment{Key: "/mxsrv/\xff \"\n", Text: "\x00\xfe\u2028\r\n\"", Created: 1}, change.Fragment{Key: "/mxsrv/\xfe"}),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "snapshot")
			if err := writeSnapshot(path, s); err != nil {
				t.Fatal(err)
			}
			got, err := readSnapshot(path, "/mxsrv/")
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(got.fragments, s.fragments) || got.revision != s.revision || !got.time.Equal(s.time) {
				t.Errorf("read %+v, want %+v", got, s)
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
				t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
			}
		})
	}
}

// TestSnapshotOlder: a snapshot of an older version is read, without the key that this wrote.
func TestSnapshotOlder(t *testing.T) {
	s, err := readSnapshot(filepath.Join("testdata", "snapshot-2"), "/mxsrv/")
	if _, there := s.fragments["/mxsrv/mail"]; err != nil || len(s.fragments) != 3 || !there || s.revision != 7 {
		t.Errorf("%v, %v", s, err)
	}
}

// TestSnapshotLink: a symbolic link stays one.
func TestSnapshotLink(t *testing.T) {
	dir := t.TempDir()
	link, file := filepath.Join(dir, "link"), filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := writeSnapshot(link, snapshotOf(3)); err != nil {
		t.Fatal(err)
	}
	if s, err := readSnapshot(file, "/mxsrv/"); err != nil || s.revision != 3 {
		t.Errorf("the file has revision %d, %v, want 3", s.revision, err)
	}
}

// TestSnapshotRefused: what is no snapshot of the prefix, or not whole.
func TestSnapshotRefused(t *testing.T) {
	whole := string(snapshotOf(12, change.Fragment{Key: "/mxsrv/a", Text: "host a 192.0.2.1", Created: 3}, change.Fragment{Key: "/mxsrv/b"}).encode())
	_, body, _ := strings.Cut(whole, "\n")
	old := fmt.Sprintf("mxsrv snapshot 1: prefix \"/mxsrv/\" revision 12 time 2026-07-01T12:00:00Z fragments 2 crc32 %08x\n",
		crc32.ChecksumIEEE([]byte(body))) + body
	if s, err := decode(old); err != nil || s.revision != 12 || len(s.fragments) != 2 {
		t.Errorf("the old form reads as %+v, %v", s, err)
	}
	const newer = `version "3" of the format: this mxsrv reads up to 2: start the one that wrote the file, or a newer one`
	for _, tc := range []struct{ name, text, want string }{
		{"another revision", strings.Replace(whole, "revision 12", "revision 13", 1), "it is not as it was written"},
		{"another age", strings.Replace(whole, "2026-07-01", "2026-07-02", 1), "it is not as it was written"},
		{"a negative revision", strings.Replace(old, "revision 12", "revision -5", 1), "it is not as it was written"},
		{"empty", "", "it does not start as a snapshot"},
		{"something else", "example.org. 12 abc\n", "it does not start as a snapshot"},
		{"cut in the first line", whole[:40], "it does not start as a snapshot"},
		{"cut", whole[:len(whole)-9], "it is not as it was written"},
		{"a line is missing", whole[:strings.LastIndex(whole[:len(whole)-1], "\n")+1], "it is not as it was written"},
		{"other text", strings.Replace(whole, "192.0.2.1", "192.0.2.2", 1), "it is not as it was written"},
		{"more text", whole + "\n", "it is not as it was written"},
		{"no time", strings.Replace(old, "2026-07-01T12:00:00Z", "noon", 1), `it has no time, but "noon"`},
		{"another number", strings.Replace(old, "fragments 2", "fragments 3", 1), "it has 2 fragments in place of 3"},
		{"a newer version", strings.Replace(whole, "snapshot 2", "snapshot 3", 1), newer},
		{"a newer version with another heading", "mxsrv snapshot 3: gzip\n\x1f", newer},
		{"no version that there was", strings.Replace(whole, "snapshot 2", "snapshot 0", 1), "it does not start as a snapshot"},
		{"another prefix", strings.Replace(old, `"/mxsrv/"`, `"/other/"`, 1), `it is of prefix "/other/", not "/mxsrv/"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "snapshot")
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}
			f := sourceIn(t, "127.0.0.1:1")
			f.Snapshot = path
			if s := f.readSnapshot(); s.fragments != nil {
				t.Errorf("it has %d fragments, want none", len(s.fragments))
			}
			if want := "snapshot " + path + ": " + tc.want + ": it is not used"; !f.said.has(want) {
				t.Errorf("said %q, want %q", f.said.lines, want)
			}
		})
	}
}

// TestSnapshotMissing: the first start of all, and a path that cannot be one.
func TestSnapshotMissing(t *testing.T) {
	f := sourceIn(t, "127.0.0.1:1")
	f.Snapshot = filepath.Join(t.TempDir(), "snapshot")
	if s := f.readSnapshot(); s.fragments != nil || len(f.said.lines) > 0 {
		t.Errorf("read %+v and said %q of a file that is not there, want nothing", s, f.said.lines)
	}
	f.Snapshot = filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(f.Snapshot, 0o600); err != nil {
		t.Fatal(err)
	}
	if s := f.readSnapshot(); s.fragments != nil || !f.said.has("no regular file: it is not used") {
		t.Errorf("read %+v and said %q of a named pipe", s, f.said.lines)
	}
	f.Snapshot = t.TempDir()
	if s := f.readSnapshot(); s.fragments != nil || !f.said.has("is a directory") {
		t.Errorf("read %+v and said %q of a directory", s, f.said.lines)
	}
}

// TestKeep: when a snapshot is written, and what is said if it cannot be.
func TestKeep(t *testing.T) {
	f := sourceIn(t, "127.0.0.1:1")
	dir := filepath.Join(t.TempDir(), "later")
	f.Snapshot = filepath.Join(dir, "snapshot")
	f.save() // nothing is known: nothing is written
	f.cache.change(puts("/mxsrv/a"), 1)
	f.save()
	f.save()
	if f.said.count("snapshot: ", "later/snapshot", "write the path of a file") != 1 || len(f.said.lines) != 1 {
		t.Errorf("said %q, want once that it cannot be written", f.said.lines)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f.save()
	revision := func() int64 {
		s, err := readSnapshot(f.Snapshot, "/mxsrv/")
		if err != nil {
			t.Error(err)
		}
		return s.revision
	}
	if r := revision(); r != 1 {
		t.Errorf("revision %d is in the snapshot, want 1", r)
	}
	before, _ := os.Stat(f.Snapshot)
	f.save()
	if after, _ := os.Stat(f.Snapshot); !os.SameFile(before, after) {
		t.Error("what has not changed was written again")
	}
	if err := writeSnapshot(f.Snapshot, snapshotOf(9)); err != nil {
		t.Fatal(err)
	}
	f.cache.change(puts("/mxsrv/b"), 5)
	f.saveLast()
	if r := revision(); r != 9 {
		t.Errorf("revision %d is in the snapshot, want 9, of another source", r)
	}
	f.cache.change(puts("/mxsrv/c"), 10)
	f.saveLast()
	if r := revision(); r != 10 {
		t.Errorf("revision %d is in the snapshot, want 10", r)
	}
}

// FuzzSnapshot: any text is read or refused, and what is read is written and read
// again the same.
func FuzzSnapshot(f *testing.F) {
	f.Add("")
	f.Add(string(snapshotOf(1).encode()))
	f.Add(string(snapshotOf(12, change.Fragment{Key: "/mxsrv/\xff", Text: "host a 192.0.2.1\n# \u00e9", Created: 3}, change.Fragment{Key: "b"}).encode()))
	f.Add("mxsrv snapshot 1: prefix \"/\" revision 1 time 2026-07-01T12:00:00Z fragments 1 crc32 00000000\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := decode(text)
		if err != nil {
			return
		}
		again, err := decode(string(s.encode()))
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(again.fragments, s.fragments) || again.revision != s.revision || again.prefix != s.prefix {
			t.Errorf("%+v\nbecomes %+v", s, again)
		}
	})
}

// FuzzFragment: the same of a line.
func FuzzFragment(f *testing.F) {
	f.Add("\"a\" 1 \"host a 192.0.2.1\"\n")
	f.Add("`a` -1 'x'\n")
	f.Fuzz(func(t *testing.T, line string) {
		fragment, ok := decodeFragment(line)
		if !ok {
			return
		}
		s := snapshotOf(1, fragment)
		again, err := decode(string(s.encode()))
		if err != nil || !maps.Equal(again.fragments, s.fragments) {
			t.Errorf("%+v becomes %v, %v", fragment, again.fragments, err)
		}
	})
}
