package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/change"
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
	commitFlags
	fragmentName, in         string
	deleteOthers, allowEmpty bool
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
	c.Flags().BoolVar(&f.deleteOthers, "delete-others", false, "delete the fragments in the folder of --in that are in no file, but not those under a lease")
	c.Flags().BoolVar(&f.allowEmpty, "allow-empty", false, "accept a directory without *.conf files")
	f.commitFlags.add(u, c)
	f.storeFlags.add(c)
	completeFlag(c, "name", f.fragmentNames)
	completeFlag(c, "in", f.folders)
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
	if err == nil {
		err = f.validFolder(s)
	}
	if err != nil {
		return err
	}
	r := &fragmentReader{putFlags: f, store: s, from: map[string]string{}}
	for _, path := range paths {
		if err := r.read(path); err != nil {
			return err
		}
	}
	if r.skipped != nil {
		u.note("skipped, for only *.conf files are put that are not hidden: %s", firstOf(r.skipped, " and "))
	}
	return f.end(u, f.open(u, s, func(entries []store.Entry, _ int64) error {
		changes, err := f.plan(u, r, entries)
		if err != nil {
			return err
		}
		return f.commit(u, s, entries, changes)
	}))
}

// validFolder returns an error if --in is no folder, or if --delete-others is without: others may have fragments at the
// prefix itself. The prefix is the folder "/".
func (f *putFlags) validFolder(s *store.Store) error {
	folder := strings.Trim(f.in, "/")
	switch {
	case f.in == "" && f.deleteOthers:
		return hint.Add(errors.New("--delete-others deletes what is in a folder: write --in FOLDER, "+
			"or --in / for all that is below the prefix"), "mxsrv put --in customers --delete-others customers/")
	case folder == "":
		return nil
	}
	_, err := s.ParseName(folder + "/")
	return err
}

// A fragmentReader reads the fragments of files, each key once.
type fragmentReader struct {
	*putFlags
	store     *store.Store
	fragments []change.Fragment
	from      map[string]string // the file of each key
	skipped   []string          // paths below a directory that are not read
}

const extension = ".conf"

// read reads a file, or the *.conf files in a directory. One that has none is an error, for it may be the wrong one.
func (r *fragmentReader) read(root string) error {
	if isStream(root) {
		return r.file(root, "")
	}
	before := len(r.fragments)
	if err := r.walk(root); err != nil || len(r.fragments) > before || r.allowEmpty {
		return err
	}
	return hint.Add(fmt.Errorf("%s has no *.conf files: write --allow-empty if that is right", root), "mxsrv put --allow-empty %s", root)
}

// walk reads a file, or what a directory has, but not what is hidden in it or no definitions file.
func (r *fragmentReader) walk(root string) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch hidden := path != root && strings.HasPrefix(filepath.Base(path), "."); {
		case err != nil:
			return pathError(path, err)
		case hidden && d.IsDir():
			r.skipped = append(r.skipped, path+"/")
			return filepath.SkipDir
		case d.IsDir() && r.fragmentName != "":
			return fmt.Errorf("--name is for one file, and %s is a directory: write --in", root)
		case d.IsDir():
			return nil
		case hidden || path != root && filepath.Ext(path) != extension:
			r.skipped = append(r.skipped, path)
			return nil
		case path == root:
			return r.file(path, filepath.Base(path))
		}
		name, _ := filepath.Rel(root, path) // it is below root
		return r.file(path, filepath.ToSlash(name))
	})
}

// file reads a file: one fragment, or all those that get has printed to it.
func (r *fragmentReader) file(path, name string) error {
	text, err := readText(path)
	if err != nil {
		return err
	}
	if strings.TrimSpace(text) == "" {
		return fmt.Errorf("%s is empty: write # into a file that declares nothing", path)
	}
	fragments := parsePrinted(text)
	if fragments == nil || r.fragmentName != "" {
		key, err := r.key(cmp.Or(r.fragmentName, strings.TrimSuffix(name, extension)))
		if err != nil {
			return err
		}
		fragments = []change.Fragment{{Key: key, Text: store.Tidy(text)}}
	}
	for _, fragment := range fragments {
		if err := r.add(fragment, path); err != nil {
			return err
		}
	}
	return nil
}

func (r *fragmentReader) add(f change.Fragment, path string) error {
	if !strings.HasPrefix(f.Key, r.store.Prefix) {
		return hint.Add(fmt.Errorf("%s: %s is not below %s: write --prefix", path, f.Key, r.store.Prefix), "mxsrv put --name NAME %s", path)
	}
	if before := r.from[f.Key]; before != "" {
		return fmt.Errorf("%s and %s are both %s: rename one", before, path, f.Key)
	}
	r.fragments, r.from[f.Key] = append(r.fragments, f), path
	return nil
}

func (r *fragmentReader) key(name string) (string, error) {
	if name == "" {
		return "", hint.Add(errors.New("what is no file has no name: write --name"), "mxsrv put --name mail -")
	}
	if r.in != "" {
		name = strings.Trim(r.in, "/") + "/" + name
	}
	key, err := r.store.ParseName(name)
	if err == nil && strings.HasSuffix(key, "/") {
		err = fmt.Errorf("name %q: write the name of a fragment, not of a folder", name)
	}
	return key, err
}

// plan returns the changes after which etcd has what was read.
func (f *putFlags) plan(u *ui, r *fragmentReader, entries []store.Entry) ([]store.Change, error) {
	existing := map[string]store.Entry{}
	for _, e := range entries {
		existing[e.Key] = e
	}
	var changes []store.Change
	for _, fragment := range r.fragments {
		e, ok := existing[fragment.Key]
		switch {
		case ok && store.Tidy(e.Text) == fragment.Text:
			f.print(u, madeChange{Key: fragment.Key, Change: "unchanged", Revision: e.Revision})
			continue
		case e.Lease != 0 && !f.force:
			u.note("%s is held by an instance, under lease %x: give the fragment another name", fragment.Key, e.Lease)
			return nil, errFindings
		}
		if fragment.Created = e.Created; !ok {
			fragment.Created = math.MaxInt64 // it is the youngest
		}
		changes = append(changes, store.Change{Edit: change.Edit{Fragment: fragment}, Before: e})
	}
	if f.deleteOthers {
		changes = append(changes, r.others(entries)...)
	}
	return changes, nil
}

// others returns the deletion of the fragments in the folder that were not read and have no lease.
func (r *fragmentReader) others(entries []store.Entry) []store.Change {
	folder := r.store.Prefix
	if r.in != "" {
		folder = r.store.Key(strings.Trim(r.in, "/") + "/")
	}
	return convert(filter(entries, func(e store.Entry) bool {
		return strings.HasPrefix(e.Key, folder) && r.from[e.Key] == "" && e.Lease == 0 && !r.store.Internal(e.Key)
	}), deletion)
}
