package foreign

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// An option is a line of the options of dnsmasq.
type option struct {
	Line
	key, value string // without quotes; commas that were in quotes are hidden
}

// hidden stands for a comma in quotes, which separates nothing.
const hidden = "\x00"

func optionsIn(lines []plainLine) (all []option) {
	for _, l := range lines {
		if l.text == "" {
			continue
		}
		key, value, _ := strings.Cut(strings.TrimPrefix(unquoted(l.text), "--"), "=")
		all = append(all, option{Line{Pos: l.Pos, Text: l.text}, strings.TrimSpace(key), strings.TrimSpace(value)})
	}
	return all
}

// A plainLine is a line of a text with comments by "#".
type plainLine struct {
	commented
	text string // without the comment
}

// plainLines returns the lines of a text. Comments are of the line that follows them at once.
func plainLines(source, text string) (all []plainLine) {
	var before []string
	for raw := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		l := plainLine{commented{Pos: definition.Pos{Source: source, Line: len(all) + 1}}, uncomment(raw)}
		note := comment(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(raw), l.text)), "#")
		switch {
		case l.text != "":
			l.before, l.comment, before = before, note, nil
		case note == "":
			before = nil
		default:
			before = append(before, note)
		}
		all = append(all, l)
	}
	return all
}

// escapes are what a letter after a backslash means in quotes.
var escapes = map[byte]byte{'t': '\t', 'n': '\n', 'b': '\b', 'r': '\r', 'e': 0x1b, '"': '"', '\\': '\\'}

// unquoted removes quotes, and hides the commas in them.
func unquoted(s string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quoted && c == '\\' && i+1 < len(s) && escapes[s[i+1]] != 0:
			i++
			b.WriteByte(escapes[s[i]])
		case c == '"':
			quoted = !quoted
		case quoted && c == ',':
			b.WriteString(hidden)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// uncomment removes the comment of a line. "#" starts one only after white space and outside of quotes:
// address=/#/192.0.2.1 has none.
func uncomment(s string) string {
	quoted, blank := false, true
	for i, r := range s {
		if r == '#' && blank && !quoted {
			s = s[:i]
			break
		}
		blank = r == ' ' || r == '\t'
		quoted = quoted != (r == '"')
	}
	return strings.TrimSpace(s)
}

// number reads a number of 16 bits; no word is the default.
func (d *dnsmasq) number(l Line, word string, standard uint16) (uint16, bool) {
	n, err := strconv.ParseUint(cmp.Or(word, strconv.Itoa(int(standard))), 10, 16)
	if err != nil {
		d.skip(l, "%q: write a number from 0 to 65535", word)
	}
	return uint16(n), err == nil
}

func split(value string) []string {
	words := strings.Split(value, ",")
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	return words
}

// fields splits a value at its commas into n words, of which the last ones may be missing.
func (d *dnsmasq) fields(o option, usage string, n int) ([]string, bool) {
	words := split(o.value)
	if words[0] == "" || len(words) > n {
		d.skip(o.Line, "usage: %s", usage)
		return nil, false
	}
	return append(words, make([]string, n)...)[:n], true
}

func isNumber(word string) bool { return word != "" && strings.Trim(word, "0123456789") == "" }

// absolute adds the final dot: dnsmasq has no relative names.
func absolute(name string) string { return strings.TrimSuffix(name, ".") + "." }
