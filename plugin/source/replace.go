package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace writes a file and moves it to its place, so that there is always a
// whole one.
func Replace(path string, mode fs.FileMode, text []byte) error {
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
