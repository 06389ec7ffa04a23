package lint

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// spf is the version of SPF records: a text that begins with it and then ends, or has a blank (RFC 7208 §4.5).
const spf = "v=spf1"

// spfTwo reports SPF records beside an earlier one of the same name.
func spfTwo(p *pass) {
	for o := range p.index.Owners() {
		var first *definition.Record
		for _, r := range o.Records() {
			switch {
			case !isSPF(r):
			case first == nil:
				first = r
			case first.Data != r.Data:
				p.report(r.Pos, []definition.Name{o.Name()}, "%s has another SPF record, at %s, and receivers take neither: "+
					"write one record with the terms of both", o.Name(), first.Pos)
			}
		}
	}
}

func isSPF(r *definition.Record) bool {
	if r.Type != dns.TypeTXT {
		return false
	}
	end := 1 + int(r.Data[0])
	text, next := r.Data[1:end], r.Data[end:]
	if !hasVersion(text, spf) {
		return false
	}
	if text = text[len(spf):]; text == "" && next != "" {
		text = next[1:]
	}
	return text == "" || text[0] == ' '
}

// hasVersion reports whether a text begins with a version, in any case.
func hasVersion(text, version string) bool {
	return len(text) >= len(version) && strings.EqualFold(text[:len(version)], version)
}

// stringsOf returns the strings of the data of a TXT record.
func stringsOf(data string) (all []string) {
	for data != "" {
		end := 1 + int(data[0])
		all, data = append(all, data[1:end]), data[end:]
	}
	return all
}

// versions are those of records whose strings are joined.
var versions = []string{spf, "v=DKIM1", "v=DMARC1"}

// txtSplit reports records whose words were meant to be one string. Strings of 255 octets are those of a longer one.
func txtSplit(p *pass) {
	for i := range p.set.Records {
		r := &p.set.Records[i]
		if r.Type != dns.TypeTXT || int(r.Data[0])+1 == len(r.Data) {
			continue
		}
		for _, version := range versions {
			if all := stringsOf(r.Data); hasVersion(all[0], version) && isGlued(all, version) {
				p.report(r.Pos, []definition.Name{r.Owner}, "%s", definition.Sprintf("the words of TXT of %s are joined to %q: "+
					"write the text in quotes, as one word", string(r.Owner), strings.Join(all, "")))
			}
		}
	}
}

// isGlued reports whether the strings of a record run into each other: what is after its version, and of SPF all terms,
// must be divided. In the others tags end with a semicolon, and a key may be in parts.
func isGlued(all []string, version string) bool {
	for i, after := range all[1:] {
		before := all[i]
		divided := before == "" || after == "" || strings.ContainsAny(before[len(before)-1:]+after[:1], " ;")
		if !divided && len(before) < 255 && (version == spf || i == 0 && len(before) == len(version)) {
			return true
		}
	}
	return false
}
