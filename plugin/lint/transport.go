package lint

import (
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

const (
	tlsRPTVersion = "TLSRPTv1"
	mtaSTSVersion = "STSv1"
)

func isTLSRPT(text string) bool { return hasFirst(text, tlsRPTVersion) }

func isMTASTS(text string) bool { return hasFirst(text, mtaSTSVersion) }

// tlsRPTURI reports records that ask nobody for reports about TLS (RFC 8460 §3).
func tlsRPTURI(p *pass) {
	for text, records := range p.texts(tlsRPT) {
		value, _ := valueOf(text, "rua")
		switch {
		case !hasVersion(text, "v=TLSRPT"):
		case !isTLSRPT(text):
			p.reportEach(records, "TLS-RPT", `senders ignore it: write "v=TLSRPTv1;" first`)
		case value == "":
			p.reportEach(records, "TLS-RPT", "it names nobody who gets reports: write rua=mailto:ADDRESS")
		default:
			for uri := range uris(value) {
				if rest, isWeb := cutScheme(uri, "https://"); mailDomain(uri) == "" && (!isWeb || rest == "") {
					p.reportEach(records, "TLS-RPT",
						definition.Sprintf("%q gets no reports: write mailto:ADDRESS or https://HOST/PATH", uri))
				}
			}
		}
	}
	p.reportSecond(tlsRPT, isTLSRPT, "TLS-RPT", "delete one of them")
}

// mtaSTSID reports records by which senders find no policy (RFC 8461 §3.1).
func mtaSTSID(p *pass) {
	for text, records := range p.texts(mtaSTS) {
		id, _ := valueOf(text, "id")
		switch {
		case !hasVersion(text, "v=STS"):
		case !isMTASTS(text):
			p.reportEach(records, "MTA-STS", `senders ignore it: write "v=STSv1;" first`)
		case !definition.IsPolicyID(id):
			p.reportEach(records, "MTA-STS", definition.Sprintf("id is %q: write 1 to 32 letters and digits, others after each "+
				"change of the policy", id))
		}
	}
	p.reportSecond(mtaSTS, isMTASTS, "MTA-STS", "delete one of them")
}

// mtaSTSMX reports exchanges to which senders deliver nothing, or will not once the policy is enforced.
func mtaSTSMX(p *pass) {
	p.eachPolicy(func(m *definition.Mail) {
		severity := Error
		switch m.Policy.Mode {
		case definition.Testing:
			severity = Warning
		case definition.NoMode:
			return
		}
		for _, e := range p.index.At(m.Owner).Exchanges() {
			if !m.Policy.Covers(e.Host) {
				p.reportAs(severity, e.Pos, []definition.Name{m.Owner, e.Host}, "exchange %s of %s is in no mx line of its MTA-STS "+
					"policy, which is %s: write one there, as \"mxsrv render --format mta-sts\" does, and wait until senders have the new "+
					"policy", e.Host, m.Owner, inMode(m.Policy))
			}
		}
	})
}

func inMode(policy *definition.Policy) string {
	if policy.Mode == definition.Enforce {
		return "enforced"
	}
	return "tested"
}

// mtaSTSAge reports policies that senders forget so soon that whoever can suppress the record suppresses the policy.
func mtaSTSAge(p *pass) {
	const day = 24 * 60 * 60
	p.eachPolicy(func(m *definition.Mail) {
		if m.Policy.Mode == definition.Enforce && m.Policy.MaxAge < day {
			p.report(m.Pos, []definition.Name{m.Owner}, "senders forget the MTA-STS policy of %s after %d seconds, and are "+
				"open to attacks then: write max_age: 604800, a week, or more", m.Owner, m.Policy.MaxAge)
		}
	})
}

// eachPolicy calls f for mail domains with the file of a policy.
func (p *pass) eachPolicy(f func(*definition.Mail)) {
	for i := range p.set.Mails {
		if m := &p.set.Mails[i]; m.Policy != nil {
			f(m)
		}
	}
}

// Where the fields of TLSA are (RFC 6698 §2.1).
const (
	tlsaUsage    = 0
	tlsaMatching = 2
	tlsaData     = 3
)

// usageEE is the usage of TLSA that names a key itself, and nobody who vouches for it.
const usageEE = 3

// digestLen is the length of the data of TLSA by its matching type.
var digestLen = map[byte]int{1: 32, 2: 64}

// isOfSMTP reports whether a name is that of TLSA for mail.
func isOfSMTP(name definition.Name) bool { return strings.HasPrefix(string(name), "_25._tcp.") }

// tlsaForm reports TLSA records that senders cannot use.
func tlsaForm(p *pass) {
	for data, records := range p.texts(tlsa) {
		if want := digestLen[data[tlsaMatching]]; want > 0 && len(data)-tlsaData != want {
			p.reportEach(records, "TLSA", "its digest is too long or too short: write the one of the key or the certificate")
		}
		if data[tlsaUsage] > 1 {
			continue
		}
		for _, r := range records {
			if isOfSMTP(r.Owner) {
				p.reportEach([]*definition.Record{r}, "TLSA", "senders of mail ignore its usage: write 3, or 2 for an issuer")
			}
		}
	}
}

// tlsaUnsigned reports TLSA records that nobody believes, as their zone is not signed (RFC 7672 §2.2).
func tlsaUnsigned(p *pass) {
	if !p.opt.Plugins.Known {
		return
	}
	signed := p.opt.Plugins.Signed.Set()
	for _, r := range p.about(tlsa) {
		if signed.Of(r.Owner) == "" {
			p.report(r.Pos, []definition.Name{r.Owner}, "TLSA record of %s: its zone is not signed here, and clients ignore it "+
				"then: add the dnssec plugin to this server block, unless a secondary signs", r.Owner)
		}
	}
}

// tlsaOneKey reports names with the TLSA record of one key for mail. With the next one beside it, the key can be
// changed at any time.
func tlsaOneKey(p *pass) {
	for data, records := range p.texts(tlsa) {
		if data[tlsaUsage] != usageEE {
			continue
		}
		for _, r := range records {
			if isOfSMTP(r.Owner) && p.isAlone(r) {
				p.reportEach([]*definition.Record{r}, "TLSA", "it is the only one, and when the key changes senders that have it "+
					"defer mail: declare the next key, too, before you change it")
			}
		}
	}
}

// isAlone reports whether a name has no other TLSA records than one.
func (p *pass) isAlone(one *definition.Record) bool {
	for _, r := range p.index.At(one.Owner).Records() {
		if r.Type == dns.TypeTLSA && r.Data != one.Data {
			return false
		}
	}
	return true
}
