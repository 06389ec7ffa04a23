package lint

import (
	"slices"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A Rule is one thing that can be wrong.
type Rule struct {
	ID       string
	Severity Severity
	RFC      string // "RFC 2181 §10.3", or empty where no RFC says it
	Doc      string // what is wrong, in a line
	check    func(*pass)
}

// Rules returns a copy of the table of rules: errors first, each part sorted by id.
func Rules() []Rule { return slices.Clone(rules) }

// TargetUndefined is the id of the rule that is broken by what is missing. Its findings are
// errors where an authoritative zone lacks a target, without Options.OptionalTargets.
const TargetUndefined = "target-undefined"

const (
	finalDotMissing = "final-dot-missing"
	mailWildcard    = "mail-wildcard" // the one error that can be ignored
)

// AnswerTooLarge is the id of the rule that too many declarations break together, of which the youngest are at fault.
const AnswerTooLarge = "answer-over-65535"

// The rules that fragments in etcd break, which package admit finds.
const (
	FragmentClosed     = "fragment-closed"
	FragmentNotAllowed = "fragment-not-allowed"
	FragmentYounger    = "fragment-younger"
)

// NewFinding returns a finding of the rule with an id.
func NewFinding(id string, pos definition.Pos, names []definition.Name, text string) Finding {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	return Finding{Rule: rules[i], Pos: pos, Names: names, Text: text}
}

// ofTwoNames are the rules about a name and another that it points to, which is never at fault.
var ofTwoNames = rulesWhere(func(r Rule) bool { return slices.Contains(aboutTargets, r.ID) })

var aboutTargets = []string{"alias-of-alias", "mx-target-alias", "ns-target-alias", "srv-target-alias"}

// ofOneName are the rules about the declarations of a name, of which an alias of itself is one.
var ofOneName = rulesWhere(func(r Rule) bool {
	return r.Severity == Error && !slices.Contains(aboutTargets, r.ID) &&
		!slices.Contains(aboutPlugins, r.ID) && !slices.Contains(aboutBlock, r.ID)
})

func rulesWhere(match func(Rule) bool) (some []Rule) {
	for _, r := range rules {
		if match(r) {
			some = append(some, r)
		}
	}
	return some
}

// aboutBlock are the rules about a server block.
var aboutBlock = []string{definition.Syntax, "authoritative-twice", "zone-unreachable"}

// aboutPlugins are the rules that depend on the other plugins.
var aboutPlugins = []string{
	"behind-unreached", "glue-ttl-lower", "loadbalance-shuffles-mx", "minimal-strips-glue", "nested-signed",
	"template-in-front", "tlsa-unsigned", "transfer-incomplete",
}

// rules is sorted: errors, then warnings, each by id. A rule whose mistakes the
// reader finds has fromReader as its function.
var rules = []Rule{
	{"alias-loop", Error, "RFC 1034 §3.6.2", "aliases that lead back to themselves", aliasLoop},
	{"alias-with-other-data", Error, "RFC 1034 §3.6.2",
		"an alias that is declared as something else too, twice, or at the apex of a zone", aliasWithOtherData},
	{AnswerTooLarge, Error, "RFC 1035 §4.2.2", "an answer that no message can carry", answerOver65535},
	{"authoritative-twice", Error, "RFC 1034 §4.2", "a zone with two authoritative blocks", authoritativeTwice},
	{"below-delegation", Error, "RFC 1034 §4.2.1",
		"something else than the addresses of name servers at or below a name with NS records", belowDelegation},
	{"caa-value", Error, "RFC 8659 §4",
		"a CAA record that issuers take for a ban, or that names nobody who gets reports", caaValue},
	{"check-conflict", Error, "",
		"two checks for the same targets; a warning if a fragment differs from an older one", checkConflict},
	{definition.DKIMKey, Error, "RFC 6376 §3.6.1, RFC 8301 §3.2, RFC 8463 §4.2",
		"a DKIM record whose key no verifier can use", dkimKey},
	{"dmarc-tag", Error, "RFC 9989 §4.7",
		"a DMARC record that receivers ignore, or a tag with a value that it cannot have", dmarcTagWrong},
	{definition.FileUnreadable, Error, "",
		"a file that is missing, empty or not to be read", fromReader},
	{FragmentClosed, Error, "", "a name in a fragment that the Corefile or a file declares or points to", fromReader},
	{FragmentNotAllowed, Error, "", "a name in a fragment whose key may not declare it", fromReader},
	{FragmentYounger, Error, "", "a name in a fragment that belongs to an older one", fromReader},
	{mailWildcard, Error, "RFC 1912 §2.7", "a wildcard mail domain", wildcardMail},
	{"mta-sts-id", Error, "RFC 8461 §3.1", "an MTA-STS record that senders ignore, or two of a name", mtaSTSID},
	{"mta-sts-mx", Error, "RFC 8461 §4.1",
		"an exchange that the MTA-STS policy of the domain does not name; a warning while the policy is tested", mtaSTSMX},
	{definition.MTASTSPolicy, Error, "RFC 8461 §3",
		"a policy of MTA-STS that senders do not understand, or such an id", fromReader},
	{"mx-target-alias", Error, "RFC 2181 §10.3", "an exchange that is an alias", targetAlias(ofMail)},
	{definition.NameInvalid, Error, "RFC 1035 §2.3, RFC 1123 §2.1, RFC 2782",
		"a name that is too long or has characters that its kind does not allow", nameInvalid},
	{"nested-signed", Error, "RFC 4035 §5.3.1",
		"a zone within another one in a server block with the dnssec plugin, unless both are authoritative and signed",
		nestedSigned},
	{"ns-target-alias", Error, "RFC 2181 §10.3", "a name server that is an alias", targetAlias(ofZone)},
	{"null-mx-not-alone", Error, "RFC 7505 §3", "a mail domain with exchanges and none", nullMXNotAlone},
	{"order-conflict", Error, "",
		"two orders for the same records; a warning if a fragment differs from an older one", orderConflict},
	{"owner-outside-zone", Error, "RFC 1034 §4.2", "a name outside every zone of the block", ownerOutsideZone},
	{definition.RecordData, Error, "RFC 1035 §5.1", "data that no record of its type has", fromReader},
	{definition.RecordType, Error, "",
		"a record of a type that is declared by another word, or that cannot be declared there", recordType},
	{"spf-after-all", Error, "RFC 7208 §5.1, §6.1",
		"terms of an SPF record that count for nothing, because of all", spfAfterAll},
	{"spf-lookups", Error, "RFC 7208 §4.6.4",
		"an SPF record with more than 10 terms that ask DNS; a warning if only with those of records here that it includes",
		spfLookups},
	{"spf-mx-many", Error, "RFC 7208 §4.6.4",
		"an SPF record with mx, and more than 10 exchanges; a warning if they are those of another name", spfMXMany},
	{"spf-plus-all", Error, "RFC 7208 §8.3", "an SPF record that lets everybody send as the domain", spfPlusAll},
	{"spf-term", Error, "RFC 7208 §4.6.1",
		"a term of an SPF record for which receivers take none of it, or which they ignore", spfTerm},
	{"spf-two", Error, "RFC 7208 §3.2", "a name with several SPF records, of which receivers take none", spfTwo},
	{"srv-dot-not-alone", Error, "RFC 2782", "a service with targets and none", srvDotNotAlone},
	{"srv-target-alias", Error, "RFC 2782", "a target of a service that is an alias", targetAlias(ofService)},
	{definition.Syntax, Error, "", "a line that is not of the language", syntax},
	{definition.TargetIsAddress, Error, "RFC 1035 §3.3.9, RFC 2782",
		"an address where the name of a host belongs", fromReader},
	{"tls-rpt-uri", Error, "RFC 8460 §3",
		"a TLS-RPT record that senders ignore, or that names nobody who gets reports", tlsRPTURI},
	{definition.TLSAKey, Error, "RFC 7672 §3.1", "a key or certificate that no TLSA record is made of", fromReader},
	{"ttl-conflict", Error, "RFC 2181 §5.2",
		"two TTLs for the same records; a warning if a fragment differs from an older one", ttlConflict},
	{definition.ValueOutOfRange, Error, "RFC 1035 §3.3.9, RFC 2782, RFC 2181 §8",
		"a number outside its field", fromReader},
	{"wildcard-in-overlay", Error, "RFC 4592 §2.2",
		"a wildcard in a zone that is not authoritative, or falls through", wildcardInOverlay},
	{"zone-unreachable", Error, "", "a zone whose queries the server block does not get", zoneUnreachable},

	{"address-special", Warning, "RFC 6890", "a host with an address that clients cannot reach", addressSpecial},
	{"alias-of-alias", Warning, "RFC 1034 §3.6.2", "an alias of an alias", aliasOfAlias},
	{"answer-over-1232", Warning, "RFC 9715", "an answer that does not fit the usual UDP size", answerOver1232},
	{"behind-unreached", Warning, "", "a plugin after mxsrv that is never asked", behindUnreached},
	{"bimi-needs-dmarc", Warning, "RFC 9989 §4.7",
		"a BIMI record of a domain whose DMARC record asks for nothing", bimiNeedsDMARC},
	{"check-alone-primary", Warning, "RFC 5321 §5.1",
		"a checked exchange that is the only one of the lowest preference", checkAlonePrimary},
	{"check-single", Warning, "", "a check that never changes an answer", checkSingle},
	{"check-target-unknown", Warning, "", "a checked target whose addresses are not declared, or with one that is not probed", checkTargetUnknown},
	{"check-ttl-long", Warning, "",
		"checked records with a TTL of more than six times what it takes to see that a target is down", checkTTLLong},
	{"dkim-key-short", Warning, "RFC 8301 §3.2", "an RSA key for DKIM of less than 2048 bits", dkimKeyShort},
	{"dmarc-historic-tag", Warning, "RFC 9989 §4.7", "a DMARC record with pct, rf or ri", dmarcHistoricTag},
	{"dmarc-none", Warning, "RFC 9989 §4.7", "a DMARC record with p=none, or without p", dmarcNone},
	{"dmarc-report-unauthorised", Warning, "RFC 9990 §4",
		"reports to a domain in another authoritative zone, which does not say that it wants them", dmarcReportUnauthorised},
	{"dmarc-tag-unknown", Warning, "RFC 9989 §4.7", "a tag of a DMARC record that is nearly known", dmarcTagUnknown},
	{"drain-useless", Warning, "", "a drained host that stays in all answers", drainUseless},
	{finalDotMissing, Warning, "RFC 1035 §5.1",
		"a name that ends in its zone twice, or a reverse name in another zone; an error if it is a target that is not declared, " +
			"but for PTR records", endsInZoneTwice},
	{"glue-ttl-lower", Warning, "RFC 2181 §5.2",
		"a host with a lower TTL than what points to it, and the cache plugin in the same server block", glueTTLLower},
	{"loadbalance-shuffles-mx", Warning, "RFC 5321 §5.1",
		"the loadbalance plugin in the same server block, and a mail domain with several preferences", loadbalanceShufflesMX},
	{"mail-one-network", Warning, "RFC 2182 §3",
		"a mail domain whose exchanges are all in one network", mailOneNetwork},
	{"mail-single-host", Warning, "RFC 5321 §5.1", "a mail domain with a single exchange", mailSingleHost},
	{"minimal-strips-glue", Warning, "", "the minimal plugin in the same server block", minimalStripsGlue},
	{"mta-sts-age", Warning, "RFC 8461 §3.2", "an enforced MTA-STS policy that senders forget within a day", mtaSTSAge},
	{"name-underscore", Warning, "RFC 952, RFC 1123 §2.1",
		"a host with an underscore in its first label, or one outside the zones with any", nameUnderscore},
	{"ptr-missing", Warning, "RFC 1912 §2.1", "an exchange whose address has the PTR record of another host, which is no exchange", ptrMissing},
	{"ptr-several", Warning, "RFC 1912 §2.1", "an address with the PTR records of several hosts", ptrSeveral},
	{"service-name-form", Warning, "RFC 6335 §5.1",
		"a service name with other characters than letters, digits and single inner hyphens, or without a letter",
		serviceNameForm},
	{"service-name-long", Warning, "RFC 6335 §5.1",
		"a service name of more than 15 characters", serviceNameLong},
	{"soa-expire-short", Warning, "RFC 1912 §2.2",
		"a zone that secondaries drop before they have tried again", soaExpireShort},
	{"spf-long", Warning, "RFC 7208 §3.4", "an SPF record of more than 450 octets", spfLong},
	{"spf-ptr", Warning, "RFC 7208 §5.5", "an SPF record with ptr", spfPTR},
	{"srv-port-zero", Warning, "RFC 2782", "a target at port 0", srvPortZero},
	{"srv-weight-range", Warning, "RFC 2782",
		"weights that HAProxy takes for others, or Exim for priorities, of services that they may ask for", srvWeightRange},
	{"srv-weight-zero-mixed", Warning, "RFC 2782",
		"weight 0 beside other weights of the same priority", srvWeightZeroMixed},
	{TargetUndefined, Warning, "RFC 2181 §10.3",
		"a target in a zone of the block that is not declared; an error if nothing else can have it, but for aliases and PTR records",
		targetUndefined},
	{"template-in-front", Warning, "", "the template plugin, or another that answers, before mxsrv", templateInFront},
	{"tlsa-form", Warning, "RFC 6698 §2.1, RFC 7672 §3.1.3",
		"a TLSA record with a digest of another length, or for mail with a usage that senders ignore", tlsaForm},
	{"tlsa-one-key", Warning, "RFC 7671 §8.1", "a name with the TLSA record of one key for mail", tlsaOneKey},
	{"tlsa-unsigned", Warning, "RFC 7672 §2.2",
		"a TLSA record in a zone that the server block does not sign", tlsaUnsigned},
	{"transfer-incomplete", Warning, "", "a zone of which secondaries get a part only, or nothing", transferIncomplete},
	{"txt-split", Warning, "RFC 7208 §3.3, RFC 6376 §3.6.2.2",
		"an SPF, DKIM or DMARC record of several strings, which receivers join without a blank", txtSplit},
}

// fromReader reports the mistakes that the reader found for the rule.
func fromReader(p *pass) {
	for _, e := range p.errs {
		if e.ID == p.rule.ID {
			p.report(e.Pos, nil, "%s", e.Text)
			p.left += e.More
		}
	}
}
