package main

import (
	"runtime/debug"
	"testing"
)

// TestVersions: with and without what a build may know.
func TestVersions(t *testing.T) {
	coredns := []*debug.Module{{Path: "github.com/coredns/caddy", Version: "v1.1.4"}, {Path: "github.com/coredns/coredns", Version: "v1.15.0"}}
	for _, tc := range []struct {
		name, want string
		info       debug.BuildInfo
	}{
		{"of a repository", "mxsrv v0.1.0\ncommit 1234abcd\nGo 1.26.1\nCoreDNS 1.15.0", debug.BuildInfo{
			GoVersion: "go1.26.1", Main: debug.Module{Version: "v0.1.0"}, Deps: coredns,
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "1234abcd"}, {Key: "vcs.modified", Value: "false"}}}},
		{"modified", "mxsrv (devel)\ncommit 1234abcd, modified\nGo 1.26.1\nCoreDNS 1.15.0", debug.BuildInfo{
			GoVersion: "go1.26.1", Main: debug.Module{Version: "(devel)"}, Deps: coredns,
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "1234abcd"}, {Key: "vcs.modified", Value: "true"}}}},
		{"installed", "mxsrv v0.1.0\nGo 1.26.1\nCoreDNS 1.15.0", debug.BuildInfo{
			GoVersion: "go1.26.1", Main: debug.Module{Version: "v0.1.0"}, Deps: coredns}},
	} {
		if got := versions(&tc.info); got != tc.want {
			t.Errorf("%s\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}
