package lint

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// spfVersion is that of SPF records: a text that begins with it and then ends, or has a blank (RFC 7208 §4.5).
const spfVersion = "v=spf1"

// isSPF reports whether a TXT record is an SPF record. The first string tells most others, which are not joined then.
func isSPF(r *definition.Record) bool {
	first := r.Data[1 : 1+int(r.Data[0])]
	n := min(len(first), len(spfVersion))
	return strings.EqualFold(first[:n], spfVersion[:n]) && IsSPF(r.Text())
}

// IsSPF reports whether the text of a TXT record is an SPF record.
func IsSPF(text string) bool {
	return hasVersion(text, spfVersion) && (len(text) == len(spfVersion) || text[len(spfVersion)] == ' ')
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
var versions = []string{spfVersion, "v=DKIM1", "v=DMARC1"}

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
		if !divided && len(before) < 255 && (version == spfVersion || i == 0 && len(before) == len(version)) {
			return true
		}
	}
	return false
}
