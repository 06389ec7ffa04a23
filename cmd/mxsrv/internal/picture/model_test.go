package picture

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

func written(t testing.TB, write func(io.Writer) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// gist writes what a picture says: a line for each set.
func gist(p *Picture) string {
	hosts := make(map[string]string)
	for _, n := range p.Networks {
		for _, h := range n.Hosts {
			hosts[h.ID] = p.name(h.Name) + "@" + n.Prefix
		}
	}
	var b strings.Builder
	for _, s := range p.Sets {
		fmt.Fprint(&b, s.Kind)
		for _, n := range s.Names {
			fmt.Fprint(&b, " ", p.name(n))
		}
		for _, r := range s.Ranks {
			fmt.Fprint(&b, ", ", r.Number)
			for _, t := range r.Targets {
				fmt.Fprintf(&b, " %s%s %v%%", hosts[t.Host], t.port(), t.Share)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestNew(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"domains that share a set are one", "mail b a 10 mx1\nmail @ {\n10 mx1\n}\nmail c 20 mx1\nhost mx1 192.0.2.1",
			"mail example.org. a b, 10 mx1@192.0.2.0/24 100%\nmail c, 20 mx1@192.0.2.0/24 100%\n"},
		{"ranks in the order of trying", "mail @ 20 b c 10 a\nhost a 192.0.2.1\nhost b 198.51.100.1 2001:db8::1\nhost c 2001:db8::2",
			"mail example.org., 10 a@192.0.2.0/24 100%, 20 b@198.51.100.0/24 50% c@2001:db8::/64 50%\n"},
		{"shares by weight", "service _a._tcp {\n0 6 1 h\n0 4 2 h\n1 0 3 x.example.net.\n}",
			"service _a._tcp, 0 h@elsewhere:1 60% h@elsewhere:2 40%, 1 x.example.net.@elsewhere:3 100%\n"},
		{"equal shares without weights", "service _a._tcp 0 0 1 a b c", "service _a._tcp, 0 a@elsewhere:1 33.33% b@elsewhere:1 33.33% c@elsewhere:1 33.33%\n"},
		{"weight 0 beside others", "service _a._tcp 0 0 1 a 0 5 1 b", "service _a._tcp, 0 b@elsewhere:1 100% a@elsewhere:1 0%\n"},
		{"none comes last", "mail a none\nmail b 10 x\nservice _a._tcp none\nservice _b._tcp 0 0 1 x",
			"mail b, 10 x@elsewhere 100%\nmail a\nservice _b._tcp, 0 x@elsewhere:1 100%\nservice _a._tcp\n"},
		{"short names first", "service _a._tcp.s._sites.dc._msdcs _b._tcp 0 0 1 x", "service _b._tcp _a._tcp.s._sites.dc._msdcs, 0 x@elsewhere:1 100%\n"},
		{"srv of a mail domain", "mail a 10 x {\nsrv\n}", "mail a, 10 x@elsewhere 100%\nservice _smtp._tcp.a, 10 x@elsewhere:25 100%\n"},
		{"aliases", "alias www ftp x\nalias www x\nhost x 192.0.2.1", "alias ftp www, 0 x@192.0.2.0/24 100%\n"},
		{"nothing", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := gist(read(t, tc.text, options{})); got != tc.want {
				t.Errorf("%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

// TestOrder: the order of lines is not seen in a picture.
func TestOrder(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(`
mail a 10 mx1 mx2
mail b 10 mx1 mx2
mail none.example.org. none
alias www mx1
host mx1 192.0.2.1
host mx2 198.51.100.1
host mx3 192.0.2.3
mail c 10 mx3`), "\n")
	first := read(t, strings.Join(lines, "\n"), options{})
	slices.Reverse(lines)
	second := read(t, strings.Join(lines, "\n"), options{})
	for i, write := range []func(io.Writer) error{second.JSON, second.SVG, second.Dot, second.Mermaid} {
		got, want := written(t, write), written(t, []func(io.Writer) error{first.JSON, first.SVG, first.Dot, first.Mermaid}[i])
		if got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

// TestNotDrawn: what is not drawn is noted in every drawing, and is in the JSON.
func TestNotDrawn(t *testing.T) {
	p := read(t, "mail a 10 mx1\nmail b 20 mx1\nmail c d 30 mx2\nhost mx1 192.0.2.1\nhost mx2 192.0.2.2\nhost x 192.0.2.3", options{Limit: 2})
	for _, write := range []func(io.Writer) error{p.SVG, p.Dot, p.Mermaid} {
		text := written(t, write)
		for _, want := range []string{"Not drawn: 1 more set with 2 names.", "Not drawn: 2 hosts to which nothing here points."} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in %s", want, text)
			}
		}
		if strings.Contains(text, "mx2") {
			t.Errorf("mx2 is drawn: %s", text)
		}
	}
	var back Picture
	if err := json.Unmarshal([]byte(written(t, p.JSON)), &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Sets) != 3 || len(back.Networks) != 1 || len(back.Networks[0].Hosts) != 3 {
		t.Errorf("%+v, want everything", back)
	}
	svg := written(t, read(t, large(), options{Limit: 1000}).SVG)
	for _, want := range []string{">and 28 more<", ">32 further ranks<", ">rarely<", ">&lt;1 %<"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestTitle(t *testing.T) {
	for _, tc := range []struct {
		zones definition.Zones
		want  string
	}{
		{definition.Zones{"example.org."}, "Mail and services of example.org"},
		{definition.Zones{"example.org.", "example.com."}, "Mail and services of example.org, example.com"},
		{definition.Zones{"a.", "b.", "c.", "d."}, "Mail and services"},
		{definition.Zones{"."}, "Mail and services of the root"},
	} {
		if got := read(t, "", options{Zones: tc.zones}).Title; got != tc.want {
			t.Errorf("%v: %q, want %q", tc.zones, got, tc.want)
		}
	}
}

// TestGraphs shows the other notations whole.
func TestGraphs(t *testing.T) {
	p := read(t, "mail @ 10 mx1 20 mx2\nmail no none\nservice _ldap._tcp 0 6 389 mx1 0 4 389 mx2\nhost mx1 192.0.2.1 2001:db8::1\n", options{Title: `A "b" <c>`})
	const wantDot = `digraph mxsrv {
  label="A \"b\" <c>"; labelloc=t; rankdir=LR
  node [shape=box, style=rounded, fontname="monospace", fontsize=11]
  edge [fontname="sans-serif", fontsize=9]
  ranksep=1
  s1 [label="mail:\lexample.org.\l", penwidth=2]
  s1r1 [label="first · preference 10", style="rounded,filled", fillcolor="#f0f0f0"]
  s1 -> s1r1 [label="", penwidth=1.0, style=solid]
  s1r1 -> h1 [label="100 %", penwidth=4.0, style=solid]
  s1r2 [label="then · preference 20", style="rounded,filled", fillcolor="#f0f0f0"]
  s1 -> s1r2 [label="", penwidth=1.0, style=dashed]
  s1r2 -> h2 [label="100 %", penwidth=4.0, style=dashed]
  s2 [label="mail:\lno\l", penwidth=2]
  s2r1 [label="takes no mail", style="rounded,filled", fillcolor="#f0f0f0"]
  s2 -> s2r1 [label="", penwidth=1.0, style=solid]
  s3 [label="service:\l_ldap._tcp\l", penwidth=2]
  s3r1 [label="priority 0", style="rounded,filled", fillcolor="#f0f0f0"]
  s3 -> s3r1 [label="", penwidth=1.0, style=solid]
  s3r1 -> h1 [label="60 %, port 389", penwidth=2.8, style=solid]
  s3r1 -> h2 [label="40 %, port 389", penwidth=2.2, style=solid]
  subgraph cluster_1 {
    label="network 192.0.2.0/24"; fontsize=10
    h1 [label="mx1\l192.0.2.1\l2001:db8::1\l"]
  }
  subgraph cluster_2 {
    label="elsewhere: no addresses here"; fontsize=10
    h2 [label="mx2"]
  }
}
`
	const wantMermaid = `---
title: "A \"b\" \u003cc\u003e"
---
flowchart LR
  s1["mail:<br>example.org."]
  s1r1(["first · preference 10"])
  s1 --> s1r1
  linkStyle 0 stroke-width:1.0px
  s1r1 -->|"100 %"| h1
  linkStyle 1 stroke-width:4.0px
  s1r2(["then · preference 20"])
  s1 -.-> s1r2
  linkStyle 2 stroke-width:1.0px
  s1r2 -.->|"100 %"| h2
  linkStyle 3 stroke-width:4.0px
  s2["mail:<br>no"]
  s2r1(["takes no mail"])
  s2 --> s2r1
  linkStyle 4 stroke-width:1.0px
  s3["service:<br>#95;ldap.#95;tcp"]
  s3r1(["priority 0"])
  s3 --> s3r1
  linkStyle 5 stroke-width:1.0px
  s3r1 -->|"60 %, port 389"| h1
  linkStyle 6 stroke-width:2.8px
  s3r1 -->|"40 %, port 389"| h2
  linkStyle 7 stroke-width:2.2px
  subgraph n1 ["network 192.0.2.0/24"]
    h1["mx1<br>192.0.2.1<br>2001:db8::1"]
  end
  subgraph n2 ["elsewhere: no addresses here"]
    h2["mx2"]
  end
`
	if got := written(t, p.Dot); got != wantDot {
		t.Errorf("%s\nwant\n%s", got, wantDot)
	}
	if got := written(t, p.Mermaid); got != wantMermaid {
		t.Errorf("%s\nwant\n%s", got, wantMermaid)
	}
}
