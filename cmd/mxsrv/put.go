package main

import (
	"context"
	"errors"
	"fmt"
	plugchange "github.com/mxsrv/mxsrv/plugin/change"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

const putExamples = `  mxsrv put mail.conf                    the fragment "mail", if servers would serve it
  mxsrv put mail.conf customers/*.conf   several, judged together
  mxsrv put --in customers customers/    each *.conf file in a directory: customers/example.com ...
  mxsrv put --in customers --delete-others customers/
                                         and delete what is no file there any more
  mxsrv put --name mail -                what standard input has
  mxsrv get > all.conf; vi all.conf; mxsrv put all.conf
                                         what get prints goes where it came from

A fragment is written only if its text is another than before, and nothing is written if servers would then
leave out a fragment: one that is put, or one that they serve now. One that an instance holds under a lease is
not overwritten. --force writes all the same.

Exit code: 0 if all is as the files say, 1 if something is wrong and nothing is written, 2 if it cannot be told.`

// putting is what the command line says of what to put.
type putting struct {
	storing
	fragmentName, in    string
	force, deleteOthers bool
}

func putCommand(u *ui) *cobra.Command {
	p := new(putting)
	c := &cobra.Command{
		Use:     "put FILE|DIR|-...",
		Short:   "Write definitions to etcd, if servers would serve them",
		Long:    "Write definitions to etcd, if servers would serve them. NAME.conf is the fragment\ncalled NAME.",
		Example: putExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return p.run(u, args) },
	}
	c.Flags().StringVar(&p.fragmentName, "name", "", "the `NAME` of the fragment; that of the file, without .conf, if left out")
	c.Flags().StringVar(&p.in, "in", "", "the `FOLDER` below the prefix that the names are in")
	c.Flags().BoolVar(&p.deleteOthers, "delete-others", false, "delete the fragments in the folder that are in no file, but not those under a lease")
	c.Flags().BoolVar(&p.force, "force", false, "write all the same")
	p.storing.flags(c)
	return c
}

func (p *putting) run(u *ui, paths []string) error {
	if len(paths) == 0 {
		return withHint(errors.New("put what? write at least one file"), "mxsrv put mail.conf")
	}
	if p.fragmentName != "" && len(paths) > 1 {
		return withHint(fmt.Errorf("--name is for one file, not %d", len(paths)), "mxsrv put --name %s %s", p.fragmentName, paths[0])
	}
	s, err := p.open()
	if err != nil {
		return err
	}
	defer s.close()
	wanted, err := p.read(s, paths)
	if err != nil {
		return err
	}
	all, _, err := s.list(context.Background())
	if err != nil {
		return err
	}
	changes, err := p.plan(u, s, wanted, all)
	if err != nil {
		return err
	}
	return s.change(u, all, changes, p.force)
}

// read reads the fragments of files, each key once.
func (p *putting) read(s *store, paths []string) ([]plugchange.Fragment, error) {
	var wanted []plugchange.Fragment
	from := map[string]string{}
	for _, path := range paths {
		files, err := p.files(path)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			fragments, err := p.fragments(s, f)
			if err != nil {
				return nil, err
			}
			for _, fragment := range fragments {
				if before := from[fragment.Key]; before != "" {
					return nil, fmt.Errorf("%s and %s are both %s: rename one", before, f.path, fragment.Key)
				}
				from[fragment.Key] = f.path
			}
			wanted = append(wanted, fragments...)
		}
	}
	return wanted, nil
}

// A namedFile is a file, and the name that it has without its extension.
type namedFile struct{ path, name string }

const (
	standardInput = "-"
	extension     = ".conf"
)

