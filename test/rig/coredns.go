package rig

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Build builds the program of a package into a directory, with some flags, and returns
// its path.
func Build(dir, pkg string, flags ...string) (string, error) {
	path := filepath.Join(dir, filepath.Base(pkg))
	args := append(append([]string{"build", "-o", path}, flags...), pkg)
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %v\n%s", pkg, err, out)
	}
	return path, nil
}

// A Server is a CoreDNS that was started.
type Server struct {
	*Process
	At map[string]string // the address of each port in the Corefile, as ":1053"
}

// CoreDNS runs a binary with a Corefile in a copy of a directory, its ports 1050 to 1059
// replaced by free ones, until the test ends.
func CoreDNS(t testing.TB, binary, dir, corefile string) *Server {
	t.Helper()
	s := &Server{At: map[string]string{}}
	corefile = regexp.MustCompile(`:105\d\b`).ReplaceAllStringFunc(corefile, func(port string) string {
		if s.At[port] == "" {
			s.At[port] = "127.0.0.1:" + Port(t)
		}
		return strings.TrimPrefix(s.At[port], "127.0.0.1")
	})
	cmd := exec.Command(binary)
	cmd.Dir = t.TempDir()
	if err := os.CopyFS(cmd.Dir, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cmd.Dir, "Corefile"), []byte(corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Process = Run(t, cmd, ready)
	return s
}

// ready is what CoreDNS prints last when it starts.
const ready = "CoreDNS-"

// Restart kills the server and starts it again where it was.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill()
	cmd := exec.Command(s.Path)
	cmd.Dir = s.Dir
	s.Process = Run(t, cmd, ready)
}
