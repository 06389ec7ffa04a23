package main

import (
	"path/filepath"
	"testing"
)

// TestLicenses: each text is there once, with all whose it is, of packages as of modules; a module needs one.
func TestLicenses(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"LICENSE": "above all modules", "a/LICENSE": "MIT", "a/license.go": "package a", "a/x/COPYING.txt": "BSD", "a/y/LICENSE-MIT": "MIT",
		"a/z/LICENSE": "not built in", "b/Licence.md": "MIT\n", "b/NOTICE": "by B", "c/README": "none",
	} {
		if err := write(filepath.Join(dir, name), text); err != nil {
			t.Fatal(err)
		}
	}
	of := func(module, pkg string) dependency {
		root := filepath.Join(dir, module)
		return dependency{module + " v1", root, filepath.Join(root, pkg)}
	}
	texts := licenses{"Go's": {"Go": true}}
	if err := texts.collect([]dependency{of("a", "x"), of("a", "."), of("a", "y"), of("b", ".")}); err != nil {
		t.Fatal(err)
	}
	const line = "\n\n================================================================================\n\n"
	const want = "Go\n\nGo's" + line + "a v1\na v1/y\nb v1\n\nMIT" + line + "a v1/x\n\nBSD" + line + "b v1\n\nby B" + line
	if got := texts.String(); got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
	if err := texts.collect([]dependency{of("c", ".")}); err == nil || err.Error() != "c v1 has no license" {
		t.Error(err)
	}
}
