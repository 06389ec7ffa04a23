package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

const putExamples = `  mxsrv put mail.conf                    the fragment "mail", unless servers would exclude it
  mxsrv put mail.conf customers/*.conf   several, checked together
  mxsrv put --in customers customers/    each *.conf file in a directory: customers/example.com ...
  mxsrv put --in customers --delete-others customers/
                                         and delete the fragments in the folder that have no file any more
  mxsrv put --name mail -                standard input
  mxsrv get > all.conf; vi all.conf; mxsrv put all.conf
                                         each fragment that get has printed goes back to its own key

Only fragments whose text is new are written, and none if servers would then exclude one of them or one that they
serve now. A fragment that an instance holds under a lease is not overwritten. --force writes all the same.

Exit status: 0 etcd has what the files have; 1 problems found, nothing is written; 2 usage or I/O error.`

type putFlags struct {
	storeFlags
	fragmentName, in    string
	force, deleteOthers bool
}

func putCommand(u *ui) *cobra.Command {
	f := new(putFlags)
	c := &cobra.Command{
		Use:     "put FILE|DIR|-...",
		Short:   "Write definitions to etcd, unless servers would exclude some",
		Long:    "Write definitions to etcd, after checking that no server would exclude them, or anything that\nit serves now. NAME.conf is the fragment called NAME.",
		Example: putExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return f.run(u, args) },
	}
	c.Flags().StringVar(&f.fragmentName, "name", "", "the `NAME` of the fragment (default that of the file, without .conf)")
	c.Flags().StringVar(&f.in, "in", "", "the `FOLDER` below the prefix for the names")
	c.Flags().BoolVar(&f.deleteOthers, "delete-others", false, "delete the fragments in the folder that are in no file, but not those under a lease")
	c.Flags().BoolVar(&f.force, "force", false, "write in any case")
	f.storeFlags.add(c)
	return c
}

func (f *putFlags) run(u *ui, paths []string) error {
	if len(paths) == 0 {
		return hint.Add(errors.New("put what? write at least one file"), "mxsrv put mail.conf")
	}
	if f.fragmentName != "" && len(paths) > 1 {
		return hint.Add(fmt.Errorf("--name is for one file, not %d", len(paths)), "mxsrv put --name %s %s", f.fragmentName, paths[0])
	}
	s, err := f.store()
	if err != nil {
		return err
	}
	fragments, err := f.read(s, paths)
	if err != nil {
		return err
	}
	entries, _, err := s.Open(context.Background())
	defer s.Close()
	if err != nil {
		return err
	}
	changes, err := f.plan(u, s, fragments, entries)
	if err != nil {
		return err
	}
	return commit(u, s, entries, changes, f.force)
}

// read reads the fragments of files, each key once.
func (f *putFlags) read(s *store.Store, paths []string) ([]change.Fragment, error) {
	var all []change.Fragment
	from := map[string]string{}
	for _, path := range paths {
		files, err := f.files(path)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			fragments, err := f.fragments(s, file)
			if err != nil {
				return nil, err
			}
			for _, fragment := range fragments {
				if before := from[fragment.Key]; before != "" {
					return nil, fmt.Errorf("%s and %s are both %s: rename one", before, file.path, fragment.Key)
				}
				from[fragment.Key] = file.path
			}
			all = append(all, fragments...)
		}
	}
	return all, nil
}

// A namedFile is a file, and the name of its fragment.
type namedFile struct{ path, name string }

const (
	standardInput = "-"
	extension     = ".conf"
)

