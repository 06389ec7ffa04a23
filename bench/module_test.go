package main

import (
	"maps"
	"os"
	"regexp"
	"testing"
)

var requirement = regexp.MustCompile(`(?m)^\s+(\S+/\S+) (v\S+)`)

// TestVersions: the servers are built of the same versions as mxsrv itself is.
// What draws and counts may be of any.
func TestVersions(t *testing.T) {
	own, of := requirements(t, "go.mod"), requirements(t, "../go.mod")
	common := 0
	for path, version := range own {
		want, ok := of[path]
		if !ok {
			continue
		}
		common++
		if version != want {
			t.Errorf("%s is %s here and %s in mxsrv: go get %[1]s@%[3]s", path, version, want)
		}
	}
	if common < 10 {
		t.Errorf("%d modules in common: %v", common, maps.Collect(maps.All(own)))
	}
}

func requirements(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for _, found := range requirement.FindAllStringSubmatch(string(text), -1) {
		versions[found[1]] = found[2]
	}
	return versions
}
