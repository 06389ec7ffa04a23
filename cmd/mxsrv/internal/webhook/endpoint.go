package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/idna"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// An Endpoint is the records of a name and type, as ExternalDNS has them.
type Endpoint struct {
	DNSName       string            `json:"dnsName,omitempty"`
	Targets       []string          `json:"targets,omitempty"`
	RecordType    string            `json:"recordType,omitempty"`
	SetIdentifier string            `json:"setIdentifier,omitempty"`
	RecordTTL     int64             `json:"recordTTL,omitempty"` // in seconds; none if it is not above 0
	Labels        map[string]string `json:"labels,omitempty"`
}

// ownedRecord is the label of an ownership record that has the name which it is about.
const ownedRecord = "ownedRecord"

// An identity tells endpoints of a name from each other: a change of one has the same.
type identity struct {
	recordType, setIdentifier string
	ownership                 bool
}

func (e *Endpoint) identity() identity {
	return identity{e.RecordType, e.SetIdentifier, e.isOwnership()}
}

// isOwnership reports whether it is a TXT record in which ExternalDNS keeps whose another endpoint is.
func (e *Endpoint) isOwnership() bool {
	return e.RecordType == "TXT" && len(e.Targets) == 1 &&
		strings.HasPrefix(strings.TrimPrefix(e.Targets[0], `"`), "heritage=external-dns,")
}

// canonical returns an endpoint whose name is as ExternalDNS finds it in the name of an ownership record.
func (e Endpoint) canonical() Endpoint {
	e.DNSName = strings.ToLower(strings.TrimSuffix(e.DNSName, "."))
	return e
}

// stored returns an endpoint with what is kept of it: labels are in ownership records.
func (e Endpoint) stored() Endpoint {
	e.Labels, e.Targets = nil, slices.Clone(e.Targets)
	return e.canonical()
}

// same reports whether two endpoints of a name are kept as the same.
func (e *Endpoint) same(as Endpoint) bool {
	return e.DNSName == as.DNSName && e.identity() == as.identity() && e.RecordTTL == as.RecordTTL &&
		slices.Equal(e.Targets, as.Targets)
}

