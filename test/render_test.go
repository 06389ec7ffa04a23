package test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/test/rig"
)

// buildTool returns the path of the mxsrv tool.
func buildTool(t *testing.T) string {
	t.Helper()
	tool, err := rig.Build(t.TempDir(), "../cmd/mxsrv")
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

var zoneLine = regexp.MustCompile(`(?m)^; (\S+)\. by the definitions of`)

// TestRender: what mxsrv render makes of every example is a zone that BIND loads.
func TestRender(t *testing.T) {
	checkzone, tool := rig.Peer(t, "named-checkzone"), buildTool(t)
	corefiles, err := filepath.Glob("../examples/*/Corefile")
	if err != nil || len(corefiles) < 10 {
		t.Fatalf("%d examples found, want at least 10 (%v)", len(corefiles), err)
	}
	const enough = 3 // zones of an example: one has a thousand
	for _, corefile := range corefiles {
		t.Run(filepath.Base(filepath.Dir(corefile)), func(t *testing.T) {
			zones := zoneLine.FindAllStringSubmatch(output(t, tool, "render", corefile), enough)
			if len(zones) == 0 {
				t.Error("no zone")
			}
			for _, zone := range zones {
				file := filepath.Join(t.TempDir(), "zone")
				write(t, file, output(t, tool, "render", corefile, "--zone", zone[1]))
				out := output(t, checkzone, "-i", "local", zone[1], file)
				if !strings.HasSuffix(out, "\nOK\n") || strings.Contains(out, "error") {
					t.Errorf("%s: %s", zone[1], out)
				}
			}
		})
	}
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
