package file

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/atomicfile"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A view is what the file system says of files, without reading them.
type view struct {
	files []file
	errs  definition.Errors // what is not there, or is no file
	keys  []file            // key files, which may be missing
}

type file struct {
	pos     definition.Pos // of the pattern
	path    string
	info    fs.FileInfo
	missing string // why there is none, of a key file
}

func (v view) equal(other view) bool { return v.matches(other, file.equal) }

// replaces reports whether the same paths are there, each the same or another
// file: what another program has made and then moved here is complete.
func (v view) replaces(other view) bool {
	return v.matches(other, func(a, b file) bool {
		return a.equal(b) || a.info != nil && b.info != nil && !os.SameFile(a.info, b.info)
	})
}

func (v view) matches(other view, match func(a, b file) bool) bool {
	same := func(a, b file) bool { return a.path == b.path && match(a, b) }
	return slices.Equal(v.errs, other.errs) && slices.EqualFunc(v.files, other.files, same) &&
		slices.EqualFunc(v.keys, other.keys, same)
}

func (f file) equal(other file) bool {
	if f.info == nil || other.info == nil {
		return f.info == nil && other.info == nil && f.missing == other.missing
	}
	return os.SameFile(f.info, other.info) && f.info.Mode() == other.info.Mode() && // who may read it
		f.info.Size() == other.info.Size() && f.info.ModTime().Equal(other.info.ModTime())
}

// recent reports whether a definitions file may change again with the same view.
func (v view) recent() bool { return slices.ContainsFunc(v.files, file.recent) }

// recent reports whether a file may change again and look the same: a change within the same tick of the file system's
// clock cannot be seen.
func (f file) recent() bool { return f.info != nil && time.Since(f.info.ModTime()) < f.tick() }

// tick returns a time that is longer than a tick. There are file systems that
// count in seconds or two; others take the time of the kernel's last tick.
func (f file) tick() time.Duration {
	if f.info.ModTime().Nanosecond() == 0 {
		return 2 * time.Second
	}
	return 20 * time.Millisecond
}

// view returns what there is of all files, each once however many patterns it matches.
func (f *Source) view() view {
	v := view{files: make([]file, 0, len(f.seen.files))}
	for _, p := range f.Patterns {
		v.match(p)
	}
	if len(f.Patterns) > 1 {
		seen := make(map[string]bool, len(v.files))
		v.files = slices.DeleteFunc(v.files, func(f file) bool {
			again := seen[f.path]
			seen[f.path] = true
			return again
		})
	}
	return v
}

// match adds the files that a pattern matches, sorted by their paths. As in a shell, "*" at the start of a name
// matches no hidden file, and so none of the folders in which a ConfigMap has its versions.
func (v *view) match(p Pattern) {
	info, err := os.Stat(p.Path)
	if err == nil || !strings.ContainsAny(p.Path, `*?[`) {
		v.add(p, p.Path, info, err)
		return
	}
	paths, err := filepath.Glob(p.Path)
	if err != nil {
		v.errs.Add(p.Pos, definition.FileUnreadable, "%s is no pattern: write one like zones/*.conf", p.Path)
		return
	}
	hidden, before := strings.HasPrefix(filepath.Base(p.Path), "."), len(v.files)+len(v.errs)
	for _, path := range paths {
		if !hidden && strings.HasPrefix(filepath.Base(path), ".") {
			continue
		}
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			v.add(p, path, info, err)
		}
	}
	if len(v.files)+len(v.errs) == before {
		v.errs.Add(p.Pos, definition.FileUnreadable,
			"%s matches no file: create one, or delete the pattern from this line", p.Path)
	}
}

// add adds what os.Stat has said of a path.
func (v *view) add(p Pattern, path string, info fs.FileInfo, err error) {
	add := func(text string) { v.errs.Add(p.Pos, definition.FileUnreadable, "%s", path+text) }
	switch {
	case err != nil:
		add(": " + atomicfile.Cause(err).Error() + ": create it, or delete it from this line")
	case info.IsDir():
		add(" is a directory: write " + filepath.Join(path, "*.conf") + " for the files in it")
	case !info.Mode().IsRegular():
		add(" is no regular file: write the path of one")
	default:
		v.files = append(v.files, file{pos: p.Pos, path: path, info: info})
	}
}
