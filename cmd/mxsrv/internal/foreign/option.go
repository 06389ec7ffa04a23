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
	key, value string
}

func options(source, text string) []option {
	var all []option
	n := 0
	for raw := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		n++
		text := uncomment(raw)
		if text == "" {
			continue
		}
		key, value, _ := strings.Cut(strings.TrimPrefix(strings.ReplaceAll(text, `"`, ""), "--"), "=")
		all = append(all, option{Line{Pos: definition.Pos{Source: source, Line: n}, Text: text},
			strings.TrimSpace(key), strings.TrimSpace(value)})
	}
	return all
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
