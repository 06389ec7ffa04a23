package test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"go.yaml.in/yaml/v2"

	"github.com/mxsrv/mxsrv/test/rig"
)

// A composed is what docs/deploy/compose.yaml says of its services, in a network of this machine.
type composed struct {
	*rig.Cluster
	tool     string
	answers  atomic.Bool // of the web server of all containers
	site     *httptest.Server
	Services map[string]struct {
		Command     []string
		Entrypoint  []string
		Healthcheck struct{ Test []string }
	}
}

func newComposed(t *testing.T) *composed {
	t.Helper()
	c := &composed{Cluster: rig.Etcd(t, 1), tool: buildTool(t)}
	if err := yaml.Unmarshal([]byte(read(t, "../docs/deploy/compose.yaml")), c); err != nil {
		t.Fatal(err)
	}
	c.answers.Store(true)
	c.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !c.answers.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(c.site.Close)
	return c
}

// container runs what a container of the service web does, but for nginx: the program beside which it is registered is
// another, and one web server answers for all.
func (c *composed) container(t *testing.T, name, address string) *rig.Process {
	t.Helper()
	bin, web := t.TempDir(), c.Services["web"]
	if err := os.WriteFile(filepath.Join(bin, "hostname"), []byte("#!/bin/sh\necho "+address+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	script := strings.NewReplacer("$$", "$", "etcd:2379", c.Members[0].Addr(), "http://127.0.0.1:8080/", c.site.URL,
		"--interval 2s", "--interval 100ms", `nginx -g "daemon off;"`, "sleep 600").Replace(web.Command[0])
	cmd := exec.Command(web.Entrypoint[0], append(web.Entrypoint[1:], script)...)
	cmd.Env = append(os.Environ(), "HOSTNAME="+name, "PATH="+bin+":"+filepath.Dir(c.tool)+":"+os.Getenv("PATH"))
	return runProcess(t, cmd, "/mxsrv/web/"+name+" is registered")
}

// TestDeployCompose: containers are in DNS while they run and their server answers; the health check of the server
// tells whether it runs; and a server that starts without etcd has what was there.
func TestDeployCompose(t *testing.T) {
	rig.Peer(t, "curl")
	c, state := newComposed(t), t.TempDir()
	s := start(t, t.TempDir(), strings.NewReplacer(
		"example.org {", "example.org:1053 {\n    bind 127.0.0.1", ". {", ".:1053 {\n    bind 127.0.0.1",
		"etcd:2379", c.Members[0].Addr(), "/var/lib/coredns", state, ":9153", "127.0.0.1:1054",
		"/etc/resolv.conf", "127.0.0.1",
	).Replace(read(t, "../docs/deploy/Corefile.compose")))
	servers := []*server{s}

	one := c.container(t, "c1", "172.30.53.7")
	c.container(t, "c2", "172.30.53.8")
	same(t, servers, "web-c1.example.org A", "web-c1.example.org. 10 in a 172.30.53.7")
	targets := func(want int) func() bool {
		return func() bool { return len(s.ask(t, "udp", query(t, "_http._tcp.example.org SRV")).Answer) == want }
	}
	same(t, servers, "_http._tcp.example.org SRV", "_http._tcp.example.org. 10 in srv 0 1 8080 web-c2.example.org.")
	eventually(t, s, "both answer", targets(2))
	one.Signal(syscall.SIGTERM)
	if code, err := one.Wait(rig.Limit); code != 128+int(syscall.SIGTERM) {
		t.Errorf("exit status %d, %v\n%s", code, err, one)
	}
	eventually(t, s, "one is left", targets(1))
	c.answers.Store(false)
	eventually(t, s, "none answers", targets(0))
	c.answers.Store(true)
	eventually(t, s, "one answers", targets(1))

	healthy := func() error {
		check := c.Services["coredns"].Healthcheck.Test // CMD, program, arguments
		args := append(check[2:len(check)-1:len(check)-1], "http://"+s.at[":1054"])
		return exec.Command(c.tool, args...).Run()
	}
	if err := healthy(); err != nil {
		t.Error("it is not healthy: ", err)
	}
	eventually(t, s, "the snapshot is written", func() bool {
		text, _ := os.ReadFile(filepath.Join(state, "snapshot"))
		return strings.Contains(string(text), "web-c2") && !strings.Contains(string(text), "web-c1")
	})
	c.Members[0].Kill()
	s.Kill()
	if healthy() == nil {
		t.Error("it is healthy after its end")
	}
	s.restart(t)
	same(t, servers, "web-c2.example.org A", "web-c2.example.org. 10 in a 172.30.53.8")
}
