package definition

import (
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A Check says how to find out whether something answers at a port. It is comparable; the zero value is no check. Only
// [ParseCheck] makes others.
type Check struct {
	Protocol Protocol
	StartTLS bool   // smtp: a TLS handshake has to succeed, too
	Path     string // http, https: of the request, with its query
	Status   int    // http, https: of the response; 0: any 2xx
	Name     Name   // https: to ask for, and that the certificate has; "": that of the host
	Insecure bool   // https: the certificate is not verified
}

// A Protocol is the first word of a check.
type Protocol string

// The protocols of checks.
const (
	CheckTCP   Protocol = "tcp"
	CheckTLS   Protocol = "tls"
	CheckSMTP  Protocol = "smtp"
	CheckHTTP  Protocol = "http"
	CheckHTTPS Protocol = "https"
)

const checkWord, insecureWord, startTLSWord = "check", "insecure", "starttls"

// A checkKind says which words follow a protocol. Its read takes those that it knows, and returns the others.
type checkKind struct {
	protocol Protocol
	usage    string
	read     func(c *Check, words []string, zone Name) (rest []string, err error)
}

var checkKinds = []checkKind{
	{CheckTCP, "", nil},
	{CheckTLS, "", nil},
	{CheckSMTP, " [starttls]", (*Check).smtp},
	{CheckHTTP, " PATH [STATUS]", (*Check).http},
	{CheckHTTPS, " PATH [STATUS] [NAME] [insecure]", (*Check).https},
}

// ParseCheck reads what follows the word check. A name in it is relative to the zone, as everywhere.
func ParseCheck(words []string, zone Name) (Check, error) {
	var protocols []string
	for _, k := range checkKinds {
		protocols = append(protocols, string(k.protocol))
	}
	if len(words) == 0 {
		return Check{}, errorf("usage: check %s", strings.Join(protocols, "|"))
	}
	i := slices.Index(protocols, words[0])
	if i < 0 {
		return Check{}, errors.New(UnknownWord(words[0], protocols))
	}
	return checkKinds[i].parse(words[1:], zone)
}

func (k checkKind) parse(words []string, zone Name) (Check, error) {
	c, rest := Check{Protocol: k.protocol}, words
	if k.read != nil {
		var err error
		if rest, err = k.read(&c, words, zone); err != nil {
			return Check{}, err
		}
	}
	if len(rest) > 0 || c.needsPath() && c.Path == "" {
		return Check{}, errorf("usage: check %s%s", k.protocol, k.usage)
	}
	return c, nil
}

func (c *Check) needsPath() bool { return c.Protocol == CheckHTTP || c.Protocol == CheckHTTPS }

func (c *Check) smtp(words []string, _ Name) ([]string, error) {
	words, c.StartTLS = withoutWord(words, startTLSWord)
	return words, nil
}

// withoutWord returns words without the first, if that is a certain one, and whether it is.
func withoutWord(words []string, word string) ([]string, bool) {
	if len(words) > 0 && words[0] == word {
		return words[1:], true
	}
	return words, false
}

func (c *Check) http(words []string, _ Name) ([]string, error) {
	if len(words) == 0 {
		return nil, nil
	}
	if err := checkPath(words[0]); err != nil {
		return nil, err
	}
	c.Path, words = words[0], words[1:]
	if len(words) == 0 || !isStatus(words[0]) {
		return words, nil
	}
	var err error
	if c.Status, err = strconv.Atoi(words[0]); err != nil || c.Status < 200 || c.Status > 599 {
		return nil, errorf("status %q: write a number from 200 to 599, or none for any 2xx", words[0])
	}
	return words[1:], nil
}

// isStatus reports whether a word is meant as a status: it starts with a digit, and has no dot as names mostly do.
func isStatus(word string) bool {
	return word != "" && word[0] >= '0' && word[0] <= '9' && !strings.Contains(word, ".")
}

// checkPath says what is wrong with the path of a request. What passes needs no quotes and no escapes anywhere.
func checkPath(path string) error {
	_, err := url.ParseRequestURI(path)
	switch {
	case !strings.HasPrefix(path, "/"):
		return errorf("path %q: write one that begins with a slash, like /health", path)
	case err != nil || strings.ContainsFunc(path, outsidePath):
		return errorf("path %q: write what is no letter, digit or punctuation of a URL as %%XX", path)
	}
	return nil
}

func outsidePath(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"#<>\\^`{|}", r) }

func (c *Check) https(words []string, zone Name) ([]string, error) {
	words, err := c.http(words, zone)
	if err != nil || c.Path == "" {
		return words, err
	}
	if len(words) > 0 && words[0] != insecureWord {
		if c.Name, err = certificateName(words[0], zone); err != nil {
			return nil, err
		}
		words = words[1:]
	}
	words, c.Insecure = withoutWord(words, insecureWord)
	return words, nil
}

// certificateName reads a name that a certificate can be for.
func certificateName(word string, zone Name) (Name, error) {
	if _, err := netip.ParseAddr(word); err == nil {
		return "", errorf("%q is an address: write the name that the certificate has", word)
	}
	name, err := ParseName(word, zone)
	if err == nil && (name == "." || strings.ContainsAny(string(name), "*/+")) {
		err = errorf("%q is no name of a server: write one that the certificate has", word)
	}
	return name, err
}

// String returns the words that the check is read from, with an absolute name.
func (c Check) String() string {
	words := []string{string(c.Protocol)}
	for _, w := range []struct {
		written bool
		word    string
	}{
		{c.StartTLS, startTLSWord},
		{c.Path != "", c.Path},
		{c.Status != 0, strconv.Itoa(c.Status)},
		{c.Name != "", string(c.Name)},
		{c.Insecure, insecureWord},
	} {
		if w.written {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, " ")
}

// A checkLine is the check of a stanza as it is written. Its name, if it has one, is another in each zone.
type checkLine struct {
	Pos
	words []string // after the word check; nil if there is none
	first *Check   // in the first zone of the reader
	in    map[Name]*Check
}

// check reads a check in a block into to.
func (r *Reader) check(s Statement, to *checkLine) {
	words := slices.Clone(s.Words[1:]) // for the memory of a statement is that of the next
	switch c, err := ParseCheck(words, r.zones[0]); {
	case err != nil:
		r.errs.add(s.Pos, Syntax, "%v", err)
	case to.words != nil && !slices.Equal(to.words, words):
		r.errs.add(s.Pos, Syntax, "a second check in one block: write one")
	default:
		*to = checkLine{Pos: s.Pos, words: words, first: &c}
	}
}

// check returns the check in a zone, or nil. The names there share it.
func (l *checkLine) check(r *Reader, zone Name) *Check {
	if l.first == nil || l.first.Name == "" {
		return l.first
	}
	made, ok := l.in[zone]
	if !ok {
		c, err := ParseCheck(l.words, zone)
		if err != nil {
			r.errs.add(l.Pos, NameInvalid, "%v", err)
			return nil
		}
		if l.in == nil {
			l.in = make(map[Name]*Check)
		}
		made = &c
		l.in[zone] = made
	}
	return made
}

// refuseCheck reports a check of what has no targets.
func (r *Reader) refuseCheck(l checkLine) {
	if l.words != nil {
		r.errs.add(l.Pos, Syntax, "check is for targets: delete it, or write some instead of none")
	}
}
