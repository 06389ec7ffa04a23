package file

import (
	"path/filepath"
	"slices"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// Accepted implements source.Restorer.
func (f *Source) Accepted(c *change.Content) source.Accepted {
	a := source.Accepted{Keys: c.Keys.(*Keys).accepted()}
	for _, p := range f.Patterns {
		a.Patterns = append(a.Patterns, p.Path)
	}
	for _, d := range c.Documents {
		a.Files = append(a.Files, source.File{Path: d.Source(), Text: d.Text()})
	}
	return a
}

// Restore implements source.Restorer. For a pattern that was accepted all is as it was then, whatever has changed, come
// or gone since; for another one, those of its files are that were accepted for any pattern.
func (f *Source) Restore(accepted []source.Accepted) *change.Content {
	keys := restoredKeys(f.Root, accepted)
	c := &change.Content{Keys: keys, Doing: f.Doing}
	reader, added := definition.NewReader(f.Zones), make(map[string]bool)
	reader.SetFiles(keys.Read)
	for _, p := range f.Patterns {
		files := filesOf(p.Path, accepted)
		if len(files) == 0 {
			now := (&Source{Patterns: []Pattern{p}, Root: f.Root, Zones: f.Zones, Doing: f.Doing}).Load()
			c.Errs = append(c.Errs, now.Errs...)
			files = acceptedOr(now.Documents, accepted)
		}
		for _, file := range files {
			if !added[file.Path] {
				added[file.Path] = true
				c.Documents = append(c.Documents, change.NewDocument(file.Path, file.Text, reader))
			}
		}
	}
	return c
}

// filesOf returns the files that were accepted for a pattern, or the one that has it as its path.
func filesOf(pattern string, accepted []source.Accepted) []source.File {
	for _, a := range accepted {
		followed := slices.Contains(a.Patterns, pattern)
		var files []source.File
		for _, f := range a.Files {
			if matches, _ := filepath.Match(pattern, f.Path); f.Path == pattern || followed && matches {
				files = append(files, f)
			}
		}
		if len(files) > 0 {
			return files
		}
	}
	return nil
}

// acceptedOr returns files as they were accepted, or else as they are now.
func acceptedOr(now []*change.Document, accepted []source.Accepted) (files []source.File) {
	for _, d := range now {
		if old := filesOf(d.Source(), accepted); len(old) > 0 {
			files = append(files, old[0])
		} else {
			files = append(files, source.File{Path: d.Source(), Text: d.Text()})
		}
	}
	return files
}
