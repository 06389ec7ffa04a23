package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const fmtExamples = `  mxsrv fmt                              print ./Corefile in canonical form
  mxsrv fmt -d Corefile *.conf           print what would change
  mxsrv fmt -w Corefile *.conf           change the files
  :%!mxsrv fmt -                         in vi

Comments, single empty lines and the order of lines are kept. In a Corefile only the mxsrv blocks change.

Exit status: 0 success; 1 with -d: files are not in canonical form; 2 usage or I/O error, or a brace or a quote that is
missing: no file is changed then.`

type fmtFlags struct{ write, diff bool }

func fmtCommand(u *ui) *cobra.Command {
	f := new(fmtFlags)
	c := &cobra.Command{
		Use:     "fmt [COREFILE|FILE|-...]",
		Short:   "Print or write definitions in canonical form",
		Long:    "Print definitions files, or Corefiles with their mxsrv blocks, in canonical form.",
		Example: fmtExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return f.run(u, args) },
	}
	c.Flags().BoolVarP(&f.write, "write", "w", false, "write to the files instead of standard output")
	c.Flags().BoolVarP(&f.diff, "diff", "d", false, "print a diff instead of the result")
	return c
}

// A formatted file is one that was read, and its canonical form.
type formatted struct {
	document
	result string
}

func (f *fmtFlags) run(u *ui, paths []string) error {
	if len(paths) == 0 {
		paths = []string{defaultCorefile}
	}
	files, err := f.read(u, paths)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := f.output(u, file); err != nil {
			return err
		}
	}
	if f.diff && !f.write && slices.ContainsFunc(files, formatted.differs) {
		return errFindings
	}
	return nil
}

func (f formatted) differs() bool { return f.result != f.text }

// output prints a file or how it differs, and writes it, as the flags say.
func (f *fmtFlags) output(u *ui, file formatted) error {
	if f.diff && file.differs() {
		u.diff(file.path+".orig", file.text, file.path, file.result)
	}
	if f.write && file.differs() {
		return pathError(file.path, replaceFile(file.path, []byte(file.result)))
	}
	if !f.diff && !f.write {
		fmt.Fprint(u.out, file.result)
	}
	return nil
}

// read reads and formats all files, before one is written.
func (f *fmtFlags) read(u *ui, paths []string) (files []formatted, err error) {
	var errs definition.Errors
	for _, path := range paths {
		if f.write && isStream(path) {
			return nil, hint.Add(errors.New("-w writes to files, and "+path+" is none"), "mxsrv fmt %s", path)
		}
		text, err := readText(path)
		if err != nil {
			return nil, err
		}
		var result string
		var some definition.Errors
		u.during(doing("formatting %s", path), func() { result, some = format(path, text) })
		errs = append(errs, some...)
		files = append(files, formatted{document{path, text}, result})
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return files, nil
}

// format returns the canonical form of a file. One without a single line of ours is that of another program, whose lines
// may mean something else then.
func format(path, text string) (string, definition.Errors) {
	if isCorefile(path, text) {
		return corefile.Format(path, text)
	}
	pos := definition.Pos{Source: path, Line: 1}
	known, lines, ours := append(definition.Keywords(), corefile.Options()...), 0, 0
	definition.EachStatement(pos, text, func(s definition.Statement) {
		if lines++; slices.Contains(known, s.Words[0]) {
			ours++
		}
	})
	if lines > 0 && ours == 0 {
		var errs definition.Errors
		errs.Add(pos, definition.Syntax, "no line of %s is a definition: give Corefiles and definitions files", path)
		return text, errs
	}
	return definition.Format(pos, text, 0)
}
