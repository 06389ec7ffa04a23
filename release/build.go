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
	share   = staging + "/share" // man/man1/mxsrv.1, completions/mxsrv.fish, ...
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

// buildTool writes the mxsrv of a version for a platform to its folder.
func buildTool(p platform, version string) error {
	return goBuild(p, top, "mxsrv", "./cmd/mxsrv", "main.release="+version)
}

// buildServer writes coredns, which says the version where it says its commit: the one of CoreDNS is in CoreDNS's.
func buildServer(p platform, version string) error {
	return goBuild(p, coredns, "coredns", ".", "github.com/coredns/coredns/coremain.GitCommit=mxsrv-"+version)
}

// goBuild builds a binary without a path or a state of this machine in it.
func goBuild(p platform, dir, name, pkg, value string) error {
	binary, err := filepath.Abs(filepath.Join(p.folder(), name))
	if err != nil {
		return err
	}
	c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X "+value, "-o", binary, pkg)
	c.Dir, c.Stdout, c.Stderr = dir, os.Stderr, os.Stderr
	c.Env = p.env()
	return c.Run()
}

// env returns the environment in which go builds for the platform, whatever is set here.
func (p platform) env() []string {
	return append(os.Environ(), "GOOS="+p.os, "GOARCH="+p.arch, "CGO_ENABLED=0",
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOFLAGS=", "GOWORK=off")
}
