package lint

import (
	"iter"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A subject is what records say something about that rules look into.
type subject int

const (
	none     subject = iota
	spf              // TXT that begins with v=spf1, at any name
	dkim             // TXT at SELECTOR._domainkey
	dmarc            // TXT at _dmarc
	mtaSTS           // TXT at _mta-sts
	tlsRPT           // TXT at _smtp._tls
	bimi             // TXT at SELECTOR._bimi
	caa              // CAA
	tlsa             // TLSA
	subjects         // how many there are
)

// subjectRecords are the records of each subject.
type subjectRecords [subjects][]*definition.Record

// prefixes are those of the names of policies.
var prefixes = []struct {
	prefix string
	of     subject
}{{"_dmarc.", dmarc}, {"_mta-sts.", mtaSTS}, {"_smtp._tls.", tlsRPT}}

// subjectOf returns what a record says something about. Most records are of another type, and cost a look at it.
func subjectOf(r *definition.Record) subject {
	switch r.Type {
	case dns.TypeTXT:
		return subjectOfText(r)
	case dns.TypeCAA:
		return caa
	case dns.TypeTLSA:
		return tlsa
	}
	return none
}

func subjectOfText(r *definition.Record) subject {
	owner := string(r.Owner)
	if owner[0] == '_' {
		for _, p := range prefixes {
			if strings.HasPrefix(owner, p.prefix) {
				return p.of
			}
		}
	}
	switch {
	case isSPF(r):
		return spf
	case strings.Contains(owner, "._domainkey."):
		return dkim
	case strings.Contains(owner, "._bimi."):
		return bimi
	}
	return none
}

// about returns the records of a subject, those with the same data together: names of one statement have several keys
// each. The first call looks at all records.
func (p *pass) about(s subject) []*definition.Record {
	if p.subjects == nil {
		p.subjects = new(subjectRecords)
		for i := range p.set.Records {
			r := &p.set.Records[i]
			if s := subjectOf(r); s != none {
				p.subjects[s] = append(p.subjects[s], r)
			}
		}
		for s := range p.subjects {
			p.subjects[s] = sameTogether(p.subjects[s])
		}
	}
	return p.subjects[s]
}

// sameTogether returns records with those of the same data together, otherwise in their order.
func sameTogether(records []*definition.Record) []*definition.Record {
	numbers, groups := make(map[string]int), [][]*definition.Record{}
	for _, r := range records {
		n, ok := numbers[r.Data]
		if !ok {
			n, groups = len(groups), append(groups, nil)
			numbers[r.Data] = n
		}
		groups[n] = append(groups[n], r)
	}
	return slices.Concat(groups...)
}

// texts goes through the texts of a subject. Records that have the same one, as those of a statement do, come together,
// so that it is parsed once.
func (p *pass) texts(s subject) iter.Seq2[string, []*definition.Record] {
	return func(yield func(string, []*definition.Record) bool) {
		for all := p.about(s); len(all) > 0; {
			n := slices.IndexFunc(all, func(r *definition.Record) bool { return r.Data != all[0].Data })
			if n < 0 {
				n = len(all)
			}
			if !yield(textOf(all[0]), all[:n]) {
				return
			}
			all = all[n:]
		}
	}
}

// textOf returns the text of a TXT record, and the data of others.
func textOf(r *definition.Record) string {
	if r.Type == dns.TypeTXT {
		return r.Text()
	}
	return r.Data
}

// reportEach reports something about each of some records: what kind they are, and what is wrong.
func (p *pass) reportEach(some []*definition.Record, kind, wrong string) {
	p.reportEachAs(p.rule.Severity, some, kind, wrong)
}

func (p *pass) reportEachAs(s Severity, some []*definition.Record, kind, wrong string) {
	for _, r := range some {
		p.reportAs(s, r.Pos, []definition.Name{r.Owner}, "%s record of %s: %s", kind, r.Owner, wrong)
	}
}

// reportSecond reports records of a subject beside an earlier one of the same name, if receivers take both for what
// they look for.
func (p *pass) reportSecond(s subject, is func(text string) bool, kind, remedy string) {
	if len(p.about(s)) < 2 {
		return
	}
	for o := range p.index.Owners() {
		all := o.Records()
		if len(all) < 2 {
			continue
		}
		var first *definition.Record
		for _, r := range all {
			switch {
			case subjectOf(r) != s || !is(textOf(r)):
			case first == nil:
				first = r
			case first.Data != r.Data:
				p.report(r.Pos, []definition.Name{o.Name()}, "%s has another %s record, at %s, and receivers take neither: %s",
					o.Name(), kind, first.Pos, remedy)
			}
		}
	}
}

// A tag is one of a list like "v=DMARC1; p=none" (RFC 6376 §3.2), without the blanks around its parts.
type tag struct{ name, value string }

// tagsOf goes through the tags of a text.
func tagsOf(text string) iter.Seq[tag] {
	return func(yield func(tag) bool) {
		for part := range strings.SplitSeq(text, ";") {
			name, value, _ := strings.Cut(part, "=")
			t := tag{strings.Trim(name, blanks), strings.Trim(value, blanks)}
			if t != (tag{}) && !yield(t) {
				return
			}
		}
	}
}

const blanks = " \t"

// valueOf returns the value of the first tag of a name, and whether there is one.
func valueOf(text, name string) (value string, ok bool) {
	for t := range tagsOf(text) {
		if t.name == name {
			return t.value, true
		}
	}
	return "", false
}

// repeated returns the name of a tag that a text has twice, or "": such a list is none (RFC 6376 §3.2).
func repeated(text string) string {
	var room [16]string
	names := room[:0]
	for t := range tagsOf(text) {
		if slices.Contains(names, t.name) {
			return t.name
		}
		names = append(names, t.name)
	}
	return ""
}

// hasFirst reports whether the first tag of a text is its version, as it must be written.
func hasFirst(text, version string) bool {
	for t := range tagsOf(text) {
		return t == tag{"v", version}
	}
	return false
}

// uris goes through a list of URIs with commas between.
func uris(value string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for uri := range strings.SplitSeq(value, ",") {
			if !yield(strings.Trim(uri, blanks)) {
				return
			}
		}
	}
}

// mailDomain returns the domain of a mailto URI, or "". Sizes after "!" are what RFC 7489 had.
func mailDomain(uri string) string {
	address, ok := cutScheme(uri, "mailto:")
	if !ok {
		return ""
	}
	if end := strings.IndexAny(address, "?!"); end >= 0 {
		address = address[:end]
	}
	local, domain, _ := strings.Cut(address, "@")
	if local == "" || strings.ContainsAny(domain, blanks) {
		return ""
	}
	return strings.ToLower(domain)
}

// cutScheme returns a URI without its scheme, in any case, and whether it is that.
func cutScheme(uri, scheme string) (rest string, ok bool) {
	if !hasVersion(uri, scheme) {
		return "", false
	}
	return uri[len(scheme):], true
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// isLDH reports whether a label is letters, digits and inner hyphens.
func isLDH(label string) bool {
	isOther := func(r rune) bool { return !isAlphanumeric(r) && r != '-' }
	return label != "" && strings.Trim(label, "-") == label && !strings.ContainsFunc(label, isOther)
}
