package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The folders that a release is made of and in, from that of this module.
const (
	top     = ".."               // of the repository
	coredns = "../build/coredns" // the source of CoreDNS with mxsrv: make coredns-source
	staging = "../build/release" // OS-ARCH/coredns, OS-ARCH/mxsrv
	dist    = "../dist"
)

// A platform is a GOOS and a GOARCH.
type platform struct{ os, arch string }

func parsePlatform(text string) (platform, error) {
	os, arch, ok := strings.Cut(text, "/")
	if !ok {
		return platform{}, fmt.Errorf("%q is no platform: write one like linux/amd64", text)
	}
	return platform{os, arch}, nil
}

func (p platform) String() string { return p.os + "-" + p.arch }

// folder returns where the binaries of the platform are.
func (p platform) folder() string { return filepath.Join(staging, p.String()) }

// build writes coredns and mxsrv for a platform, which say a version, to its folder. No path and no state of this
// machine gets into them.
func build(p platform, version string) error {
	if err := goBuild(p, top, "mxsrv", "./cmd/mxsrv", "main.release="+version); err != nil {
		return err
	}
	return goBuild(p, coredns, "coredns", ".", "github.com/coredns/coredns/coremain.GitCommit=mxsrv-"+version)
}

func goBuild(p platform, dir, name, pkg, value string) error {
	binary, err := filepath.Abs(filepath.Join(p.folder(), name))
	if err != nil {
		return err
	}
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X "+value, "-o", binary, pkg)
	c.Dir, c.Stdout, c.Stderr = dir, os.Stderr, os.Stderr
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+p.os, "GOARCH="+p.arch)
	return c.Run()
}
