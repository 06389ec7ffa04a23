package file

import (
	"context"
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
)

const interval = 800 * time.Millisecond

// A folder is where the files of a test are. Times of files are the time of the
// test, which stands still while the test works.
type folder struct {
	t    *testing.T
	path string
}

func (d folder) ok(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d folder) write(name, text string) {
	d.t.Helper()
	path := filepath.Join(d.path, name)
	d.ok(os.MkdirAll(filepath.Dir(path), 0o700))
	d.ok(os.WriteFile(path, []byte(text), 0o600))
	d.touch(name)
}

func (d folder) touch(name string) {
	d.t.Helper()
	d.ok(os.Chtimes(filepath.Join(d.path, name), time.Now(), time.Now()))
}

func (d folder) rename(from, to string) {
	d.t.Helper()
	d.ok(os.Rename(filepath.Join(d.path, from), filepath.Join(d.path, to)))
}

func (d folder) remove(name string) { d.t.Helper(); d.ok(os.Remove(filepath.Join(d.path, name))) }

// link makes a link, in place of one that is there.
func (d folder) link(to, name string) {
	d.t.Helper()
	d.ok(os.Symlink(to, filepath.Join(d.path, name+".new")))
	d.rename(name+".new", name)
}

// source returns the source of files in the folder.
func (d folder) source(patterns ...string) *Source {
	f := &Source{Root: d.path, Zones: definition.Zones{"example.org."}, Interval: interval}
	for _, p := range patterns {
		f.Patterns = append(f.Patterns, Pattern{definition.Pos{Source: "Corefile", Line: 3}, filepath.Join(d.path, p)})
	}
	return f
}

// declared writes hosts by their first labels, and errors, as tests have them.
func (d folder) declared(c *change.Content) string {
	var words []string
	set, errs := c.Read()
	for _, h := range set.Hosts {
		words = append(words, h.Owner.Labels()[0])
	}
	slices.Sort(words)
	for _, e := range errs {
		words = append(words, strings.ReplaceAll(e.Error(), d.path+string(filepath.Separator), ""))
	}
	return strings.Join(words, " ")
}

// wait lets the time pass of some polls, or of an interval.
func wait(pollsToWait time.Duration) { time.Sleep(pollsToWait * interval / polls) }

func host(name string) string { return "host " + name + " 192.0.2.1\n" }

