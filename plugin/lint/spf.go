package lint

import (
	"iter"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

const (
	mostLookups   = 10  // terms of a check that ask DNS (RFC 7208 §4.6.4)
	mostExchanges = 10  // of a name in mx
	usualText     = 450 // octets that leave room in a message of 512 (RFC 7208 §3.4)
)

// A term is one of an SPF record (RFC 7208 §4.6.1).
type term struct {
	text      string
	qualifier byte   // "+" if none is written; 0 of a modifier
	name      string // in lower case
	value     string // what follows the name: begins with ":" or "/", or of a modifier with "="
}

// termsOf goes through the terms of an SPF record.
func termsOf(text string) iter.Seq[term] {
	return func(yield func(term) bool) {
		for word := range strings.SplitSeq(text[len(spfVersion):], " ") {
			if word != "" && !yield(parseTerm(word)) {
				return
			}
		}
	}
}

func parseTerm(word string) term {
	end := 0
	for end < len(word) && word[end] != ':' && word[end] != '/' && word[end] != '=' {
		end++
	}
	t := term{text: word, qualifier: '+', name: word[:end], value: word[end:]}
	switch {
	case strings.HasPrefix(t.value, "="):
		t.qualifier = 0
	case t.sign() != "":
		t.qualifier, t.name = word[0], t.name[1:]
	}
	t.name = strings.ToLower(t.name)
	return t
}

// sign returns the qualifier as it is written, "" if none is.
func (t term) sign() string {
	if t.text != "" && strings.IndexByte("+-~?", t.text[0]) >= 0 {
		return t.text[:1]
	}
	return ""
}

func (t term) isModifier(name string) bool { return t.qualifier == 0 && t.name == name }

func (t term) isMechanism(name string) bool { return t.qualifier != 0 && t.name == name }

func (t term) isAll() bool { return t.isMechanism("all") && t.value == "" }

// asks reports whether a term asks DNS.
func (t term) asks() bool {
	return t.qualifier != 0 && mechanisms[t.name].asks || t.isModifier("redirect")
}

// follows reports whether a term asks for another SPF record.
func (t term) follows() bool { return t.isMechanism("include") || t.isModifier("redirect") }

// domain returns the name that a term is about, or that of its record; "" if it has macros or is none.
func (t term) domain(record definition.Name) definition.Name {
	domain, _ := cutLengths(t.value)
	if domain == "" {
		return record
	}
	name, err := definition.ParseName(domain[1:], ".")
	if err != nil {
		return ""
	}
	return name
}

// A mechanism is what a term may be, and says what is wrong with what follows its name: what to write, or "".
type mechanism struct {
	asks  bool
	wrong func(value string) (want string)
}

var mechanisms = map[string]mechanism{
	"a":       {true, func(value string) string { return wrongHost(value, "a") }},
	"all":     {false, func(value string) string { return unless(value == "", "all alone") }},
	"exists":  {true, func(value string) string { return unless(isDomainSpec(value), "exists:DOMAIN") }},
	"include": {true, func(value string) string { return unless(isDomainSpec(value), "include:DOMAIN") }},
	"ip4":     {false, wrongIP4},
	"ip6":     {false, wrongIP6},
	"mx":      {true, func(value string) string { return wrongHost(value, "mx") }},
	"ptr":     {true, func(value string) string { return unless(value == "" || isDomainSpec(value), "ptr:DOMAIN") }},
}

var mechanismNames = []string{"include", "all", "a", "mx", "ip4", "ip6", "exists", "ptr"}

func unless(ok bool, want string) string {
	if ok {
		return ""
	}
	return want
}

// wrong returns what to write instead of a term, or "".
func (t term) wrong() (want string) {
	m, ok := mechanisms[t.name]
	switch {
	case t.qualifier != 0 && ok:
		want = m.wrong(t.value)
		if instead, isQuoted := strings.CutPrefix(want, `"`); isQuoted {
			want = `"` + t.sign() + instead
		}
		return want
	case t.qualifier != 0:
		return nearestTerm(t)
	case t.name == "redirect", t.name == "exp":
		return unless(isDomainSpec(":"+t.value[1:]), t.name+"=DOMAIN")
	case ok: // it is ignored
		return quoted(t.name + ":" + t.value[1:])
	}
	return unless(isModifierName(t.name), "NAME=VALUE")
}

// nearestTerm returns the term that one of an unknown name was meant to be.
func nearestTerm(t term) string {
	address := t.text
	if prefix, err := netip.ParsePrefix(t.text); err == nil {
		address = prefix.Addr().String()
	}
	if addr, err := netip.ParseAddr(address); err == nil {
		return quoted(versionOf(addr) + ":" + t.text)
	}
	if nearest, ok := definition.Nearest(t.name, mechanismNames); ok && len(t.name) > 1 {
		return quoted(t.sign() + nearest + t.value)
	}
	return "one of " + strings.Join(mechanismNames, ", ") + ", redirect=, exp="
}

func quoted(text string) string { return definition.Sprintf("%q", text) }

func versionOf(addr netip.Addr) string {
	if addr.Is4() {
		return "ip4"
	}
	return "ip6"
}

func isModifierName(name string) bool {
	isOther := func(r rune) bool { return !isAlphanumeric(r) && !strings.ContainsRune("-_.", r) }
	return name != "" && !strings.ContainsFunc(name, isOther) && strings.IndexByte("0123456789-_.", name[0]) < 0
}

// wrongHost is for a and mx, which take a domain, prefix lengths, or both.
func wrongHost(value, name string) string {
	domain, ok := cutLengths(value)
	return unless(ok && (domain == "" || isDomainSpec(domain)), name+", "+name+":DOMAIN or "+name+":DOMAIN/24//64")
}

// cutLengths returns what is before the prefix lengths of a and mx, and whether these are right.
func cutLengths(value string) (rest string, ok bool) {
	rest, ok = value, true
	if i := strings.LastIndex(rest, "//"); i >= 0 && isNumber(rest[i+2:]) {
		rest, ok = rest[:i], isLength(rest[i+2:], 128)
	}
	if i := strings.LastIndexByte(rest, '/'); i >= 0 && isNumber(rest[i+1:]) {
		rest, ok = rest[:i], ok && isLength(rest[i+1:], 32)
	}
	return rest, ok
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isLength reports whether a text is the length of a prefix.
func isLength(s string, most int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n <= most && s == strconv.Itoa(n)
}

func wrongIP4(value string) string {
	addr, ok := cutNetwork(value, 32)
	switch {
	case ok && addr.Is4():
		return ""
	case ok:
		return quoted("ip6" + value)
	}
	return "ip4:ADDRESS or ip4:ADDRESS/LENGTH, like ip4:192.0.2.0/24"
}

func wrongIP6(value string) string {
	addr, ok := cutNetwork(value, 128)
	switch {
	case ok && addr.Is6() && addr.Zone() == "":
		return ""
	case ok && addr.Is4():
		return quoted("ip4" + value)
	}
	return "ip6:ADDRESS or ip6:ADDRESS/LENGTH, like ip6:2001:db8::/32"
}

// cutNetwork returns the address of a network, and whether it is one.
func cutNetwork(value string, most int) (addr netip.Addr, ok bool) {
	text, length, isNetwork := strings.Cut(strings.TrimPrefix(value, ":"), "/")
	addr, err := netip.ParseAddr(text)
	if addr.Is6() {
		most = 128
	}
	return addr, err == nil && value[0] == ':' && (!isNetwork || isLength(length, most))
}

// isDomainSpec reports whether a value is ":" and a domain, perhaps with macros (RFC 7208 §7.1): it ends in a label
// that is no number, or in a macro.
func isDomainSpec(value string) bool {
	if len(value) < 2 || value[0] != ':' {
		return false
	}
	rest := value[1:] // after the last macro
	for i := 1; i < len(value); i++ {
		switch c := value[i]; {
		case c < '!' || c > '~':
			return false
		case c == '%':
			n := macro(value[i:])
			if n == 0 {
				return false
			}
			i += n - 1
			rest = value[i+1:]
		}
	}
	return rest == "" || isTopLabel(rest)
}

// isTopLabel reports whether a text ends in a dot and a label that is no number.
func isTopLabel(text string) bool {
	text = strings.TrimSuffix(text, ".")
	i := strings.LastIndexByte(text, '.')
	label := text[i+1:]
	return i >= 0 && isLDH(label) && !isNumber(label)
}

// macro returns the length of the macro that a text begins with; 0 if it is none.
func macro(text string) int {
	switch {
	case len(text) < 2:
		return 0
	case strings.IndexByte("%_-", text[1]) >= 0:
		return 2
	}
	end := strings.IndexByte(text, '}')
	if end < 3 || text[1] != '{' || strings.IndexByte("slodiphv", text[2]|0x20) < 0 {
		return 0
	}
	transformers := strings.TrimLeft(text[3:end], "0123456789")
	transformers = strings.TrimPrefix(strings.TrimPrefix(transformers, "r"), "R")
	if strings.Trim(transformers, ".-+,/_=") != "" {
		return 0
	}
	return end + 1
}

// spfTerm reports terms for which receivers take none of the record.
func spfTerm(p *pass) {
	for text, records := range p.texts(spf) {
		redirects, explanations := 0, 0
		for t := range termsOf(text) {
			if want := t.wrong(); want != "" {
				p.reportEach(records, "SPF", definition.Sprintf("%q is no term: write ", t.text)+want)
			}
			if t.isModifier("redirect") {
				redirects++
			} else if t.isModifier("exp") {
				explanations++
			}
		}
		if redirects > 1 || explanations > 1 {
			p.reportEach(records, "SPF", "redirect= and exp= may stand once: delete one")
		}
	}
}

// spfAfterAll reports what receivers never come to.
func spfAfterAll(p *pass) {
	for text, records := range p.texts(spf) {
		all, redirect := "", ""
		for t := range termsOf(text) {
			switch {
			case t.isModifier("redirect"):
				redirect = t.text
			case t.qualifier != 0 && all != "":
				p.reportEach(records, "SPF", definition.Sprintf("%q after %q counts for nothing: write it before", t.text, all))
			case t.isAll():
				all = t.text
			}
		}
		if all != "" && redirect != "" {
			p.reportEach(records, "SPF", definition.Sprintf("%q counts for nothing beside %q: delete one", redirect, all))
		}
	}
}

func spfPlusAll(p *pass) {
	p.reportTerms("lets everybody send as the domain: write -all or ~all",
		func(t term) bool { return t.isAll() && t.qualifier == '+' })
}

func spfPTR(p *pass) {
	p.reportTerms("is slow, and receivers may leave it out: write mx, a or addresses",
		func(t term) bool { return t.isMechanism("ptr") })
}

// reportTerms reports terms that match.
func (p *pass) reportTerms(wrong string, match func(term) bool) {
	for text, records := range p.texts(spf) {
		for t := range termsOf(text) {
			if match(t) {
				p.reportEach(records, "SPF", definition.Sprintf("%q %s", t.text, wrong))
			}
		}
	}
}

func spfLong(p *pass) {
	for text, records := range p.texts(spf) {
		if n := len(text); n > usualText {
			p.reportEach(records, "SPF", strconv.Itoa(n)+" octets, and an answer of more than "+strconv.Itoa(usualText)+
				" may not fit a message of 512: write fewer terms")
		}
	}
}

// spfLookups reports records for which receivers would ask too often. It is an error if the record itself has too many
// terms that ask. Together with those of declared records that it includes they are a warning only: what is declared of a
// name must not make that of another one wrong, and after a small change of a large set the others are not read.
func spfLookups(p *pass) {
	for text, records := range p.texts(spf) {
		own, follows := 0, false
		for t := range evaluated(text) {
			if t.asks() {
				own++
			}
			follows = follows || t.follows()
		}
		switch {
		case own > mostLookups:
			p.reportEach(records, "SPF", strconv.Itoa(own)+" terms ask DNS, and receivers take no record with more than "+
				strconv.Itoa(mostLookups)+": write addresses instead of some")
		case follows && !p.opt.alone && p.lookups(text, 0) > mostLookups:
			p.reportEachAs(Warning, records, "SPF", "with the records that it includes, more than "+strconv.Itoa(mostLookups)+
				" terms ask DNS, and receivers take none then: write addresses instead of some")
		}
	}
}

// evaluated goes through the terms that a receiver may come to: none after all, and no redirect beside it.
func evaluated(text string) iter.Seq[term] {
	return func(yield func(term) bool) {
		var redirect []term
		for t := range termsOf(text) {
			if t.isModifier("redirect") {
				redirect = append(redirect, t)
			} else if !yield(t) || t.isAll() {
				return
			}
		}
		for _, t := range redirect {
			if !yield(t) {
				return
			}
		}
	}
}

// lookups adds to n how many terms of a record ask DNS, with those of declared records that it includes. It stops above
// the limit, as records may include each other.
func (p *pass) lookups(text string, n int) int {
	for t := range evaluated(text) {
		if !t.asks() {
			continue
		}
		if n++; n > mostLookups {
			break
		}
		if t.follows() {
			n = p.lookups(p.spfOf(t.domain("")), n)
		}
	}
	return n
}

// spfOf returns the SPF record that is declared of a name, one without terms if there is none.
func (p *pass) spfOf(name definition.Name) string {
	for _, r := range p.index.At(name).Records() {
		if subjectOf(r) == spf {
			return textOf(r)
		}
	}
	return spfVersion
}

// spfMXMany reports mx of names with more exchanges than receivers look up. As in spfLookups, those of another name
// make no error.
func spfMXMany(p *pass) {
	if !p.hasManyExchanges() {
		return
	}
	for text, records := range p.texts(spf) {
		for t := range evaluated(text) {
			if !t.isMechanism("mx") {
				continue
			}
			for _, r := range records {
				p.checkMX(r, t)
			}
		}
	}
}

// hasManyExchanges reports whether a name has more exchanges than receivers look up. Hardly any set has one.
func (p *pass) hasManyExchanges() bool {
	if len(p.set.Mails) == 0 {
		return false
	}
	for o := range p.index.Owners() {
		if len(o.Mails()) > 0 && len(o.Exchanges()) > mostExchanges {
			return true
		}
	}
	return false
}

func (p *pass) checkMX(r *definition.Record, t term) {
	domain, severity := t.domain(r.Owner), Error
	if domain != r.Owner {
		severity = Warning
	}
	if n := len(p.index.At(domain).Exchanges()); n > mostExchanges {
		p.reportAs(severity, r.Pos, []definition.Name{r.Owner, domain}, "SPF record of %s: mx is %d exchanges of %s, and "+
			"receivers take no record with more than %d: write their addresses", r.Owner, n, domain, mostExchanges)
	}
}

// spfTwo reports SPF records beside an earlier one of the same name.
func spfTwo(p *pass) {
	p.reportSecond(spf, func(string) bool { return true }, "SPF", "write one record with the terms of both")
}
