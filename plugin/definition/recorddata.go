package definition

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/miekg/dns"
)

// How the words of data are written as in a master file. The lexer does not say which words were in quotes, so that
// goes by type.

// generic is the first word of data in hexadecimal (RFC 3597 §5).
const generic = `\#`

// A notation is how the data of a type is written.
type notation struct {
	form        string // as messages say it
	first, last int    // words that are put in quotes, counted from 1; 0 if there are none
}

const more = math.MaxInt // all words from the first one on

var notations = map[uint16]notation{
	dns.TypeTXT:     {"STRING...", 1, more},
	dns.TypeSPF:     {"STRING...", 1, more},
	dns.TypeHINFO:   {"CPU OS", 1, more},
	dns.TypeISDN:    {"ADDRESS SUBADDRESS", 1, more},
	dns.TypeNINFO:   {"STRING...", 1, more},
	dns.TypeAVC:     {"STRING...", 1, more},
	dns.TypeRESINFO: {"STRING...", 1, more},
	dns.TypeUINFO:   {"STRING", 1, more},
	dns.TypeCAA:     {`FLAGS TAG "VALUE"`, 3, more},
	dns.TypeURI:     {`PRIORITY WEIGHT "TARGET"`, 3, more},
	dns.TypeNAPTR:   {`ORDER PREFERENCE "FLAGS" "SERVICE" "REGEXP" REPLACEMENT`, 3, 5},

	dns.TypeNS:    {form: "HOST..."},
	dns.TypePTR:   {form: "NAME"},
	dns.TypeDS:    {form: "KEYTAG ALGORITHM DIGESTTYPE DIGEST"},
	dns.TypeSSHFP: {form: "ALGORITHM TYPE FINGERPRINT"},
	dns.TypeTLSA:  {form: "USAGE SELECTOR MATCHING DATA"},
	dns.TypeSVCB:  {form: "PRIORITY TARGET KEY=VALUE..."},
	dns.TypeHTTPS: {form: "PRIORITY TARGET KEY=VALUE..."},
	dns.TypeLOC:   {form: "DEGREES MINUTES SECONDS N|S DEGREES MINUTES SECONDS E|W ALTITUDE"},
}

// formOf returns how the data of a type is written.
func formOf(rrtype uint16) string {
	if form := notations[rrtype].form; form != "" {
		return form
	}
	if _, known := dns.TypeToRR[rrtype]; !known {
		return `"\#" LENGTH HEX`
	}
	return "it as in a master file"
}

// parseData returns the RDATA that words are, which are not empty; relative names in it are in zone, and refused if that
// is a reverse zone.
func parseData(rrtype uint16, words []string, zone Name) (string, error) {
	if data, ok := plainTXT(words); ok && rrtype == dns.TypeTXT {
		return data, nil
	}
	text, err := masterText(rrtype, words)
	if err != nil {
		return "", err
	}
	if zone.IsReverse() {
		zone = ""
	}
	parser := dns.NewZoneParser(strings.NewReader(fmt.Sprintf(". 0 IN TYPE%d %s\n", rrtype, text)), string(zone), "")
	rr, ok := parser.Next()
	if !ok {
		return "", errorf("%s: write %s", mistake(parser.Err()), formOf(rrtype))
	}
	if _, more := parser.Next(); more || parser.Err() != nil {
		return "", errorf("%q has more words than belong to it: write %s", text, formOf(rrtype))
	}
	if words[0] == generic || strings.ContainsFunc(text, isUpper) {
		lowerNames(reflect.ValueOf(rr).Elem())
	}
	data, err := packData(rr, text)
	if err != nil {
		return "", err
	}
	if target := (&Record{Type: rrtype, Data: data}).Target(); target != "" {
		_, err = ParseName(string(target), ".")
	}
	return data, err
}

// plainTXT returns the data of TXT records whose strings have no escapes: most records are such, and the parser of
// miekg/dns takes ten times as long.
func plainTXT(words []string) (string, bool) {
	var data []byte
	for _, word := range words {
		if word == ";" || strings.IndexByte(word, '\\') >= 0 {
			return "", false
		}
		data = appendStrings(data, word)
	}
	return string(data), len(data) <= math.MaxUint16
}

// appendStrings appends a text to the data of a TXT record: as one string, or as several if it is longer.
func appendStrings(data []byte, text string) []byte {
	const longest = 255
	for {
		n := min(len(text), longest)
		data = append(append(data, byte(n)), text[:n]...)
		if text = text[n:]; text == "" {
			return data
		}
	}
}

// Text returns the text of a TXT record: its strings without anything between them. It allocates if there are several.
func (r *Record) Text() string { return joinStrings(r.Data) }

// joinStrings returns the text of the data of a TXT record.
func joinStrings(data string) string {
	if len(data) > 0 && int(data[0])+1 == len(data) {
		return data[1:]
	}
	var b strings.Builder
	for data != "" {
		end := 1 + int(data[0])
		b.WriteString(data[1:end])
		data = data[end:]
	}
	return b.String()
}

func isUpper(r rune) bool { return r >= 'A' && r <= 'Z' }

// mistake returns what the parser of miekg/dns says, without its place: "dns: bad CAA Flag: "x" at line: 1:20".
func mistake(err error) string {
	if err == nil {
		return "nothing"
	}
	text := strings.TrimPrefix(err.Error(), "dns: ")
	if i := strings.LastIndex(text, " at line: "); i >= 0 {
		text = text[:i]
	}
	what, quoted, _ := strings.Cut(strings.TrimPrefix(text, ": "), `: "`)
	if word, err := strconv.Unquote(`"` + quoted); err == nil {
		return Sprintf("%s: %q", what, word)
	}
	return cut(what)
}

