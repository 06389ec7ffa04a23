package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// MaxSize is how many octets a file may have. One that is larger is a mistake, such as a sparse
// one, and reading it would take all memory.
const MaxSize = 1 << 30

// A File is a regular file that is open for reading.
type File struct {
	Size int64 // when it was opened, in octets

	file *os.File
	most int64 // octets that it may have
	left int64 // octets that may still be read
}

// Open opens a regular file of at most MaxSize octets. It never waits, as for the writer of a
// named pipe, and looks at what it has opened: what is at the path may have been replaced since
// somebody looked. Its errors are of type *fs.PathError, see Cause.
func Open(path string) (*File, error) { return open(path, MaxSize) }

func open(path string, most int64) (*File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil {
		err = refuse(path, info, most)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &File{Size: info.Size(), file: file, most: most, left: most}, nil
}

// refuse returns why a file is not read, or nil.
func refuse(path string, info fs.FileInfo, most int64) error {
	switch {
	case info.IsDir():
		return &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	case !info.Mode().IsRegular():
		return &fs.PathError{Op: "open", Path: path, Err: errors.New("no regular file")}
	case info.Size() > most:
		return &fs.PathError{Op: "open", Path: path, Err: tooLarge(info.Size(), most)}
	}
	return nil
}

func tooLarge(size, most int64) error {
	return fmt.Errorf("%d octets, of which a file may have at most %d", size, most)
}

// Read implements io.Reader. It fails after as many octets as the file may have, for it may have grown.
func (f *File) Read(b []byte) (int, error) {
	n, err := f.file.Read(b)
	if f.left -= int64(n); f.left < 0 {
		return 0, &fs.PathError{Op: "read", Path: f.file.Name(), Err: tooLarge(f.most-f.left, f.most)}
	}
	return n, err
}

// Close implements io.Closer.
func (f *File) Close() error { return f.file.Close() }

// Read returns the content of a file that Open opens.
func Read(path string) ([]byte, error) { return ReadAtMost(path, MaxSize) }

// ReadAtMost is Read of a file that may have fewer octets than MaxSize.
func ReadAtMost(path string, most int64) ([]byte, error) {
	file, err := open(path, most)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// OtherVersion returns the error of a file that says to have its format in a version which is unknown: newer than the
// newest one that is read.
func OtherVersion(version string, newest int) error {
	return fmt.Errorf("version %.80q of the format: this mxsrv reads up to %d: start the one that wrote the file, or a newer one",
		version, newest)
}

// Cause returns an error without the operation and the path, if err is one of type *fs.PathError, else err.
func Cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}