// files returns the file of a path, or the *.conf files of a directory.
func (f *putFlags) files(path string) ([]namedFile, error) {
	info, err := os.Stat(path)
	switch {
	case path == standardInput:
		return []namedFile{{path, f.fragmentName}}, nil
	case err != nil:
		return nil, pathError(path, err)
	case !info.IsDir():
		return []namedFile{{path, strings.TrimSuffix(filepath.Base(path), extension)}}, nil
	case f.fragmentName != "":
		return nil, fmt.Errorf("--name is for one file, and %s is a directory: write --in", path)
	}
	var files []namedFile
	err = filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		hidden := file != path && strings.HasPrefix(d.Name(), ".")
		switch {
		case err != nil:
			return pathError(file, err)
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

// fragments reads a file: one fragment, or all those that get has printed to it.
func (f *putFlags) fragments(s *store.Store, file namedFile) ([]change.Fragment, error) {
	text, err := readText(file.path)
	if err != nil {
		return nil, err
	}
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("%s is empty: write # into a file that declares nothing", file.path)
	}
	if printed := parsePrinted(text); printed != nil && f.fragmentName == "" {
		i := slices.IndexFunc(printed, func(p change.Fragment) bool { return !strings.HasPrefix(p.Key, s.Prefix) })
		if i >= 0 {
			return nil, hint.Add(fmt.Errorf("%s: %s is not below %s: write --prefix", file.path, printed[i].Key, s.Prefix), "mxsrv put --name NAME %s", file.path)
		}
		return printed, nil
	}
	key, err := f.key(s, cmp.Or(f.fragmentName, file.name))
	return []change.Fragment{{Key: key, Text: store.Tidy(text)}}, err
}

// key returns the key of a fragment.
func (f *putFlags) key(s *store.Store, name string) (string, error) {
	if name == "" {
		return "", hint.Add(errors.New("standard input has no name: write --name"), "mxsrv put --name mail -")
	}
	if f.in != "" {
		name = strings.Trim(f.in, "/") + "/" + name
	}
	keys, err := s.Keys(name)
	if err != nil {
		return "", err
	}
	if strings.HasSuffix(keys[0], "/") {
		return "", fmt.Errorf("name %q: write the name of a fragment, not of a folder", name)
	}
	return keys[0], nil
}

// plan returns the changes after which etcd has some fragments.
func (f *putFlags) plan(u *ui, s *store.Store, fragments []change.Fragment, entries []store.Entry) ([]store.Change, error) {
	existing := map[string]store.Entry{}
	for _, e := range entries {
		existing[e.Key] = e
	}
	var changes []store.Change
	wanted := map[string]bool{}
	for _, fragment := range fragments {
		e, ok := existing[fragment.Key]
		wanted[fragment.Key] = true
		switch {
		case ok && store.Tidy(e.Text) == fragment.Text:
			u.line("put %s: unchanged, revision %d", fragment.Key, e.Revision)
			continue
		case e.Lease != 0 && !f.force:
			u.note("%s is held by an instance, under lease %x: give the fragment another name", fragment.Key, e.Lease)
			return nil, errFindings
		}
		if fragment.Created = e.Created; !ok {
			fragment.Created = math.MaxInt64 // it is the youngest
		}
		changes = append(changes, store.Change{Edit: change.Edit{Fragment: fragment}, Before: e.Revision})
	}
	if f.deleteOthers {
		changes = append(changes, f.others(s, entries, wanted)...)
	}
	return changes, nil
}

// others returns the deletion of the fragments in the folder that are not wanted and have no lease.
func (f *putFlags) others(s *store.Store, entries []store.Entry, wanted map[string]bool) []store.Change {
	folder := s.Prefix
	if f.in != "" {
		folder = s.Key(strings.Trim(f.in, "/") + "/")
	}
	var changes []store.Change
	for _, e := range entries {
		if strings.HasPrefix(e.Key, folder) && !wanted[e.Key] && e.Lease == 0 && !s.Internal(e.Key) {
			changes = append(changes, deletion(e))
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
		return "", pathError(path, err)
	}
	return string(text), nil
}

// commit makes changes if no server would then exclude any of them, or what it serves now; or if it is forced.
func commit(u *ui, s *store.Store, entries []store.Entry, changes []store.Change, force bool) error {
	if len(changes) == 0 {
		return nil
	}
	findings := unique(s.Consequences(entries, changes))
	u.findings(findings)
	if n := count(findings, lint.Error); n > 0 && !force {
		u.note("nothing is written because of %s; --force writes in any case", plural(n, "error"))
		return errFindings
	}
	for part := range slices.Chunk(changes, store.MaxChanges) {
		revision, conflicts, err := s.Commit(part)
		for _, key := range conflicts {
			u.note("%s was changed by somebody else just now: look at it, and try again", key)
		}
		if err == nil && conflicts != nil {
			err = errFindings
		}
		if err != nil {
			return err
		}
		for _, c := range part {
			u.line("%s", committed(s, c, revision))
		}
	}
	return nil
}

// committed says what a change has done.
func committed(s *store.Store, c store.Change, revision int64) string {
	switch {
	case c.Gone:
		return fmt.Sprintf("delete %s: deleted, revision %d: withdraws %s", c.Key, revision, withdrawn(s, c.Fragment))
	case c.Before == 0:
		return fmt.Sprintf("put %s: created, revision %d", c.Key, revision)
	}
	return fmt.Sprintf("put %s: changed, revision %d", c.Key, revision)
}
