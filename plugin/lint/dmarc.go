package lint

import (
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

const dmarcVersion = "DMARC1"

// A dmarcTag says which values a tag may have (RFC 9989 §4.7).
type dmarcTag struct {
	isValue func(value string) bool
	want    string
}

var (
	dmarcPolicy    = dmarcTag{oneOf("none", "quarantine", "reject"), "none, quarantine or reject"}
	dmarcAlignment = dmarcTag{oneOf("r", "s"), "r or s"}
	dmarcReports   = dmarcTag{areURIs, "mailto:ADDRESS, with commas between several"}
)

var dmarcTags = map[string]dmarcTag{
	"p": dmarcPolicy, "sp": dmarcPolicy, "np": dmarcPolicy,
	"adkim": dmarcAlignment, "aspf": dmarcAlignment,
	"rua": dmarcReports, "ruf": dmarcReports,
	"fo":  {areOptions, "0, 1, d, s or d:s"},
	"psd": {oneOf("y", "n", "u"), "y, n or u"},
	"t":   {oneOf("y", "n"), "y or n"},
}

// historicTags are those that RFC 9989 has removed.
var historicTags = []string{"pct", "rf", "ri"}

// longTags are those that are told from others: to one letter another is always near.
var longTags = []string{"adkim", "aspf", "psd", "rua", "ruf", "pct"}

func oneOf(values ...string) func(string) bool {
	return func(value string) bool { return slices.Contains(values, strings.ToLower(value)) }
}

// areOptions reports whether a value is a list of options for reports of failures. That 0 and 1 stand alone is newer
// than most records (RFC 7489 §6.3).
func areOptions(value string) bool {
	isOption := oneOf("0", "1", "d", "s")
	for option := range strings.SplitSeq(value, ":") {
		if !isOption(strings.Trim(option, blanks)) {
			return false
		}
	}
	return true
}

// areURIs reports whether a value is a list of URIs.
func areURIs(value string) bool {
	for uri := range uris(value) {
		scheme, rest, _ := strings.Cut(uri, ":")
		isMail := strings.EqualFold(scheme, "mailto")
		if rest == "" || !isModifierName(scheme) || isMail && mailDomain(uri) == "" {
			return false
		}
	}
	return true
}

// isDMARC reports whether receivers take a text for a DMARC record.
func isDMARC(text string) bool { return hasFirst(text, dmarcVersion) }

// resemblesDMARC reports whether a text was meant to be a DMARC record.
func resemblesDMARC(text string) bool {
	policy, _ := valueOf(text, "p")
	return strings.Contains(strings.ToUpper(text), dmarcVersion) || dmarcPolicy.isValue(policy)
}

// dmarcTagWrong reports records that receivers ignore, and tags.
func dmarcTagWrong(p *pass) {
	for text, records := range p.texts(dmarc) {
		switch twice := repeated(text); {
		case !isDMARC(text):
			if resemblesDMARC(text) {
				p.reportEach(records, "DMARC", `receivers ignore it: write "v=DMARC1;" first`)
			}
			continue
		case twice != "":
			p.reportEach(records, "DMARC", definition.Sprintf("%q stands twice, and receivers ignore it all: delete one", twice))
		}
		for t := range tagsOf(text) {
			if known, ok := dmarcTags[strings.ToLower(t.name)]; ok && !known.isValue(t.value) {
				p.reportEach(records, "DMARC", definition.Sprintf("%s is %q: write %s", t.name, t.value, known.want))
			}
		}
	}
	p.reportSecond(dmarc, isDMARC, "DMARC", "delete one of them")
}

// reportTags reports tags of DMARC records about which there is something to say.
func (p *pass) reportTags(wrong func(tag) string) {
	for text, records := range p.texts(dmarc) {
		if !isDMARC(text) {
			continue
		}
		for t := range tagsOf(text) {
			if text := wrong(tag{strings.ToLower(t.name), t.value}); text != "" {
				p.reportEach(records, "DMARC", text)
			}
		}
	}
}

// dmarcTagUnknown reports tags that are nearly known. Others are of the future, or of somebody else.
func dmarcTagUnknown(p *pass) {
	p.reportTags(func(t tag) string {
		if _, known := dmarcTags[t.name]; known || slices.Contains(historicTags, t.name) {
			return ""
		}
		nearest, near := definition.Nearest(t.name, longTags)
		return unless(!near, definition.Sprintf("receivers ignore the tag %q: write %s", t.name, nearest))
	})
}

func dmarcHistoricTag(p *pass) {
	p.reportTags(func(t tag) string {
		if !slices.Contains(historicTags, t.name) {
			return ""
		}
		return t.name + " is historic, and receivers may ignore it: delete it"
	})
}

// dmarcNone reports records that ask for nothing, as those without p do.
func dmarcNone(p *pass) {
	for text, records := range p.texts(dmarc) {
		if policy := policyOf(text, "p"); isDMARC(text) && (policy == "" || policy == "none") {
			p.reportEach(records, "DMARC", "receivers do nothing about forged mail: write p=quarantine or p=reject once the "+
				"reports show no mail of your own that fails")
		}
	}
}

// policyOf returns the value of a tag, as policies are compared.
func policyOf(text, name string) string {
	policy, _ := valueOf(text, name)
	return strings.ToLower(policy)
}

// dmarcReportUnauthorised reports destinations in other zones here that do not say that they want reports. In one zone
// both mostly have one organisational domain, which needs no record (RFC 9990 §4).
func dmarcReportUnauthorised(p *pass) {
	if p.inPart() {
		return
	}
	for text, records := range p.texts(dmarc) {
		for _, to := range p.destinations(text) {
			for _, r := range records {
				p.checkDestination(r, to)
			}
		}
	}
}

// inPart reports whether names may be missing of which nothing has changed: then nothing can be missed.
func (p *pass) inPart() bool { return p.opt.WarnAbout != nil }

// destinations returns the domains that get reports by a record and that nobody else has names of.
func (p *pass) destinations(text string) (domains []definition.Name) {
	if !isDMARC(text) {
		return nil
	}
	for _, name := range []string{"rua", "ruf"} {
		value, _ := valueOf(text, name)
		for uri := range uris(value) {
			domain, err := definition.ParseName(mailDomain(uri), ".")
			if err == nil && p.authoritative(domain) && !slices.Contains(domains, domain) {
				domains = append(domains, domain)
			}
		}
	}
	return domains
}

func (p *pass) checkDestination(r *definition.Record, to definition.Name) {
	domain := definition.Name(strings.TrimPrefix(string(r.Owner), "_dmarc."))
	if p.zones.Of(domain) == p.zones.Of(to) || to.Below(domain) || domain.Below(to) || p.wantsReports("*", to) {
		return
	}
	if from := strings.TrimSuffix(string(domain), "."); !p.wantsReports(from, to) {
		p.report(r.Pos, []definition.Name{r.Owner, to}, "DMARC record of %s: %s gets no reports, as it does not say that it "+
			"wants them: write \"record %s TXT v=DMARC1\"", r.Owner, to, reportName(from, to))
	}
}

func reportName(from string, to definition.Name) definition.Name {
	return definition.Name(from + "._report._dmarc." + string(to))
}

// wantsReports reports whether a domain says that it wants reports about another one.
func (p *pass) wantsReports(from string, to definition.Name) bool {
	wants := func(r *definition.Record) bool { return r.Type == dns.TypeTXT && isDMARC(textOf(r)) }
	return slices.ContainsFunc(p.index.At(reportName(from, to)).Records(), wants)
}

// bimiNeedsDMARC reports logos that nobody shows, as the DMARC record that is declared for the domain asks for nothing.
func bimiNeedsDMARC(p *pass) {
	if p.inPart() {
		return
	}
	for text, records := range p.texts(bimi) {
		logo, _ := valueOf(text, "l")
		if !hasFirst(text, "BIMI1") || logo == "" {
			continue // none: the domain has no logo
		}
		for _, r := range records {
			_, domain, _ := strings.Cut(string(r.Owner), "._bimi.")
			if at, policy := p.dmarcFor(definition.Name(domain)); policy == "none" {
				p.report(r.Pos, []definition.Name{r.Owner, at}, "BIMI record of %s: receivers show the logo only if DMARC asks "+
					"for more than none: write quarantine or reject at %s", r.Owner, at)
			}
		}
	}
}

// dmarcFor returns the policy for a domain, and where it is declared: at the domain, or at one above it in its zone.
func (p *pass) dmarcFor(domain definition.Name) (at definition.Name, policy string) {
	tags := []string{"p"}
	for above := domain; p.zones.Of(above) != ""; above = above.Parent() {
		at = "_dmarc." + above
		for _, r := range p.index.At(at).Records() {
			if r.Type == dns.TypeTXT && isDMARC(textOf(r)) {
				return at, firstPolicy(textOf(r), tags)
			}
		}
		tags = []string{"sp", "p"}
	}
	return "", ""
}

// firstPolicy returns the value of the first of some tags that a record has. Without any it is none.
func firstPolicy(text string, tags []string) string {
	for _, name := range tags {
		if policy := policyOf(text, name); policy != "" {
			return policy
		}
	}
	return "none"
}
