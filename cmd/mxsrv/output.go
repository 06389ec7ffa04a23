package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/plugin/atomicfile"
)

// An output is where results go: standard output, or the file of --output, which is written whole or not at all. It
// keeps the first error, so that no command must look at each write.
type output struct {
	stdout io.Writer
	path   string       // of the file; "" is standard output
	text   bytes.Buffer // for the file
	err    error        // of standard output
}

func (o *output) Write(b []byte) (n int, err error) {
	switch {
	case o.path != "":
		return o.text.Write(b)
	case o.err == nil:
		n, o.err = o.stdout.Write(b)
	}
	return n, o.err
}

// end writes the file, if there is one and its text is whole, and returns why a result could not be written, or nil.
func (o *output) end(whole bool) error {
	if o.path == "" {
		if c, ok := o.stdout.(io.Closer); ok && o.err == nil {
			o.err = c.Close() // a full disk of another machine is known only then
		}
		return pathError("standard output", o.err)
	}
	if !whole {
		return nil
	}
	return pathError(o.path, replaceFile(o.path, o.text.Bytes()))
}

// replaceFile writes a regular file atomically, with the permissions that it has. A device or a pipe is written to.
func replaceFile(path string, text []byte) error {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		if !info.Mode().IsRegular() {
			return os.WriteFile(path, text, 0)
		}
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
		mode = info.Mode().Perm()
	}
	return atomicfile.Write(path, mode, text)
}

// addOutput adds --output to a command.
func (u *ui) addOutput(c *cobra.Command) {
	c.Flags().StringVarP(&u.output.path, "output", "o", "", "write to `FILE`, whole or not at all (default standard output)")
	c.PreRunE = func(*cobra.Command, []string) error {
		switch {
		case c.Flags().Changed("output") && u.output.path == "":
			return fmt.Errorf("--output: write the path of a file")
		case u.output.path == standardInput:
			u.output.path = ""
		case u.output.path != "":
			u.colored, u.wraps = false, false
		}
		return nil
	}
}
