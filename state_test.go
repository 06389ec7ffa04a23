package mxsrv

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coredns/caddy"

	"github.com/mxsrv/mxsrv/plugin/corefile"
)

// TestStateOfOthers: a file that has no verdicts is not overwritten, and two server blocks do not share one.
func TestStateOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer serving.Store(nil)
		path := filepath.Join(t.TempDir(), "hosts.conf")
		const text = "host mx1 192.0.2.1\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c := cluster{server: t.Name()}
		i := c.instance(t, path)
		serve(i)
		c.set(1)
		i.stop()
		if got, err := os.ReadFile(path); string(got) != text || err != nil {
			t.Errorf("the file has %q (%v), want what was there", got, err)
		}
	})
	read := func(state string) *corefile.Block {
		controller := caddy.NewTestController("dns", "mxsrv example.org {\n checks {\n  state "+state+"\n }\n}")
		return parse(controller, "/var/lib")
	}
	const want = "Testfile:3: state /var/lib/verdicts: it has the verdicts of another server block, of Testfile:3: write another file"
	dir := t.TempDir()
	if err := os.Symlink(".", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	var others []*MXSRV
	for _, tc := range []struct{ state, want string }{
		{"verdicts", ""}, {"other", ""}, {"./verdicts", want}, {"/var/lib//other", "Testfile:3: state /var/lib//other: "},
		{dir + "/verdicts", ""}, {dir + "/link/verdicts", "Testfile:3: state " + dir + "/link/verdicts: "},
	} {
		m, err := newHandler(read(tc.state), "dns://:53", others)
		others = append(others, m)
		if got := fmt.Sprint(err); (err != nil) != (tc.want != "") || err != nil && !strings.HasPrefix(got, tc.want) {
			t.Errorf("state %s: %v, want %q", tc.state, err, tc.want)
		}
	}
}
