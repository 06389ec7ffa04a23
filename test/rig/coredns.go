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
	copied := t.TempDir()
	err := os.CopyFS(copied, os.DirFS(dir))
	if err == nil {
		err = os.WriteFile(filepath.Join(copied, "Corefile"), []byte(corefile), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, binary, copied)
	return s
}

func (s *Server) run(t testing.TB, binary, dir string) {
	t.Helper()
	cmd := exec.Command(binary)
	cmd.Dir = dir
	s.Process = Run(t, cmd, "CoreDNS-")
}

// Restart kills the server and starts it again where it was.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill()
	s.run(t, s.Path, s.Dir)
}
