package test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v2"
)

// TestPackageCorefile: what the Debian package serves as installed has no mistake, and is for this machine alone.
func TestPackageCorefile(t *testing.T) {
	corefile := read(t, "../release/deb/Corefile.head") + read(t, "../cmd/internal/example/Corefile")
	checkStrict(t, corefile)
	if !strings.Contains(corefile, "\nexample.com:1053 {\n    bind 127.0.0.1\n") || strings.Count(corefile, "\n}\n") != 1 {
		t.Error("it is served to others")
	}
	check(t, start(t, t.TempDir(), corefile), read(t, "testdata/embedded.txt"))
}

// TestImageCorefile: the image serves the same on port 53 of all addresses of the container.
func TestImageCorefile(t *testing.T) {
	m := regexp.MustCompile(`sed '(.*)' (cmd/\S*/Corefile) `).FindStringSubmatch(read(t, "../Dockerfile"))
	if m == nil {
		t.Fatal("the Dockerfile makes no Corefile")
	}
	corefile, err := exec.Command("sed", m[1], filepath.Join("..", m[2])).Output()
	if err != nil {
		t.Fatal(err)
	}
	checkStrict(t, string(corefile))
	if !strings.Contains(string(corefile), "\nexample.com {\n    errors\n    mxsrv {\n") {
		t.Errorf("it is served elsewhere\n%s", corefile)
	}
}

// TestCompose: both services mount what the image reads, and the server what it writes.
func TestCompose(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Image    string
			Volumes  []string
			ReadOnly bool `yaml:"read_only"`
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, "../compose.yaml")), &compose); err != nil {
		t.Fatal(err)
	}
	image := read(t, "../Dockerfile")
	reads := "./coredns:" + regexp.MustCompile(`(?m)^WORKDIR (/etc.*)$`).FindStringSubmatch(image)[1] + ":ro"
	writes := "state:" + regexp.MustCompile(`(?m)^ENV STATE_DIRECTORY=(.*)$`).FindStringSubmatch(image)[1]
	for name, want := range map[string][]string{"check": {reads}, "dns": {reads, writes}} {
		if s := compose.Services[name]; !slices.Equal(s.Volumes, want) || !s.ReadOnly || s.Image != "mxsrv" {
			t.Errorf("%s: %+v, want read-only but for %q", name, s, want)
		}
	}
}

// checkStrict checks a Corefile, warnings and layout too.
func checkStrict(t *testing.T, corefile string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "Corefile")
	write(t, file, corefile)
	for _, args := range [][]string{{"check", "--strict", file}, {"fmt", "-d", file}} {
		if out, err := exec.Command(buildTool(t), args...).CombinedOutput(); err != nil || args[0] == "fmt" && len(out) > 0 {
			t.Errorf("%s: %v\n%s", args[0], err, out)
		}
	}
}