// masterText returns words as the data of a record in a master file.
func masterText(rrtype uint16, words []string) (string, error) {
	n := notations[rrtype]
	if words[0] == generic {
		n = notation{}
	}
	text := make([]string, len(words))
	for i, word := range words {
		var err error
		switch {
		case word == ";": // in a string, too, where the next words would be strings of it
			err = errors.New(`a lone ;: write "#" before a comment, and a text with blanks in quotes`)
		case word == `\`:
			err = errors.New(`a lone \: # starts a comment: write "\#" in quotes, or "\\" for a backslash`)
		case i+1 >= n.first && i+1 <= n.last:
			text[i], err = quoted(word)
		default:
			text[i], err = raw(word, rrtype == dns.TypeSVCB || rrtype == dns.TypeHTTPS)
		}
		if err != nil {
			return "", err
		}
	}
	return strings.Join(text, " "), nil
}

// quoted returns a word in quotes. A backslash goes together with what is after it.
func quoted(word string) (string, error) {
	var b strings.Builder
	b.WriteByte('"')
	escaped := false
	for i := range len(word) {
		if word[i] == '"' && !escaped {
			b.WriteByte('\\')
		}
		b.WriteByte(word[i])
		escaped = word[i] == '\\' && !escaped
	}
	if escaped {
		return "", errorf(`%q ends in half an escape: write "\\" for a backslash`, word)
	}
	b.WriteByte('"')
	return b.String(), nil
}

// raw returns a word as it stands, if it is one in a master file, too.
func raw(word string, mayQuote bool) (string, error) {
	switch {
	case word == "":
		return `""`, nil
	case strings.HasPrefix(word, ";"):
		return "", errorf(`%q: write "#" before a comment`, word)
	}
	for _, c := range word {
		if c <= ' ' && c != ' ' || c >= 0x7f || strings.ContainsRune(";()", c) || c == '"' && !mayQuote {
			return "", errorf("%q has %q in it: write %s", word, string(c), fmt.Sprintf(`\%03d`, c))
		}
	}
	return word, nil
}

// lowerNames writes the names in a record in lower case: that is how they are compared (RFC 4343 §3).
func lowerNames(record reflect.Value) {
	for i := range record.NumField() {
		field, value := record.Type().Field(i), record.Field(i)
		isName := strings.HasSuffix(field.Tag.Get("dns"), "domain-name")
		switch {
		case field.Anonymous:
			lowerNames(value)
		case isName && value.Kind() == reflect.String:
			value.SetString(strings.ToLower(value.String()))
		case isName:
			for j := range value.Len() {
				value.Index(j).SetString(strings.ToLower(value.Index(j).String()))
			}
		}
	}
}

// packData returns the RDATA of a record whose owner is the root, if it can be unpacked again.
func packData(rr dns.RR, text string) (string, error) {
	const head = 11 // the root, type, class, TTL and length
	packed := make([]byte, dns.Len(rr)+head)
	end, err := dns.PackRR(rr, packed, 0, nil, false)
	if err != nil {
		return "", errorf("%q cannot be packed: %s: write %s", text, mistake(err), formOf(rr.Header().Rrtype))
	}
	data := string(packed[head:end])
	if _, err := unpackData(".", rr.Header().Rrtype, 0, data); err != nil {
		return "", errorf("%q cannot be unpacked: %s: write %s", text, mistake(err), formOf(rr.Header().Rrtype))
	}
	_, known := dns.TypeToRR[rr.Header().Rrtype]
	if data == "" && known && rr.Header().Rrtype != dns.TypeAPL {
		return "", errorf("%q is empty: write %s", text, formOf(rr.Header().Rrtype))
	}
	return data, nil
}

// presentData returns RDATA as words of a statement, or in hexadecimal where these would not be read as the same.
func presentData(rrtype uint16, data string) string {
	rr, err := unpackData(".", rrtype, 0, data)
	if _, isUnknown := rr.(*dns.RFC3597); err == nil && !isUnknown {
		_, text, _ := strings.Cut(rr.String(), "\tIN\t")
		_, text, _ = strings.Cut(text, "\t")
		if words := wordsOf(text); len(words) > 0 && isPlainText(text, words) {
			if again, err := parseData(rrtype, words, "."); err == nil && again == data {
				return text
			}
		}
	}
	return strings.TrimSuffix(fmt.Sprintf(`"%s" %d %x`, generic, len(data), data), " ")
}

// wordsOf returns the words of a line.
func wordsOf(text string) (words []string) {
	x := newLexer(Pos{}, text)
	for {
		word, _, ok := x.next()
		if !ok {
			return words
		}
		words = append(words, word)
	}
}

// isPlainText reports whether the words of a line are the same to everybody: braces alone open a block, and CoreDNS
// puts variables of the environment in the place of others.
func isPlainText(text string, words []string) bool {
	isBrace := func(word string) bool { return word == "{" || word == "}" }
	return utf8.ValidString(text) && !strings.Contains(text, "{$") && !strings.Contains(text, "{%") &&
		!strings.Contains(text, "\n") && !slices.ContainsFunc(words, isBrace)
}