// TestFile: what is delivered while files are changed in all the ways in which
// editors, generators and Kubernetes change them. The files are a.conf, which
// declares a, or what prepare makes.
func TestFile(t *testing.T) {
	for _, tc := range []struct {
		name    string
		pattern string
		prepare func(folder)
		change  func(folder)
		want    []string // the set at the start, then each delivery
	}{
		{"nothing happens", "a.conf", nil,
			func(d folder) {},
			[]string{"a"}},
		{"rewritten", "a.conf", nil,
			func(d folder) { d.write("a.conf", host("b")) },
			[]string{"a", "b"}},
		{"touched", "a.conf", nil,
			func(d folder) { d.touch("a.conf") },
			[]string{"a"}},
		{"renamed over", "a.conf", nil,
			func(d folder) { d.write("new", host("b")); d.rename("new", "a.conf") },
			[]string{"a", "b"}},
		{"old one set aside, new one written", "a.conf", nil,
			func(d folder) { d.rename("a.conf", "a.conf~"); wait(2); d.write("a.conf", host("b")) },
			[]string{"a", "b"}},
		{"truncated, then written", "a.conf", nil,
			func(d folder) { d.write("a.conf", ""); wait(3); d.write("a.conf", host("b")) },
			[]string{"a", "b"}},
		{"written in steps", "a.conf", nil,
			func(d folder) {
				for i := range 20 {
					var text string
					for j := range i + 1 {
						text += host(fmt.Sprintf("b%02d", j))
					}
					d.write("a.conf", text)
					wait(3)
				}
			},
			[]string{"a", "b00 b01 b02 b03 b04 b05 b06 b07 b08 b09 b10 b11 b12 b13 b14 b15 b16 b17 b18 b19"}},
		{"same size and time", "a.conf", nil, // a file system that counts in seconds
			func(d folder) {
				wait(1)
				at := time.Now().Truncate(time.Second)
				for _, name := range []string{"b", "c"} {
					d.write("a.conf", host(name))
					d.ok(os.Chtimes(filepath.Join(d.path, "a.conf"), at, at))
					wait(polls)
				}
			},
			[]string{"a", "b", "c"}},
		{"replaced all the time", "a.conf", nil,
			func(d folder) {
				for i := range 16 {
					d.write("new", host(fmt.Sprint("b", i)))
					d.rename("new", "a.conf")
					wait(1)
				}
			},
			[]string{"a", "b6", "b13", "b15"}},
		{"written all the time", "a.conf", nil,
			func(d folder) {
				for i := range 70 {
					d.write("a.conf", host(fmt.Sprint("b", i)))
					wait(1)
				}
			},
			[]string{"a", "b63", "b69"}},
		{"gone for a moment", "a.conf", nil,
			func(d folder) { d.rename("a.conf", "b"); wait(3); d.rename("b", "a.conf") },
			[]string{"a"}},
		{"gone, and back", "a.conf", nil,
			func(d folder) { d.rename("a.conf", "b"); wait(9); d.rename("b", "a.conf") },
			[]string{"a", "Corefile:3: a.conf: no such file or directory: create it, or delete it from this line", "a"}},
		{"emptied", "a.conf", nil,
			func(d folder) { d.write("a.conf", "") },
			[]string{"a", "Corefile:3: a.conf is empty: write # into it if it declares nothing"}},
		{"a mistake, corrected", "a.conf", nil,
			func(d folder) {
				d.write("a.conf", host("b")+"hots c 192.0.2.1\n")
				wait(8)
				d.write("a.conf", host("b")+host("c"))
			},
			[]string{"a", `b a.conf:2: unknown word "hots": write host`, "b c"}},
		{"a glob gains a file", "*.conf", nil,
			func(d folder) { d.write("b.conf", host("b")) },
			[]string{"a", "a b"}},
		{"a glob loses a file", "*.conf",
			func(d folder) { d.write("b.conf", host("b")) },
			func(d folder) { d.remove("a.conf") },
			[]string{"a b", "b"}},
		{"a glob loses all", "*.conf", nil,
			func(d folder) { d.remove("a.conf") },
			[]string{"a", "Corefile:3: *.conf matches no file: create one, or delete the pattern from this line"}},
		{"a glob gains a named pipe", "*.conf", nil,
			func(d folder) { d.ok(syscall.Mkfifo(filepath.Join(d.path, "b.conf"), 0o600)) },
			[]string{"a", "a Corefile:3: b.conf is no regular file: write the path of one"}},
		{"a glob gains a sparse tebibyte", "*.conf", nil,
			func(d folder) { d.write("b.conf", ""); d.ok(os.Truncate(filepath.Join(d.path, "b.conf"), 1<<40)) },
			[]string{"a", "a Corefile:3: b.conf: 1099511627776 octets, of which a file may have at most 1073741824"}},
		{"hidden files and folders", "*", nil,
			func(d folder) { d.write(".a.conf.swp", host("b")); d.write("c/c.conf", host("c")) },
			[]string{"a"}},
		{"files in folders", "*/*.conf",
			func(d folder) { d.write("b/b.conf", host("b")) },
			func(d folder) { d.write("c/c.conf", host("c")) },
			[]string{"b", "b c"}},
		{"several files one after another", "*.conf",
			func(d folder) { d.write("b.conf", host("b")) },
			func(d folder) { d.write("a.conf", host("c")); wait(2); d.write("b.conf", host("d")) },
			[]string{"a b", "c d"}},
		{"a mounted ConfigMap", "*.conf",
			func(d folder) {
				d.remove("a.conf")
				d.write("..2026_1/m.conf", host("m"))
				d.link("..2026_1", "..data")
				d.link("..data/m.conf", "m.conf")
			},
			func(d folder) {
				d.write("..2026_2/m.conf", host("n"))
				d.write("..2026_2/o.conf", host("o"))
				d.link("..2026_2", "..data")
				d.link("..data/o.conf", "o.conf")
				d.ok(os.RemoveAll(filepath.Join(d.path, "..2026_1")))
			},
			[]string{"m", "n o"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := folder{t, t.TempDir()}
			synctest.Test(t, func(t *testing.T) {
				d.t = t
				d.write("a.conf", host("a"))
				if tc.prepare != nil {
					tc.prepare(d)
				}
				f := d.source(tc.pattern)
				got := []string{d.declared(f.Load())}
				ctx, cancel := context.WithCancel(t.Context())
				go f.Run(ctx, func(c *change.Content) { got = append(got, d.declared(c)) })
				time.Sleep(interval / polls / 2) // between two polls, lest it be chance which is first
				tc.change(d)
				wait(polls) // the promise: within the interval
				synctest.Wait()
				cancel()
				synctest.Wait()
				if !slices.Equal(got, tc.want) {
					t.Errorf("delivered %q\nwant %q", got, tc.want)
				}
			})
		})
	}
}

