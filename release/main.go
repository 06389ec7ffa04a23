// Command release writes what a release consists of to dist: see "make release".
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

func main() {
	version := flag.String("version", "", "the version, like v0.1.0")
	date := flag.Int64("date", 0, "when that was committed, in seconds since 1970")
	binaries := flag.Bool("binaries", false, "write binaries and licenses to build/release, and nothing else")
	flag.Parse()
	e := edition{*version, time.Unix(*date, 0).UTC()}
	do := e.release
	if *binaries {
		do = e.binaries
	}
	if err := forPlatforms(flag.Args(), do); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// forPlatforms does something for platforms, all of which must be right before anything is done.
func forPlatforms(texts []string, do func([]platform) error) error {
	var platforms []platform
	for _, text := range texts {
		p, err := parsePlatform(text)
		if err != nil {
			return err
		}
		platforms = append(platforms, p)
	}
	return do(platforms)
}

// release writes archives for platforms, and packages for those of Linux.
func (e edition) release(platforms []platform) error {
	for _, dir := range []string{staging, dist} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	tool := platform{runtime.GOOS, runtime.GOARCH}
	if err := buildTool(tool, e.version); err != nil {
		return err
	}
	if err := e.writeManual(filepath.Join(tool.folder(), "mxsrv")); err != nil {
		return err
	}
	if err := e.binaries(platforms); err != nil {
		return err
	}
	for _, p := range platforms {
		if err := e.platform(p); err != nil {
			return err
		}
	}
	return writeSums(dist)
}

// binaries builds for platforms, and writes the licenses of what is built in.
func (e edition) binaries(platforms []platform) error {
	for _, p := range platforms {
		if err := errors.Join(buildTool(p, e.version), buildServer(p, e.version), p.writeLicenses()); err != nil {
			return err
		}
	}
	return nil
}

// completions are the files with which shells complete the words of the tool.
var completions = map[string]string{"bash": "mxsrv.bash", "zsh": "_mxsrv", "fish": "mxsrv.fish"}

// writeManual writes the man pages and the completions that a binary of the tool, README.md and docs make.
func (e edition) writeManual(mxsrv string) error {
	documents, err := e.documents(top)
	if err != nil {
		return err
	}
	commands, err := e.commands(mxsrv)
	if err != nil {
		return err
	}
	for _, p := range slices.Concat(documents, commands) {
		if err := write(filepath.Join(share, "man", p.file()), p.text); err != nil {
			return err
		}
	}
	for shell, file := range completions {
		script, err := exec.Command(mxsrv, "completion", shell).Output()
		if err != nil {
			return fmt.Errorf("completion of %s: %w", shell, err)
		}
		if err := write(filepath.Join(share, "completions", file), string(script)); err != nil {
			return err
		}
	}
	return nil
}

func write(file, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
