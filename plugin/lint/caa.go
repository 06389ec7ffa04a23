package lint

import (
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// caaValue reports values of CAA that issuers take for a ban, or that name nobody (RFC 8659 §4).
func caaValue(p *pass) {
	for data, records := range p.texts(caa) {
		property, value := caaProperty(data)
		wrong := ""
		switch property {
		case "issue", "issuewild", "issuemail", "issuevmc":
			wrong = wrongIssuer(value)
		case "iodef":
			wrong = wrongReport(value)
		}
		if wrong != "" {
			p.reportEach(records, "CAA", definition.Sprintf("%s %q: write ", property, value)+wrong)
		}
	}
}

// caaProperty returns the tag of a record, in lower case, and its value.
func caaProperty(data string) (tag, value string) {
	end := 2 + int(data[1]) // after the flags and the length
	return strings.ToLower(data[2:end]), data[end:]
}

// wrongIssuer returns what to write instead of the domain of an issuer and its parameters, or "".
func wrongIssuer(value string) string {
	issuer, parameters, _ := strings.Cut(value, ";")
	if issuer = strings.Trim(issuer, blanks); issuer != "" {
		for label := range strings.SplitSeq(issuer, ".") {
			if !isLDH(label) {
				return `the domain of the issuer, like letsencrypt.org, or ";" for none`
			}
		}
	}
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, text, ok := strings.Cut(strings.Trim(parameter, blanks), "=")
		if name == "" && text == "" && !ok {
			continue // after the last one: issuers do not mind
		}
		isOther := func(r rune) bool { return r < '!' || r > '~' }
		if !ok || !isLDH(strings.Trim(name, blanks)) || strings.ContainsFunc(strings.Trim(text, blanks), isOther) {
			return "parameters as NAME=VALUE, with semicolons between"
		}
	}
	return ""
}

func wrongReport(value string) string {
	for _, scheme := range []string{"https://", "http://"} {
		if host, ok := cutScheme(value, scheme); ok && host != "" {
			return ""
		}
	}
	return unless(mailDomain(value) != "", "mailto:ADDRESS, or a URL")
}