// TestFileLoad: what is wrong with files at the start.
func TestFileLoad(t *testing.T) {
	d := folder{t, t.TempDir()}
	d.write("a.conf", host("a"))
	d.write("empty.conf", "")
	d.write("bad.conf", host("a")+"host b\n")
	d.write("odd[name.conf", host("odd"))
	d.write("folder/b.conf", host("b"))
	for _, tc := range []struct {
		patterns string
		want     string
	}{
		{"a.conf", "a"},
		{"a.conf a.conf *a.conf", "a"},
		{"a.conf folder/*", "a b"},
		{"odd[name.conf", "odd"},
		{"missing.conf", "Corefile:3: missing.conf: no such file or directory: create it, or delete it from this line"},
		{"empty.conf", "Corefile:3: empty.conf is empty: write # into it if it declares nothing"},
		{"bad.conf", "a bad.conf:2: usage: host NAME ADDRESS..."},
		{"folder", "Corefile:3: folder is a directory: write folder/*.conf for the files in it"},
		{"missing*", "Corefile:3: missing* matches no file: create one, or delete the pattern from this line"},
		{"[", "Corefile:3: [ is no pattern: write one like zones/*.conf"},
	} {
		t.Run(tc.patterns, func(t *testing.T) {
			got := d.declared(d.source(strings.Fields(tc.patterns)...).Load())
			if got != tc.want {
				t.Errorf("%q\nwant %q", got, tc.want)
			}
		})
	}
}

// TestFileSwapped: what comes in place of a file between the look at it and its reading is
// looked at again, and nothing waits for it.
func TestFileSwapped(t *testing.T) {
	for _, tc := range []struct {
		name string
		make func(path string) error
		want string
	}{
		{"named pipe", func(path string) error { return syscall.Mkfifo(path, 0o600) }, "a.conf is no regular file: write the path of one"},
		{"device", func(path string) error { return os.Symlink("/dev/zero", path) }, "a.conf is no regular file: write the path of one"},
		{"directory", func(path string) error { return os.Mkdir(path, 0o700) },
			"a.conf is a directory: write a.conf/*.conf for the files in it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := folder{t, t.TempDir()}
			d.write("a.conf", host("a"))
			f, swapped := d.source("a.conf"), false
			f.Doing = func(string) {
				if !swapped {
					swapped = true
					d.remove("a.conf")
					d.ok(tc.make(filepath.Join(d.path, "a.conf")))
				}
			}
			if got, want := d.declared(f.Load()), "Corefile:3: "+tc.want; got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// TestFileNever: with interval 0 files are not followed.
func TestFileNever(t *testing.T) {
	d := folder{t, t.TempDir()}
	d.write("a.conf", host("a"))
	f := d.source("a.conf")
	f.Interval = 0
	f.Load()
	f.Run(t.Context(), func(*change.Content) { t.Error("delivered") })
}

// TestFileChangesWhileRead: files that change while they are read are read again.
func TestFileChangesWhileRead(t *testing.T) {
	for _, tc := range []struct {
		name    string
		changes int
		want    string
	}{
		{"once", 1, "b0"},
		{"all the time", 1000, "Corefile:3: file a.conf changes again and again while it is read: write another file and rename it"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := folder{t, t.TempDir()}
			d.write("a.conf", host("a"))
			f, changes := d.source("a.conf"), 0
			f.Doing = func(step string) {
				if strings.HasPrefix(step, "reading") && changes < tc.changes {
					d.write("new", host(fmt.Sprint("b", changes)))
					d.rename("new", "a.conf")
					changes++
				}
			}
			if got := d.declared(f.Load()); !strings.HasSuffix(strings.ReplaceAll(got, d.path+"/", ""), tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
