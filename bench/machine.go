package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// machine returns what the figures are from, as Linux tells it.
func machine() string {
	kilobytes := 0.0
	fmt.Sscan(found("/proc/meminfo", `MemTotal:\s*(\d+)`), &kilobytes)
	return fmt.Sprintf("%s, %d cores, %.0f GB of memory, Linux %s", found("/proc/cpuinfo", `model name\s*: (.*)`),
		runtime.NumCPU(), kilobytes*1024/1e9, found("/proc/sys/kernel/osrelease", `^([^-\n]*)`))
}

// found returns the first group of a pattern in a file.
func found(path, pattern string) string {
	text, _ := os.ReadFile(path)
	if m := regexp.MustCompile(pattern).FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return "unknown"
}

// versions returns what was measured: what is in the server, and the programs beside it.
func versions(server string, beside []peer) []string {
	all := []string{"mxsrv " + commit()}
	if info, err := buildinfo.ReadFile(server); err == nil {
		for _, m := range info.Deps {
			if m.Path == "github.com/coredns/coredns" {
				all = append(all, "CoreDNS "+m.Version)
			}
		}
		all = append(all, "Go "+strings.TrimPrefix(info.GoVersion, "go"))
	}
	asked := map[string]bool{"": true}
	for _, p := range append(slices.Clone(beside), peer{program: "dnsperf", version: "-h"}) {
		if _, err := exec.LookPath(p.program); err == nil && !asked[p.program] {
			out, _ := exec.Command(p.program, p.version).CombinedOutput()
			all = append(all, p.program+" "+versionIn(string(out)))
		}
		asked[p.program] = true
	}
	return all
}

var (
	versionNumber = regexp.MustCompile(`[0-9]+\.[0-9]+[0-9.]*`)
	versionLine   = regexp.MustCompile(`(?i)version|^BIND|PowerDNS A`)
)

// versionIn returns the first number with a point on a line about the version, as all
// programs print one.
func versionIn(text string) string {
	for line := range strings.Lines(text) {
		if number := versionNumber.FindString(line); number != "" && versionLine.MatchString(line) {
			return number
		}
	}
	return "of unknown version"
}

// commit returns that of the working tree, with a mark if it has changed since.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "of unknown commit"
	}
	return strings.TrimSpace(string(out))
}
