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
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		os.Remove(file.Name())
		return err
	}
	return syncDir(filepath.Dir(path))
}

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