// files returns the file of a path, or the *.conf files of a directory.
func (p *putting) files(path string) ([]namedFile, error) {
	info, err := os.Stat(path)
	switch {
	case path == standardInput:
		return []namedFile{{path, p.fragmentName}}, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %v", path, pathCause(err))
	case !info.IsDir():
		return []namedFile{{path, strings.TrimSuffix(filepath.Base(path), extension)}}, nil
	case p.fragmentName != "":
		return nil, fmt.Errorf("--name is for one file, and %s is a directory: write --in", path)
	}
	var files []namedFile
	err = filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		hidden := file != path && strings.HasPrefix(d.Name(), ".")
		switch {
		case err != nil:
			return fmt.Errorf("%s: %v", file, pathCause(err))
		case hidden && d.IsDir():
			return filepath.SkipDir
		case hidden || d.IsDir() || filepath.Ext(file) != extension:
			return nil
		}
		name, _ := filepath.Rel(path, file) // it is below path
		files = append(files, namedFile{file, strings.TrimSuffix(filepath.ToSlash(name), extension)})
		return nil
	})
	return files, err
}

// fragments reads a file: a fragment, or all those of which get printed it.
func (p *putting) fragments(s *store, f namedFile) ([]plugchange.Fragment, error) {
	text, err := readText(f.path)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("%s is empty: write # into what is to declare nothing", f.path)
	}
	if printed := parsePrinted(text); printed != nil && p.fragmentName == "" {
		return printed, s.below(f.path, printed)
	}
	name := f.name
	if p.fragmentName != "" {
		name = p.fragmentName
	}
	if name == "" {
		return nil, withHint(errors.New("standard input has no name: write --name"), "mxsrv put --name mail -")
	}
	if p.in != "" {
		name = strings.Trim(p.in, "/") + "/" + name
	}
	keys, err := s.properKeys([]string{name})
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(keys[0], "/") {
		return nil, fmt.Errorf("name %q: write the name of a fragment, not of a folder", name)
	}
	return []plugchange.Fragment{{Key: keys[0], Text: tidy(text)}}, nil
}

// below returns an error if a fragment that get printed is of another prefix.
func (s *store) below(path string, printed []plugchange.Fragment) error {
	for _, f := range printed {
		if !strings.HasPrefix(f.Key, s.Prefix) {
			return withHint(fmt.Errorf("%s: %s is not below %s: write --prefix", path, f.Key, s.Prefix), "mxsrv put --name NAME %s", path)
		}
	}
	return nil
}

// plan returns what is to be done so that etcd has what is wanted.
func (p *putting) plan(u *ui, s *store, wanted []plugchange.Fragment, all []kept) ([]change, error) {
	there := map[string]kept{}
	for _, k := range all {
		there[k.Key] = k
	}
	var changes []change
	keep := map[string]bool{}
	for _, f := range wanted {
		k, ok := there[f.Key]
		keep[f.Key] = true
		switch {
		case ok && sameText(k.Text, f.Text):
			u.line("put %s: unchanged, revision %d", f.Key, k.changed)
			continue
		case k.lease != 0 && !p.force:
			u.note("%s is held by an instance, under lease %x: give the fragment another name", f.Key, k.lease)
			return nil, errNotFine
		}
		if f.Created = k.Created; !ok {
			f.Created = math.MaxInt64 // it is the youngest
		}
		changes = append(changes, change{plugchange.Edit{Fragment: f}, k.changed})
	}
	if p.deleteOthers {
		changes = append(changes, p.others(s, all, keep)...)
	}
	return changes, nil
}

// others returns the deletion of what is in the folder, is to stay as far as etcd
// knows, and is not wanted.
func (p *putting) others(s *store, all []kept, keep map[string]bool) []change {
	folder := s.Prefix
	if p.in != "" {
		folder = s.key(strings.Trim(p.in, "/") + "/")
	}
	var changes []change
	for _, k := range all {
		if strings.HasPrefix(k.Key, folder) && !keep[k.Key] && k.lease == 0 && !s.own(k.Key) {
			changes = append(changes, change{plugchange.Edit{Fragment: k.Fragment, Gone: true}, k.changed})
		}
	}
	return changes
}

// readText reads a file, or standard input.
func readText(path string) (string, error) {
	if path == standardInput {
		text, err := io.ReadAll(os.Stdin)
		return string(text), err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%s: %v", path, pathCause(err))
	}
	return string(text), nil
}
