package picture

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Tests{M: m}.Run()) }

// TestGraphviz: what is written for dot is drawn by it, each node once.
func TestGraphviz(t *testing.T) {
	dot := rig.Peer(t, "dot")
	p := read(t, `
host mx1 192.0.2.10 2001:db8::10
host mx2 198.51.100.20
mail @ sub1 10 mx1 20 mx2 30 mx.example.net.
mail noreply none
service _ldap._tcp 0 6 389 mx1 0 4 389 mx2
alias www mx1
`, options{Zones: definition.Zones{"example.com."}, Title: `A "title" \ <more>`})
	var graph strings.Builder
	if err := p.Dot(&graph); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(dot, "-Tsvg")
	cmd.Stdin = strings.NewReader(graph.String())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err, graph.String())
	}
	for _, want := range []string{">mx1<", ">2001:db8::10<", ">mx.example.net.<", ">noreply<", ">takes no mail<", ">60 %, port 389<", ">www<", `>A &quot;title&quot; \ &lt;more&gt;<`} {
		if n := strings.Count(string(out), want); n != 1 {
			t.Errorf("%q is there %d times", want, n)
		}
	}
}
