package definition

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestFormat: each NAME.in of testdata/format has the canonical form NAME.golden, which is its own.
func TestFormat(t *testing.T) {
	inputs, err := filepath.Glob("testdata/format/*.in")
	if err != nil || len(inputs) < 8 {
		t.Fatalf("%d inputs, want at least 8 (%v)", len(inputs), err)
	}
	for _, input := range inputs {
		golden := strings.TrimSuffix(input, ".in") + ".golden"
		for _, path := range []string{input, golden} {
			t.Run(filepath.Base(path), func(t *testing.T) {
				got, errs := Format(Pos{"x", 1}, fixture(t, path), 0)
				if want := fixture(t, golden); got != want || errs != nil {
					t.Errorf("got %v\n%s\nwant\n%s", errs, got, want)
				}
			})
		}
	}
}

func fixture(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFormatOddities: what no editor shows.
func TestFormatOddities(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"white space alone, for an empty file is a mistake", " \t\n \n", "\n"},
		{"no newline at the end", "ttl 5", "ttl 5\n"},
		{"carriage returns", "host mx1 192.0.2.1 { # a\r\n  ttl\r 5\r\n\r\n\r\n}\r\n", "host mx1 192.0.2.1 { # a\n    ttl 5\n}\n"},
		{"a byte order mark", "\ufeff  ttl 5\n", "ttl 5\n"},
		{"a byte order mark that is a part of a word", "\ufeff\ufeffttl 5\n", "\ufeff\ufeffttl 5\n"},
		{"one that would be at the start", " \ufeffttl 5\n", "\ufeff\ufeffttl 5\n"},
		{"other white space", "ttl\u00a05\u2028\v\f# é\u2003\n", "ttl 5 # é\n"},
		{"what is not UTF-8", "host \xff \"\xfe \" # \xfd\n", "host \ufffd \"\ufffd \" # \xfd\n"},
		{"what becomes white space without a carriage return", "a \xc2\r\xa0", "a \ufffd\ufffd\n"},
		{"a quote that the text ends in", `record @ TXT "a b`, "record @ TXT \"a b\"\n"},
		{"with a backslash", `record @ TXT "a b\`, "record @ TXT \"a b\"\n"},
		{"with two", `record @ TXT "a\\`, "record @ TXT \"a\\\\\"\n"},
		{"a quote that is all that the text ends in", "ttl 5 # a\n \"", "ttl 5 # a\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, text := range []string{tc.text, tc.want} {
				if got, errs := Format(Pos{"x", 1}, text, 0); got != tc.want || errs != nil {
					t.Errorf("%q becomes %q, want %q (%v)", text, got, tc.want, errs)
				}
			}
		})
	}
}

// TestFormatMistakes: a text whose structure is not clear stays as it is.
func TestFormatMistakes(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"host  mx1 192.0.2.1\n}\n", `x:2: this "}" closes nothing: delete it, or open its block with "{"`},
		{"mail @ {\n10  mx1\n", `x:1: this block is not closed: write "}" after its last line`},
		{"{ }\n", `x:1: this "{" belongs to no line: write the line's words before it`},
		{"host  mx1 \"192.0.2.1\n", `x:1: the quote before "192.0.2.1" is not closed on its line: write "\"" after it, or, ` +
			"in a Corefile, make the variable that it comes from a single word"},
	} {
		if got, errs := Format(Pos{"x", 1}, tc.text, 0); got != tc.text || errs.Error() != tc.want {
			t.Errorf("%q becomes %q\n%v\nwant\n%s", tc.text, got, errs, tc.want)
		}
	}
}

// FuzzFormat: a text in canonical form has the same statements, comments, set and mistakes, and stays so. What Print
// writes is in canonical form.
func FuzzFormat(f *testing.F) {
	inputs, _ := filepath.Glob("testdata/format/*.in")
	for _, path := range inputs {
		text, _ := os.ReadFile(path)
		f.Add(string(text))
	}
	for _, seed := range []string{
		"a#b c {#d e\n}#f g\n", "a {} # b\n{} # c\nd", "\ufeff\ufeffa", " \ufeff\"b\"", "\"a\"b\"c \"#d\n\n\n#e\n{#f\n#g\n}",
		"record @ TXT \"a\\\"b\" \"{\" \"}\" \"\\\\\" \"c", "a \xc2\r\xa0 \"\r\" \"\xff\" \"\" \"#\" {$A} \"{$B}\" \"%\" \";\"", "a \"", "# a\r\n",
	} {
		f.Add(seed)
	}
	zones := Zones{"example.org.", "2.0.192.in-addr.arpa."}
	f.Fuzz(func(t *testing.T, text string) {
		got, errs := Format(Pos{"x", 1}, text, 0)
		before, beforeErrs := statementsOf(text)
		after, afterErrs := statementsOf(got)
		if !reflect.DeepEqual(errs, beforeErrs) || errs != nil && got != text || afterErrs != nil != (errs != nil) {
			t.Fatalf("%q becomes %q with %v\nwant %v", text, got, errs, beforeErrs)
		}
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("%q becomes %q\nwith %v\nwant %v", text, got, after, before)
		}
		if errs != nil {
			return
		}
		if a, b := commentsOf(text), commentsOf(got); a != b {
			t.Fatalf("%q becomes %q\nwith %q\nwant %q", text, got, b, a)
		}
		if again, _ := Format(Pos{"x", 1}, got, 0); again != got {
			t.Fatalf("%q becomes %q, and that\n%q", text, got, again)
		}
		set, mistakes := declares(text, zones)
		gotSet, gotMistakes := declares(got, zones)
		if set != gotSet || mistakes != gotMistakes {
			t.Fatalf("%q becomes %q\nwith\n%s%s\nwant\n%s%s", text, got, gotSet, gotMistakes, set, mistakes)
		}
		if again, errs := Format(Pos{"x", 1}, set, 0); set != "" && (again != set || errs != nil) {
			t.Fatalf("what is printed\n%s\nbecomes %v\n%s", set, errs, again)
		}
	})
}

// statementsOf returns the statements of a text without their places.
func statementsOf(text string) (all []Statement, errs Errors) {
	errs = EachStatement(Pos{"x", 1}, text, func(s Statement) {
		s = clone(s)
		forgetPlaces([]Statement{s})
		s.Pos = Pos{}
		all = append(all, s)
	})
	return all, errs
}

func forgetPlaces(all []Statement) {
	for i := range all {
		all[i].Pos = Pos{}
		forgetPlaces(all[i].Block)
	}
}

// commentsOf returns all comments of a text in order.
func commentsOf(text string) string {
	var comments []string
	end := len(text) - len(strings.TrimPrefix(text, byteOrderMark))
	add := func(gap string) {
		for line := range strings.SplitSeq(gap, "\n") {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
				comments = append(comments, line)
			}
		}
	}
	for _, t := range Tokens(Pos{"x", 1}, text) {
		add(text[end:t.Start])
		end = t.End
	}
	add(text[end:])
	return strings.Join(comments, "\n")
}

// declares returns what a text declares, and what is wrong with it but for the lines.
func declares(text string, zones Zones) (set, mistakes string) {
	s, errs := Read("x", text, zones)
	var b strings.Builder
	s.Print(&b, zones) // into memory: there is no error
	seen := map[string]bool{}
	for _, e := range errs {
		if line := e.ID + ": " + e.Text + "\n"; !seen[line] && len(errs) < maxMistakes { // beyond that lines count
			seen[line] = true
			mistakes += line
		}
	}
	return b.String(), mistakes
}
