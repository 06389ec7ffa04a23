// Package atomicfile replaces files atomically: whoever reads one has the old content or the
// new one, also after a crash. It reads none that is no regular file or larger than a gibibyte.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Write writes a file beside path, with these permissions, syncs it, and renames it to path.
// If path is a symbolic link, the link is replaced. An error leaves all as it was, but for one
// of the sync of the directory: then the new content is there, and may be lost in a crash.
func Write(path string, mode fs.FileMode, text []byte) error {
	draft, err := Create(path, mode, text)
	if err != nil {
		return err
	}
	defer draft.Close()
	if err := draft.Rename(); err != nil {
		return err
	}
	return draft.SyncDir()
}

// RealPath returns the absolute path of a file without symbolic links, also if there is no such file yet: what is
// written there replaces the file and not a link to it, and what has the same is one file.
func RealPath(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if file, err := filepath.EvalSymlinks(path); err == nil {
		return file
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		return filepath.Join(dir, filepath.Base(path))
	}
	return path
}

// A Draft is a file beside the one that it will replace. What is written to it is appended.
type Draft struct {
	*os.File
	path string // that it will have
}

// Create returns the draft of a file at path, with these permissions, and this text synced.
func Create(path string, mode fs.FileMode, text []byte) (*Draft, error) {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	d := &Draft{file, path}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Chmod(mode), file.Sync()); err != nil {
		d.Drop()
		return nil, err
	}
	return d, nil
}

// Rename puts the draft in place of the file, or drops it. It stays open.
func (d *Draft) Rename() error {
	err := os.Rename(d.Name(), d.path)
	if err != nil {
		d.Drop()
	}
	return err
}

// Drop closes the draft and removes it.
func (d *Draft) Drop() {
	d.Close()
	os.Remove(d.Name())
}

// SyncDir makes the renaming last over a crash of the machine.
func (d *Draft) SyncDir() error { return syncDir(filepath.Dir(d.path)) }

// syncDir makes renames in a directory last. Some file systems cannot, which is no error.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil { // it may be written to and not be read
		return nil
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}
