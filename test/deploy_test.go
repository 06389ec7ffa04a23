package test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	"go.yaml.in/yaml/v2"

	"github.com/mxsrv/mxsrv/plugin/corefile"
)

// configMap returns the data of the ConfigMap in the manifests.
func configMap(t *testing.T) map[string]string {
	t.Helper()
	for d := yaml.NewDecoder(strings.NewReader(read(t, "../docs/deploy/kubernetes.yaml"))); ; {
		var m struct {
			Kind string
			Data map[string]string
		}
		if err := d.Decode(&m); err != nil {
			t.Fatal("no ConfigMap: ", err)
		}
		if m.Kind == "ConfigMap" {
			return m.Data
		}
	}
}

// TestDeployChecked: what is to be mounted at the root of a server is checked before, in another directory.
func TestDeployChecked(t *testing.T) {
	dir := t.TempDir()
	for name, text := range configMap(t) {
		write(t, filepath.Join(dir, name), text)
	}
	check := exec.Command(buildTool(t), "check", "--strict", "--root", dir, filepath.Join(dir, "Corefile"))
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A mount is a ConfigMap as kubelet mounts it: files are links into ..data, and that
// is a link to a directory of one version, which is swapped by a rename.
type mount struct{ dir string }

func newMount(t *testing.T, data map[string]string) mount {
	t.Helper()
	m := mount{t.TempDir()}
	for name := range data {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(m.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	m.swap(t, "..1", data)
	return m
}

func (m mount) swap(t *testing.T, version string, data map[string]string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(m.dir, version), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range data {
		write(t, filepath.Join(m.dir, version, name), text)
	}
	if err := os.Symlink(version, filepath.Join(m.dir, "..data_tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(m.dir, "..data_tmp"), filepath.Join(m.dir, "..data")); err != nil {
		t.Fatal(err)
	}
}

// TestDeployConfigMap: the ConfigMap of the manifests is served, a change of it too,
// and one with a mistake is not.
func TestDeployConfigMap(t *testing.T) {
	data := configMap(t)
	m := newMount(t, data)
	corefile := strings.NewReplacer(
		"/etc/coredns", m.dir, "reload 2s", "reload 200ms",
		":9153", "127.0.0.1:1051", ":8181", "127.0.0.1:1052", ":8080", "127.0.0.1:1054",
		":1053 {", ":1053 {\n    bind 127.0.0.1",
	).Replace(data["Corefile"])
	s := start(t, t.TempDir(), corefile)
	if ready, health := s.get(":1052", "/ready"), s.get(":1054", "/health"); ready != "OK" || health != "OK" {
		t.Errorf("ready says %q, health %q, want OK", ready, health)
	}
	check(t, s, `
> lists.example.org MX
lists.example.org. 3600 IN MX 10 mx1.example.org.
lists.example.org. 3600 IN MX 20 mx2.example.org.
; additional
mx1.example.org. 3600 IN A 192.0.2.10
mx1.example.org. 3600 IN AAAA 2001:db8::10
mx2.example.org. 3600 IN A 198.51.100.20
`)

	data["mail.conf"] += "mail sales 10 mx1 mx2\n"
	m.swap(t, "..2", data)
	served := func() bool { return len(s.ask(t, "udp", query(t, "sales.example.org MX")).Answer) == 2 }
	eventually(t, s, "the change is served", served)

	data["mail.conf"] = "mail sales 10 192.0.2.1\n"
	m.swap(t, "..3", data)
	eventually(t, s, "the mistake is logged", func() bool { return strings.Contains(s.String(), "target-is-address") })
	if !served() {
		t.Error("a mistake has changed what is served")
	}
}

// TestDeployCorefile: the Corefile of the notes reads without a mistake.
func TestDeployCorefile(t *testing.T) {
	for name, value := range map[string]string{"ADDRESS": "127.0.0.21", "ETCD_PASSWORD": "x", "STATE_DIRECTORY": "/var/lib/coredns"} {
		t.Setenv(name, value)
	}
	blocks, err := caddyfile.Parse("Corefile", bytes.NewReader([]byte(read(t, "../docs/deploy/Corefile"))), nil)
	if err != nil || len(blocks) != 1 {
		t.Fatal(len(blocks), err)
	}
	d := caddyfile.NewDispenserTokens("Corefile", blocks[0].Tokens["mxsrv"])
	b := corefile.Read(&d, corefile.Env{Keys: plugin.OriginsFromArgsOrServerBlock(blocks[0].Keys, nil), Origins: plugin.OriginsFromArgsOrServerBlock})
	if len(b.Errs) > 0 || len(b.Etcds) != 1 || b.Etcds[0].Snapshot != "/var/lib/coredns/snapshot" {
		t.Errorf("%v, %d etcd", b.Errs, len(b.Etcds))
	}
}
