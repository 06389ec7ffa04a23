package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var test = edition{"v0.1.0", time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}

// TestManual: each document and each command has a page that a reader of man pages takes without a word, and whatever
// pages refer to is there. Made again they are the same.
func TestManual(t *testing.T) {
	dir := manual(t)
	files, err := filepath.Glob(dir + "/man*/*")
	if err != nil {
		t.Fatal(err)
	}
	if want := append(documents(t), commands(t)...); len(files) != len(want) {
		t.Errorf("%d pages, want those of %d: %v", len(files), len(want), want)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reference.FindAllStringSubmatch(string(text), -1) {
			name := strings.ReplaceAll(m[1], `\-`, "-")
			if _, err := os.Stat(filepath.Join(dir, "man"+m[2], name+"."+m[2])); err != nil {
				t.Errorf("%s refers to a page that is not there: %s(%s)", filepath.Base(f), name, m[2])
			}
		}
	}
	lint(t, files)
	run(t, dir, "diff", "-r", dir, manual(t))
}

// documents returns all documents of the manual.
func documents(t *testing.T) (files []string) {
	for name := range strings.FieldsSeq(string(run(t, top, "git", "ls-files", "README.md", "docs", "examples"))) {
		if filepath.Ext(name) == ".md" {
			files = append(files, name)
		}
	}
	return files
}

// commands returns the tool and all its commands, as a shell completes them.
func commands(t *testing.T) []string {
	names := []string{"mxsrv"}
	for line := range strings.Lines(string(run(t, top, tool(t), "__complete", ""))) {
		if name, _, ok := strings.Cut(line, "\t"); ok && name != "help" {
			names = append(names, name)
		}
	}
	return names
}

var reference = regexp.MustCompile(`\\fB([\w\\-]+)\\fR\((\d)\)`)

