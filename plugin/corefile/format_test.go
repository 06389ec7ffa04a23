package corefile

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestFormat: each NAME.in of testdata/format becomes NAME.golden, which stays as it is, with LF and with CR LF.
func TestFormat(t *testing.T) {
	inputs, err := filepath.Glob("testdata/format/*.in")
	if err != nil || len(inputs) < 3 {
		t.Fatalf("%d inputs, want at least 3 (%v)", len(inputs), err)
	}
	for _, input := range inputs {
		golden := strings.TrimSuffix(input, ".in") + ".golden"
		for _, path := range []string{input, golden} {
			t.Run(filepath.Base(path), func(t *testing.T) {
				for _, end := range []string{"\n", "\r\n"} {
					text, want := withEnd(t, path, end), withEnd(t, golden, end)
					if got, errs := Format("Corefile", text); got != want || errs != nil {
						t.Errorf("got %v\n%s\nwant\n%s", errs, got, want)
					}
				}
			})
		}
	}
}

// withEnd returns a file with some ends of lines.
func withEnd(t *testing.T, path, end string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\n", end)
}

// TestFormatMistakes: a Corefile with one stays as it is.
func TestFormatMistakes(t *testing.T) {
	const imports = ": error: import: write it and its snippet or file on a line of their own, without a block"
	for _, tc := range []struct{ name, text, want string }{
		{"a block that is open", ". {\n mxsrv {\n}\n", `Corefile:1: this block is not closed: write "}" after its last line`},
		{"a brace too many", ". {\n}\n}\n", `Corefile:3: this "}" closes nothing: delete it, or open its block with "{"`},
		{"a brace after a stanza", ". {\n mxsrv {\n ttl  5\n } }\n", `Corefile:4: "}": write it on a line of its own, after "}"`},
		{"a brace after another plugin", ". { whoami }\n", `Corefile:1: "}": write it on a line of its own, after "whoami"`},
		{"a word after a stanza", ". {\n mxsrv {\n ttl  5\n } a\n}\n", `Corefile:4: "a": write it on a line of its own, after "}"`},
		{"an import in the middle of a line", ". {\n mxsrv { import  x\n }\n}\n", "Corefile:2" + imports},
		{"an import after a block", ". {\n mxsrv {\n mail @ {\n10 a\n} import  x\n}\n}\n", "Corefile:5" + imports},
		{"an import with a brace", ". {\n mxsrv {\nimport  x }\n}\n", "Corefile:3" + imports},
		{"an import with two", ". {\n mxsrv {\nimport  x y\n}\n}\n", "Corefile:3" + imports},
		{"an import with a block", ". {\n mxsrv {\nimport  x\n{ ttl 5\n}\n}\n}\n", "Corefile:3" + imports},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := strings.Replace(tc.want, ": error", "", 1)
			if got, errs := Format("Corefile", tc.text); got != tc.text || errs.Error() != want {
				t.Errorf("%q becomes %q\n%v\nwant\n%s", tc.text, got, errs, want)
			}
		})
	}
}

// FuzzFormat: CoreDNS reads the same server blocks as before, with the same statements in mxsrv stanzas and the same
// words and lines everywhere else; and what it refuses it refuses.
func FuzzFormat(f *testing.F) {
	inputs, _ := filepath.Glob("testdata/format/*.in")
	for _, path := range inputs {
		text, _ := os.ReadFile(path)
		f.Add(string(text))
	}
	for _, seed := range []string{
		"a, b,\nc\nmxsrv { d #e\n}#f\nwhoami", ". { mxsrv {\n} }", ". { mxsrv {\n} a\n}\n", "(a) {\nmxsrv {\n\"\n\"\n}\n}\n. {\nimport a\n}",
		"import b\n. {\nmxsrv\n{ import c\nimport d\n}\nmxsrv \"a", "mxsrv\nmxsrv x {\n}", "mxsrv {\nmxsrv { mxsrv { }\r\n}\r\n}\n", "{$A} {\n\"mxsrv\" {$B}\n}",
	} {
		f.Add(seed)
	}
	f.Chdir(f.TempDir()) // there is nothing to import
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "import") && strings.ContainsAny(text, "/.*?[") {
			return
		}
		got, errs := Format("Corefile", text)
		if again, _ := Format("Corefile", got); again != got || errs != nil && got != text {
			t.Fatalf("%q becomes %q, and that\n%q\n%v", text, got, again, errs)
		}
		before, err := caddyfile.Parse("Corefile", strings.NewReader(text), nil)
		after, err2 := caddyfile.Parse("Corefile", strings.NewReader(got), nil)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%q becomes %q\nwith %v\nwant %v", text, got, err2, err)
		}
		if err != nil {
			return
		}
		if got, want := meanings(after), meanings(before); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q becomes\n%v\nwant\n%v", text, got, want)
		}
	})
}

// meanings returns what server blocks are to CoreDNS, but for the places.
func meanings(blocks []caddyfile.ServerBlock) (all [][]any) {
	for _, b := range blocks {
		meaning := []any{b.Keys}
		for _, name := range slices.Sorted(maps.Keys(b.Tokens)) {
			tokens := b.Tokens[name]
			d := caddyfile.NewDispenserTokens("Corefile", tokens)
			meaning = append(meaning, name)
			if name == "mxsrv" {
				statements, errs := definition.Statements(&d)
				meaning = append(meaning, wordsOf(statements), len(errs) > 0)
				continue
			}
			for i, token := range tokens {
				startsLine := i > 0 && token.Line > tokens[i-1].Line
				meaning = append(meaning, token.Text, startsLine)
			}
		}
		all = append(all, meaning)
	}
	return all
}

func wordsOf(statements []definition.Statement) (all []any) {
	for _, s := range statements {
		all = append(all, slices.Clone(s.Words), s.Block != nil, wordsOf(s.Block))
	}
	return all
}
