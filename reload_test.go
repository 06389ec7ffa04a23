package mxsrv

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/test/rig"
)

// Two plugins, one on either side of mxsrv, that fail where their words say.
func init() {
	for _, name := range []string{"unwilling", "reluctant"} {
		plugin.Register(name, unwilling)
	}
}

func unwilling(c *caddy.Controller) error {
	fail := func() error { return errors.New("no") }
	fails := func() error { panic("no") }
	c.Next()
	switch c.NextArg(); c.Val() {
	case "setup":
		return fail()
	case "startup":
		c.OnStartup(fail)
	case "startup-panics":
		c.OnStartup(fails)
	case "restart":
		c.OnRestart(fail)
	case "shutdown":
		c.OnShutdown(fail)
	case "shutdown-panics":
		c.OnShutdown(fails)
	}
	return nil
}

// A reloader is a CoreDNS in this process that serves example.org from a file and from etcd, and is reloaded.
type reloader struct {
	file, prefix string
	etcd         *rig.Cluster
}

// corefile returns one that declares a mail domain with a mark and has some more lines, or one without mxsrv.
func (r *reloader) corefile(mark, more string) caddy.Input {
	stanza := fmt.Sprintf("mxsrv {\n mail mark 10 %s.example.net.\n file %s\n reload 100ms\n etcd %s {\n prefix %s\n }\n}\n",
		mark, r.file, r.etcd.Members[0].URL, r.prefix)
	if mark == "" {
		stanza = ""
	}
	return caddy.CaddyfileInput{Filepath: "Corefile", ServerTypeName: "dns",
		Contents: []byte("example.org:0 {\n bind 127.0.0.1\n" + stanza + more + "\n}\n")}
}

// declare writes a mail domain into the file and another one into etcd.
func (r *reloader) declare(t *testing.T, mark string) {
	t.Helper()
	if err := os.WriteFile(r.file, fmt.Appendf(nil, "mail file 10 %s.example.net.\n", mark), 0o600); err != nil {
		t.Fatal(err)
	}
	r.etcd.Do(t, clientv3.OpPut(r.prefix+"/key", fmt.Sprintf("mail key 10 %s.example.net.\n", mark)))
}

// mark returns the mark of a domain, as it is served.
func (r *reloader) mark(t *testing.T, domain string) string {
	t.Helper()
	addr := caddy.Instances()[0].Servers()[0].LocalAddr().String()
	m, err := dns.Exchange(new(dns.Msg).SetQuestion(domain+".example.org.", dns.TypeMX), addr)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Answer) == 0 {
		return ""
	}
	return strings.TrimSuffix(m.Answer[0].(*dns.MX).Mx, ".example.net.")
}

// follows waits until file and etcd are served with a new mark, or nothing follows them where no mxsrv serves.
func (r *reloader) follows(t *testing.T, serves, mark string) {
	t.Helper()
	if got := r.mark(t, "mark"); got != serves {
		t.Fatalf("%q serves, want %q", got, serves)
	}
	want := 0
	if serves != "" {
		want = 1
		r.declare(t, mark)
		for _, domain := range []string{"file", "key"} {
			rig.Eventually(t, domain+" is "+mark, func() bool { return r.mark(t, domain) == mark })
		}
	}
	rig.Eventually(t, fmt.Sprintf("%d publishers follow", want), func() bool { return followers() == want })
}

// TestReloadFails: however a reload ends, what serves follows its file and its keys in etcd, and nothing else does.
func TestReloadFails(t *testing.T) {
	useDirectives(t, "unwilling", pluginName, "reluctant")
	etcd := rig.Etcd(t, 1)
	const noMXSRV = "without mxsrv"
	for _, tc := range []struct {
		name     string
		old, new string // more lines of the Corefile, or noMXSRV with some
		serves   string
	}{
		{"well", "", "", "new"},
		{"setup before", "", "unwilling setup", "old"},
		{"setup after", "", "reluctant setup", "old"},
		{"OnStartup before", "", "unwilling startup", "old"},
		{"OnStartup after", "", "reluctant startup", "old"},
		{"OnStartup panics", "", "reluctant startup-panics", "old"},
		{"no such address", "", "}\nexample.com:1 {\n bind 192.0.2.1", "old"},
		{"OnRestart before", "unwilling restart", "", "old"},
		{"OnRestart after", "reluctant restart", "", "old"},
		{"OnShutdown before", "unwilling shutdown", "", "new"},
		{"OnShutdown after", "reluctant shutdown", "", "new"},
		{"OnShutdown panics before", "unwilling shutdown-panics", "", "new"},
		{"OnShutdown panics after", "reluctant shutdown-panics", "", "new"},
		{"mxsrv comes", noMXSRV, "", "new"},
		{"mxsrv comes, OnShutdown", noMXSRV + "unwilling shutdown", "", "new"},
		{"mxsrv comes, OnStartup", noMXSRV, "reluctant startup", ""},
		{"mxsrv goes", "", noMXSRV, ""},
		{"mxsrv goes, OnShutdown", "unwilling shutdown", noMXSRV, ""},
		{"mxsrv goes, OnStartup", "", noMXSRV + "unwilling startup", "old"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := &reloader{filepath.Join(t.TempDir(), "mail.conf"), "/" + strings.ReplaceAll(t.Name(), " ", "-"), etcd}
			corefile := func(mark, more string) caddy.Input {
				if without, ok := strings.CutPrefix(more, noMXSRV); ok {
					mark, more = "", without
				}
				return r.corefile(mark, more)
			}
			reload := func(mark, more string) { // as SIGUSR1 does, of the instance that CoreDNS has first
				r.mark(t, "mark") // CoreDNS does not stop a server that has not begun to serve yet
				_, err := caddy.Instances()[0].Restart(corefile(mark, more))
				t.Logf("reload: %v", err)
			}
			r.declare(t, "first")
			if _, err := caddy.Start(corefile("old", tc.old)); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				for _, i := range caddy.Instances() {
					i.ShutdownCallbacks()
				}
				caddy.Stop()
			})
			reload("new", tc.new)
			r.follows(t, tc.serves, "second")
			if tc.serves == "new" { // which is replaced like any other
				reload("newer", "")
				r.follows(t, "newer", "third")
			}
		})
	}
}