// manual writes the pages to a folder of their own.
func manual(t *testing.T) (dir string) {
	t.Helper()
	documents, err := test.documents("..")
	if err != nil {
		t.Fatal(err)
	}
	commands, err := test.commands(tool(t))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for _, p := range append(documents, commands...) {
		if err := write(filepath.Join(dir, p.file()), p.text); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

var binary string

// tool returns the binary of the tool.
func tool(t *testing.T) string {
	t.Helper()
	if binary == "" {
		binary = filepath.Join(scratch, "mxsrv")
		run(t, top, "go", "build", "-o", binary, "./cmd/mxsrv")
	}
	return binary
}

var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "release"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(scratch)
	os.Exit(code)
}

// lint lets mandoc look for mistakes in pages. What it says of the style of the source is for those who write that.
func lint(t *testing.T, files []string) {
	t.Helper()
	mandoc, err := exec.LookPath("mandoc")
	if err != nil {
		if os.Getenv("MXSRV_REQUIRE_PEERS") != "" {
			t.Fatal(err)
		}
		t.Log("mandoc is missing: the pages are not linted")
		return
	}
	if out, err := exec.Command(mandoc, append([]string{"-Tlint", "-Wwarning"}, files...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("mandoc: %v\n%s", err, out)
	}
}

// TestRoff: what is done here and not by md2man.
func TestRoff(t *testing.T) {
	pages := map[string]string{"docs/mail.md": "mxsrv-mail(7)", "README.md": "coredns-mxsrv(7)"}
	for _, tc := range []struct{ name, text, want string }{
		{"a page by its name", "See [mail](mail.md#keys).", ".PP\nSee \\fBmxsrv\\-mail\\fR(7)\\&."},
		{"a page by another name", "[the front](../README.md)", ".PP\nthe front (\\fBcoredns\\-mxsrv\\fR(7))"},
		{"a file", "[all](../bench/a-b.svg), [CHANGELOG.md](../CHANGELOG.md)", ".PP\nall (bench/a\\-b.svg), CHANGELOG.md"},
		{"a place on the page", "[below](#keys)", ".PP\nbelow"},
		{"a site by the end of its name", "[releases](https://example.org/releases)", ".PP\nreleases (https://example.org/releases)"},
		{"another site", "[RFCs](https://rfc-editor.org/)", ".PP\nRFCs (https://rfc\\-editor.org/)"},
		{"a picture", "![two hosts](a.svg)", ".PP\ntwo hosts (docs/a.svg)"},
		{"code", "`dig -t 'x' ~ ^ \\ `", ".PP\n\\fBdig \\-t \\(aqx\\(aq \\(ti \\(ha \\(rs\\fR"},
		{"an example", "## On `a`\n\n~~~ sh\n./x --y\n\n.z\n~~~\n\nText.",
			".SH ON \\fBa\\fR\n.RS 4\n.EX\n\\&./x \\-\\-y\n\n\\&.z\n.EE\n.RE\n.PP\nText."},
		{"a table", "| a | b |\n|---|---|\n| `.c` | d |\n| e | " + strings.Repeat("f", narrow+1) + " |\n",
			".PP\n.na\n.TS\nlb lbx\nl lx.\na\tT{\nb\nT}\n_\n\\fB.c\\fR\tT{\nd\nT}\ne\tT{\n" +
				strings.Repeat("f", narrow+1) + "\nT}\n.TE\n.ad"},
	} {
		r := &renderer{source: "docs/etcd.md", pages: pages}
		if got := r.roff(tc.text); got != tc.want+"\n" {
			t.Errorf("%s\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}

// TestDocument: where the text of a page begins, and what it is about.
func TestDocument(t *testing.T) {
	for _, tc := range []struct{ name, text, about, sections string }{
		{"a document", "# The tool\n\nHow to.\n\n## More\n", "The tool", "## Description\n\nHow to.\n\n## More\n"},
		{"the front page", "# mxsrv\n\n~~~ sh\ngo test\n~~~\n\n## Name\n\n*mxsrv* - answers.\n\n## Next\n", "answers", "## Next\n"},
	} {
		if about, sections := split(tc.text); about != tc.about || sections != tc.sections {
			t.Errorf("%s: %q, %q, want %q, %q", tc.name, about, sections, tc.about, tc.sections)
		}
	}
	if got, want := installed("go run ./cmd/mxsrv get   # all\n`go run ./cmd/coredns`"), "mxsrv get                # all\n`coredns`"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := test.page("mxsrv-x", 7, "The x", ".SH X\n").text,
		".nr HY 0\n.TH MXSRV-X 7 2026-03-04 \"mxsrv v0.1.0\" \"mxsrv\"\n.SH NAME\nmxsrv\\-x \\- the x\n.SH X\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestHelp: from what a command says to its page.
func TestHelp(t *testing.T) {
	const text = `Put a name,
or several.

Usage:
  mxsrv put NAME... [flags]
  mxsrv put [command]

Examples:
  mxsrv put a      one

  mxsrv put b      two

A note on -n.

Exit status: 0 done; 2 not.

Available Commands:
  help        Help about any command
  new         Put a new one

Flags:
  -h, --help          help for put
      --ttl SECONDS   how long (default 5)

Use "mxsrv put [command] --help" for more information about a command.
`
	const want = `.SH SYNOPSIS
mxsrv put NAME... [flags]
.br
mxsrv put [command]
.SH DESCRIPTION
Put a name,
or several.
.PP
A note on \-n.
.SH COMMANDS
.TP
\fBmxsrv\-new\fR(1)
Put a new one
.SH OPTIONS
.TP
\fB\-h\fR, \fB\-\-help\fR
help for put
.TP
\fB\-\-ttl\fR \fISECONDS\fR
how long (default 5)
.SH EXAMPLES
.RS 4
.EX
  mxsrv put a      one

  mxsrv put b      two
.EE
.RE
.SH EXIT STATUS
0 done; 2 not.
.SH SEE ALSO
\fBmxsrv\-tool\fR(7),
\fBcoredns\-mxsrv\fR(7)
`
	if got := parseHelp(text).roff(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
