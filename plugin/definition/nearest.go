package definition

import (
	"slices"
	"strings"
)

// Nearest returns the one of some words that is spelled most like a word, whatever its case, and whether that is near
// enough to be meant: no more than a third of its letters are other ones, missing, too many, or swapped with their
// neighbour. Of words that are equally near it is the first; of none it is "".
func Nearest(word string, words []string) (nearest string, near bool) {
	word = strings.ToLower(cut(word))
	least := 0
	for i, w := range words {
		if d := Distance(word, w); i == 0 || d < least {
			nearest, least = w, d
		}
	}
	return nearest, nearest != "" && least <= max(len(nearest)/3, 1)
}

// Distance returns how many octets must be inserted, deleted, replaced or swapped with the next one to make b of a.
func Distance(a, b string) int {
	last := make([]int, len(b)+1)   // of the octets of a so far but two to each beginning of b,
	before := make([]int, len(b)+1) // but one,
	row := make([]int, len(b)+1)    // and of all so far
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last, before, row = before, row, last
		row[0] = i + 1
		for j := range len(b) {
			replaced := before[j]
			if a[i] != b[j] {
				replaced++
			}
			row[j+1] = min(replaced, row[j]+1, before[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], last[j-1]+1)
			}
		}
	}
	return row[len(b)]
}

// Unknown says that a statement starts with no keyword, nor with one of the further words that may start one where it
// stands.
func Unknown(s Statement, further ...string) string {
	words := append(Keywords(), further...)
	slices.Sort(words)
	word := s.Words[0]
	if upper := strings.ToUpper(word); slices.Contains(strings.Fields(otherTypes), strings.ToLower(word)) && typeOf(upper) != 0 {
		name := "NAME..."
		if len(s.Words) > 2 {
			name = cut(s.Words[1])
		}
		return Sprintf("unknown word %q: write record %s %s and its data", word, name, upper)
	}
	if instead, ok := remedy(word); ok {
		return Sprintf("unknown word %q: %s", word, instead)
	}
	if _, near := Nearest(word, words); !near {
		if instead, ok := ofZoneFile(s.Words); ok {
			return Sprintf("%q is a line of a zone file: %s", strings.Join(s.Words, " "), instead)
		}
	}
	return UnknownWord(word, words)
}

// UnknownWord says that a word is none of some words, and which of them may be meant.
func UnknownWord(word string, words []string) string {
	if nearest, near := Nearest(word, words); near {
		return Sprintf("unknown word %q: write %s", word, nearest)
	}
	return Sprintf("unknown word %q: write one of %s", word, strings.Join(words, ", "))
}

// An unknown statement is formatted only if its mistake is kept.
type unknown Statement

func (u unknown) String() string { return Unknown(Statement(u)) }

// remedies says, for words that start a line elsewhere, what to write here instead: types of records in lower case,
// directives of zone files, options of dnsmasq, and what belongs in the Corefile or in a block.
var remedies = byWord([][2]string{
	{"a aaaa address host-record", "write host NAME ADDRESS..."},
	{"mx mx-host", "write mail NAME... PREFERENCE HOST..."},
	{"srv srv-host", "write service NAME... PRIORITY WEIGHT PORT HOST..."},
	{"cname dname", "write alias NAME... HOST"},
	{"ns soa", "write authoritative { ns NAME... } into the Corefile"},
	{otherTypes, "write record NAME... TYPE DATA..."},
	{"$ttl", "write ttl TTL"},
	{"$origin", "write names of other zones absolute, with a final dot"},
	{"$include", "write file PATH... into the mxsrv block of the Corefile"},
	{"authoritative checks etcd fallthrough file ignore reload serials", "write it into the mxsrv block of the Corefile"},
	{"clients dkim dmarc mta-sts tls-rpt", "write it into the block of mail"},
	{"spf", "write it into the block of mail or host"},
	{"contact expire negative refresh retry", "write it into the block of authoritative"},
	{"credentials prefix snapshot tls", "write it into the block of etcd"},
	{"timeout", "write it into the block of etcd or of checks"},
	{"every helo", "write it into the block of checks"},
	{"check", "write it into the block of mail or service"},
	{"down maint", "write drain HOST..."},
	{"mxsrv", "write the lines of its block alone, without its braces"},
	{"//", `write "#" before a comment`},
})

// otherTypes are those of records that have no word of their own.
const otherTypes = "caa caa-record cert dhcid dns-rr eui48 eui64 hinfo https kx loc naptr naptr-record " +
	"openpgpkey ptr ptr-record rp smimea sshfp svcb tlsa txt txt-record uri"

func byWord(rows [][2]string) map[string]string {
	remedies := make(map[string]string)
	for _, row := range rows {
		for word := range strings.FieldsSeq(row[0]) {
			remedies[word] = row[1]
		}
	}
	return remedies
}

// remedy returns what to write instead of a word, in any case, or of an option of dnsmasq.
func remedy(word string) (string, bool) {
	if strings.HasPrefix(word, "//") {
		word = word[:2]
	}
	key, _, isOption := strings.Cut(strings.ToLower(strings.TrimPrefix(word, "--")), "=")
	instead, ok := remedies[key]
	switch {
	case ok && isOption:
		instead += convert
	case !ok && isNumber(word):
		instead, ok = "write numbers into the line or the block of mail or service", true
	}
	return instead, ok
}

const convert = ", or convert the file with mxsrv import"

// isSOA reports whether words are the entry that begins a zone file: an owner, a TTL and a class if they are given, and
// the type.
func isSOA(words []string) bool { return slices.Contains(words[1:min(len(words), 4)], "SOA") }

// ofZoneFile returns what to write instead of an entry of a zone file: an owner, a TTL and a class
// if they are given, and a type, in capitals.
func ofZoneFile(words []string) (string, bool) {
	for _, word := range words[1:min(len(words), 4)] {
		if instead, ok := remedies[strings.ToLower(word)]; ok && word == strings.ToUpper(word) {
			return instead + convert, true
		}
	}
	return "", false
}

// typed says that a word of a statement is no name but the type of the records that it makes, as in a zone file.
func (r *Reader) typed(s Statement, word int, form string) {
	r.errs.add(s.Pos, Syntax, "%q is no name: write %s %s, without a type", s.Words[word], s.Words[0], form)
}
