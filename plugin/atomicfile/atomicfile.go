// Package atomicfile writes files so that there is a whole one at any time, whoever
// reads it and whenever the machine stops.
package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Write writes a file of a mode beside path, syncs it, and moves it to path. If path is
// a symbolic link, the link is replaced.
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
	}
	return err
}
