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

	"github.com/mxsrv/mxsrv/bench/rig"
)

// machine tells where the figures are from.
func machine() string {
	return fmt.Sprintf("%s, %d cores, %s, %s", processor(), runtime.NumCPU(), memory(), kernel())
}

// processor returns the model of the processor, where Linux tells it.
func processor() string { return found("/proc/cpuinfo", `model name\s*: (.*)`, "unknown processor") }

func memory() string {
	kilobytes := 0
	fmt.Sscan(found("/proc/meminfo", `MemTotal:\s*(\d+)`, ""), &kilobytes)
	return fmt.Sprintf("%.0f GB of memory", float64(kilobytes)*1024/1e9)
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	release, _, _ := strings.Cut(string(text), "-")
	return "Linux " + strings.TrimSpace(release)
}

func found(path, pattern, otherwise string) string {
	text, _ := os.ReadFile(path)
	if m := regexp.MustCompile(pattern).FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return otherwise
}

// versions tells what was measured: what is in the server of the benchmark, and
// the programs beside it.
func versions(server string) []string {
	all := []string{"mxsrv " + commit()}
	if info, err := buildinfo.ReadFile(server); err == nil {
		for _, m := range info.Deps {
			if m.Path == "github.com/coredns/coredns" {
				all = append(all, "CoreDNS "+m.Version)
			}
		}
		all = append(all, "Go "+strings.TrimPrefix(info.GoVersion, "go"))
	}
	absent := missing()
	for _, p := range peers {
		if p.program != "" && !slices.ContainsFunc(absent, func(a peer) bool { return a.name == p.name }) {
			all = append(all, told(p.program, p.version))
		}
	}
	return append(all, told("dnsperf", "-h"))
}

var versionNumber = regexp.MustCompile(`[0-9]+\.[0-9]+[0-9.]*`)

// told returns the program with the version that it tells when asked so.
func told(program, argument string) string {
	out, _ := exec.Command(program, argument).CombinedOutput()
	return program + " " + versionIn(string(out))
}

// versionIn finds the first number with a point on a line that is about the
// version, as they all print one.
func versionIn(text string) string {
	for line := range strings.Lines(text) {
		if number := versionNumber.FindString(line); number != "" && versionLine.MatchString(line) {
			return number
		}
	}
	return "of unknown version"
}

var versionLine = regexp.MustCompile(`(?i)version|^BIND`)

// commit is the one that the working tree is of, with a mark if it has changed
// since.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "of no known commit"
	}
	return strings.TrimSpace(string(out))
}

// required reports what the machine lacks.
func required() error {
	if runtime.NumCPU() < 2 {
		return fmt.Errorf("one core: two are needed, for the server and for dnsperf")
	}
	return rig.Need(rig.Dnsperf, rig.Taskset, rig.Stdbuf)
}
