package file

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/mxsrv/mxsrv/plugin/atomicfile"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// maxKey is how many octets a key file may have: a chain of certificates has a tenth of that.
const maxKey = 64 << 10

// Keys are one generation of the files that definitions name: certificates, public keys, policies. Each has the content
// that it had when it was asked for first; after a change there is another generation, see renewed. So texts that are
// read bit by bit never see half of a change. Any goroutine may call Read at any time.
type Keys struct {
	root string

	mu    sync.Mutex
	files map[string]*key // by path
}

// A key is a key file as it was read.
type key struct {
	text  string
	err   error // why it could not be read
	seen  file  // what the file system said of it before; of no path if another change may go unseen
	asked bool  // in this generation: it is followed

	relative bool // it was asked for by a relative path
}

func (k *key) equal(other *key) bool {
	return k.text == other.text && fmt.Sprint(k.err) == fmt.Sprint(other.err)
}

// NewKeys returns a generation that has read nothing yet; root is the directory of relative paths.
func NewKeys(root string) *Keys { return &Keys{root: root, files: make(map[string]*key)} }

// Read returns the content of a regular file of at most 64 KiB. Its error says what is wrong, and what to do.
func (k *Keys) Read(path string) (string, error) {
	relative := !filepath.IsAbs(path)
	if relative {
		path = filepath.Join(k.root, path)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.files[path] == nil {
		k.files[path] = readKey(path)
	}
	file := k.files[path]
	file.asked, file.relative = true, file.relative || relative
	return file.text, file.err
}

// Used reports whether any file was asked for, and whether one was by a relative path.
func (k *Keys) Used() (used, relative bool) {
	for _, file := range k.asked() {
		used, relative = true, relative || file.relative
	}
	return used, relative
}

// Equal implements change.Keys.
func (k *Keys) Equal(other change.Keys) bool {
	o := other.(*Keys)
	if k == o {
		return true
	}
	known := o.copies()
	for path, file := range k.copies() {
		if also, ok := known[path]; ok && !also.equal(&file) {
			return false
		}
	}
	return true
}

// asked returns copies of the files that were asked for.
func (k *Keys) asked() map[string]key {
	files := k.copies()
	maps.DeleteFunc(files, func(_ string, file key) bool { return !file.asked })
	return files
}

func (k *Keys) copies() map[string]key {
	k.mu.Lock()
	defer k.mu.Unlock()
	copies := make(map[string]key, len(k.files))
	for path, file := range k.files {
		copies[path] = *file
	}
	return copies
}

// views returns what the file system says of the files that were asked for, and what it said when they were read.
func (k *Keys) views() (now, seen []file) {
	asked := k.asked()
	for _, path := range slices.Sorted(maps.Keys(asked)) {
		now, seen = append(now, look(path)), append(seen, asked[path].seen)
	}
	return now, seen
}

// renewed reads again the files that look different, and returns k if their content is the same as before. Else it
// returns the next generation, which knows of them what it has read now.
func (k *Keys) renewed() *Keys {
	next, changed := NewKeys(k.root), false
	for path, file := range k.asked() {
		read := &key{text: file.text, err: file.err, seen: file.seen}
		if !look(path).equal(file.seen) {
			read = readKey(path)
		}
		next.files[path] = read
		changed = changed || !read.equal(&file)
	}
	if changed {
		return next
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for path, file := range next.files {
		k.files[path].seen = file.seen
	}
	return k
}

// accepted returns the content of the files that were asked for.
func (k *Keys) accepted() (files []source.File) {
	for path, file := range k.asked() {
		if file.err == nil {
			files = append(files, source.File{Path: path, Text: file.text})
		}
	}
	return files
}

// restoredKeys returns a generation that has of some files what was accepted, in place of what they have now.
func restoredKeys(root string, accepted []source.Accepted) *Keys {
	k := NewKeys(root)
	for _, a := range accepted {
		for _, f := range a.Keys {
			if k.files[f.Path] == nil {
				k.files[f.Path] = &key{text: f.Text}
			}
		}
	}
	return k
}

// readKey reads a file. It looks at it before: then a change meanwhile is one that is yet to be read.
func readKey(path string) *key {
	seen := look(path)
	if seen.recent() {
		seen = file{}
	}
	text, err := atomicfile.ReadAtMost(path, maxKey)
	return &key{text: string(text), err: unreadable(path, err), seen: seen}
}

// unreadable returns an error with what to do, or nil for nil. The path as it is written is for the caller to add.
func unreadable(path string, err error) error {
	if err == nil {
		return nil
	}
	remedy := "write the path of a certificate, public key or policy"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		remedy = "create " + path + ", or write the path of another file"
	case errors.Is(err, fs.ErrPermission):
		remedy = "let the user that the server runs as read " + path
	}
	return fmt.Errorf("%v: %s", atomicfile.Cause(err), remedy)
}

// look returns what the file system says of a path.
func look(path string) file {
	info, err := os.Stat(path)
	if err != nil {
		return file{path: path, missing: atomicfile.Cause(err).Error()}
	}
	return file{path: path, info: info}
}
