// Package file is the source of definitions in files: it reads them, and follows their changes. A [Source] has files of
// definitions, an [Inline] definitions of the Corefile; both follow the key files that these name, see [Keys].
package file

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/atomicfile"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Source reads files, and polls them for changes.
//
// It asks no kernel for events: to poll a file costs 3 µs, is the same for a file that is replaced, a mount that is
// swapped (a ConfigMap), a glob that matches more and a network file system, and needs no descriptor. Events would be
// seen sooner, but not be acted on sooner: after the first of them the writer is mostly not yet done.
//
// Files are read once they have been left alone for half of the interval, and all together: what changes while it is
// read is read again. So a change is delivered within the interval, and what is written in several steps is not
// delivered in between. Files that are replaced all the time are read in each interval, and those that are written
// all the time now and then.
type Source struct {
	Patterns []Pattern
	Root     string // directory of relative paths of key files
	Zones    definition.Zones
	Interval time.Duration     // within which a change is noticed; 0 is never
	Doing    func(step string) // if it is not nil: is called with each step of a load, and "" at its end

	seen  view          // at the last load, without key files
	sum   uint64        // of what was read then, without key files
	keys  *Keys         // of the texts that were read then
	pause time.Duration // after each piece of a file that is read
}

// A Pattern is the path of a file, or a pattern of paths as of filepath.Match.
type Pattern struct {
	definition.Pos // where it is written, for errors
	Path           string
}

// String implements source.Source.
func (f *Source) String() string {
	paths := make([]string, len(f.Patterns))
	for i := range f.Patterns {
		paths[i] = f.Patterns[i].Path
	}
	return "file " + strings.Join(paths, " ")
}

// NamesRelative reports whether the texts that were loaded name a key file by a relative path, once they were read.
func (f *Source) NamesRelative() bool {
	_, relative := f.keys.Used()
	return relative
}

// maxReads is how often files are read at the start that change meanwhile.
const maxReads = 10

// Load implements source.Source.
func (f *Source) Load() *change.Content {
	defer f.doing("")
	f.keys = NewKeys(f.Root)
	var c *change.Content
	for range maxReads {
		var ok bool
		if c, ok = f.read(f.view()); ok {
			return c
		}
	}
	c.Errs.Add(f.Patterns[0].Pos, definition.FileUnreadable,
		"%v changes again and again while it is read: write another file and rename it", f)
	return c
}

// Run implements source.Source.
func (f *Source) Run(ctx context.Context, deliver func(*change.Content)) {
	f.pause = pause
	poll(ctx, f.Interval, f.views, func(now view) { f.follow(now, deliver) })
}

// views returns what there is of all files, and what there was when they were read.
func (f *Source) views() (now, seen view) {
	now, seen = f.view(), f.seen
	now.keys, seen.keys = f.keys.views()
	return now, seen
}

// follow reads a change and delivers it, unless it is one that leaves all as it was.
func (f *Source) follow(now view, deliver func(*change.Content)) {
	sum, keys := f.sum, f.keys
	c, ok := f.read(now)
	f.doing("")
	if ok && (f.sum != sum || f.keys != keys) {
		deliver(c)
	}
}

// read reads the files of a view. It returns false, and the source stays as it was, if they
// are not as in the view any more.
func (f *Source) read(now view) (*change.Content, bool) {
	keys := f.keys.renewed()
	c := f.readAll(now, keys)
	if again, _ := f.views(); !again.equal(now) {
		return c, false
	}
	f.seen, f.sum, f.keys = now, sum(c), keys
	if now.recent() {
		f.seen = view{} // another change may go unseen: read it again
	}
	return c, true
}

func (f *Source) readAll(v view, keys *Keys) *change.Content {
	c := &change.Content{Errs: slices.Clone(v.errs), Keys: keys, Doing: f.Doing}
	reader := definition.NewReader(f.Zones)
	reader.SetFiles(keys.Read)
	for _, file := range v.files {
		f.doing("reading " + file.path)
		text, err := readFile(file.path, f.pause)
		switch {
		case err != nil:
			c.Errs.Add(file.pos, definition.FileUnreadable, "%s: %v", file.path, atomicfile.Cause(err))
		case text == "":
			c.Errs.Add(file.pos, definition.FileUnreadable, "%s is empty: write # into it if it declares nothing", file.path)
		}
		c.Documents = append(c.Documents, change.NewDocument(file.path, text, reader))
	}
	return c
}

var seed = maphash.MakeSeed()

// sum returns a hash of all texts.
func sum(c *change.Content) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, d := range c.Documents {
		fmt.Fprintf(&h, "%q %d ", d.Source(), len(d.Text()))
		h.WriteString(d.Text())
	}
	h.WriteString(c.Errs.Error())
	return h.Sum64()
}

const (
	// piece is how many octets of a file are read at a time, in a quarter of a millisecond, and pause the time after
	// each, in which queries are answered: without it a large file takes one core for 15 ms.
	piece = 1 << 18
	pause = time.Millisecond
)

// readFile returns the content of a file as one string, without a copy of it.
func readFile(path string, pause time.Duration) (string, error) {
	file, err := atomicfile.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	var b strings.Builder
	b.Grow(int(file.Size))
	for {
		n, err := io.CopyN(&b, file, piece)
		if n < piece {
			if err == io.EOF {
				err = nil
			}
			return b.String(), err
		}
		time.Sleep(pause)
	}
}

func (f *Source) doing(step string) {
	if f.Doing != nil {
		f.Doing(step)
	}
}