// compare orders the endpoints of a name, of which no two have the same identity.
func compare(a, b Endpoint) int {
	return cmp.Or(cmp.Compare(a.RecordType, b.RecordType), cmp.Compare(a.SetIdentifier, b.SetIdentifier),
		compareBool(a.isOwnership(), b.isOwnership()))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// name returns the name of an endpoint as definitions have it.
func (e *Endpoint) name() (definition.Name, error) { return parseName(e.DNSName) }

// parseName reads an absolute name, which may have no final dot, and labels that are not ASCII. Others beside these, like
// an asterisk or one with an underscore, are no matter of IDNA.
func parseName(text string) (definition.Name, error) {
	labels := strings.Split(strings.TrimSuffix(text, "."), ".")
	for i, label := range labels {
		if !strings.ContainsFunc(label, func(r rune) bool { return r > '~' }) {
			continue
		}
		if ascii, err := idna.Lookup.ToASCII(label); err == nil {
			labels[i] = ascii
		}
	}
	if text = strings.Join(labels, ".") + "."; text == "." {
		return "", errors.New("an endpoint without a name: write dnsName")
	}
	return definition.ParseName(text, ".")
}

// A form is how targets of a type are written as definitions.
type form struct {
	keyword string
	entry   func(target string) ([]string, error) // the words of a line in the block
}

// forms are the types that have a keyword. All others are records.
var forms = map[string]form{
	"A":     {keyword: "host"},
	"AAAA":  {keyword: "host"},
	"CNAME": {keyword: "alias"},
	"MX":    {"mail", numbered("PREFERENCE HOST", 1)},
	"SRV":   {"service", numbered("PRIORITY WEIGHT PORT HOST", 3)},
}

// numbered reads a target that is some numbers and a host, which is "." if there is none.
func numbered(usage string, numbers int) func(string) ([]string, error) {
	return func(target string) ([]string, error) {
		words := strings.Fields(target)
		if len(words) != numbers+1 {
			return nil, fmt.Errorf("target %q: write %s", target, usage)
		}
		for _, word := range words[:numbers] {
			if _, err := strconv.ParseUint(word, 10, 16); err != nil {
				return nil, fmt.Errorf("%q in target %q: write a number from 0 to 65535", word, target)
			}
		}
		host := words[numbers]
		if host != "." {
			name, err := parseName(host)
			return append(words[:numbers:numbers], string(name)), err
		}
		if strings.Trim(strings.Join(words[:numbers], ""), "0") != "" {
			return nil, fmt.Errorf("target %q: write 0 before \".\"", target)
		}
		return []string{"none"}, nil
	}
}

// statements returns the definitions that endpoints of one type are, without TTL.
func (e *Endpoint) statements(name definition.Name) ([]definition.Statement, error) {
	f, ok := forms[e.RecordType]
	switch {
	case len(e.Targets) == 0:
		return nil, fmt.Errorf("%s without a target: write one", e.RecordType)
	case !ok:
		return e.records(name)
	case e.RecordType == "CNAME" && len(e.Targets) > 1:
		return nil, fmt.Errorf("a CNAME with %d targets: write one", len(e.Targets))
	}
	s := definition.Statement{Words: []string{f.keyword, string(name)}}
	for _, target := range e.Targets {
		if f.entry != nil {
			words, err := f.entry(target)
			if err != nil {
				return nil, err
			}
			s.Block = append(s.Block, definition.Statement{Words: words})
			continue
		}
		word, err := e.word(target)
		if err != nil {
			return nil, err
		}
		s.Words = append(s.Words, word)
	}
	return []definition.Statement{s}, nil
}

// word returns the target of a host or an alias.
func (e *Endpoint) word(target string) (string, error) {
	if e.RecordType == "CNAME" {
		name, err := parseName(target)
		return string(name), err
	}
	isIPv6 := strings.Contains(target, ":")
	if isIPv6 != (e.RecordType == "AAAA") || strings.ContainsAny(target, " \t\r\n") {
		return "", fmt.Errorf("%q is no address of type %s", target, e.RecordType)
	}
	return target, nil
}

// records returns the definitions that endpoints are whose type has no keyword.
func (e *Endpoint) records(name definition.Name) (statements []definition.Statement, err error) {
	if _, ok := dns.StringToType[e.RecordType]; !ok {
		return nil, fmt.Errorf("recordType %q: write one like A, CNAME or MX", e.RecordType)
	}
	for _, target := range e.Targets {
		words := []string{text(target)}
		if isText := e.RecordType == "TXT" || e.RecordType == "SPF"; !isText || isQuoted(target) {
			if words, err = split(target); err != nil {
				return nil, err
			}
		}
		words = append([]string{"record", string(name), e.RecordType}, words...)
		statements = append(statements, definition.Statement{Words: words})
	}
	return statements, nil
}

func isQuoted(target string) bool {
	return len(target) > 1 && target[0] == '"' && target[len(target)-1] == '"'
}

// text returns a word that means a text, which has no escapes.
func text(raw string) string { return escaped(strings.ReplaceAll(raw, `\`, `\\`)) }

// split returns the words of the data of a record as in a master file, without quotes.
func split(data string) (words []string, err error) {
	for data = strings.TrimLeft(data, " \t"); data != ""; data = strings.TrimLeft(data, " \t") {
		end := strings.IndexAny(data, " \t")
		if data[0] == '"' {
			if end = closing(data); end < 0 {
				return nil, fmt.Errorf("%q: write a quote at the end, too", data)
			}
			words, data = append(words, escaped(data[1:end])), data[end+1:]
			continue
		}
		if end < 0 {
			end = len(data)
		}
		words, data = append(words, data[:end]), data[end:]
	}
	return words, nil
}

// closing returns where the quote is that ends the string at the start of a text, or -1.
func closing(text string) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// escaped escapes what is in quotes where the language would take it for something else: the end of a line, or a
// comment.
func escaped(quoted string) string {
	if quoted == ";" {
		return `\;`
	}
	var b strings.Builder
	for i := range len(quoted) {
		if c := quoted[i]; c < ' ' || c == 0x7f {
			fmt.Fprintf(&b, `\%03d`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
