package answer

import (
	"strings"

	"github.com/miekg/dns"
)

// unanswered reports whether a query came to the end of the plugin chain:
// nothing follows mxsrv, or only plugins that pass everything on, as view does.
// CoreDNS has no value for that, only these words of plugin.NextOrFailure.
func unanswered(rcode int, err error) bool {
	return rcode == dns.RcodeServerFailure && err != nil && strings.HasSuffix(err.Error(), "no next plugin found")
}

// isDenial reports whether a message says that there is nothing. One with an
// answer in it denies what a CNAME points to, and one with NS records alone
// refers to the servers of a zone below.
func isDenial(m *dns.Msg) bool {
	if len(m.Answer) > 0 || m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
		return false
	}
	refers := false
	for _, rr := range m.Ns {
		switch rr.Header().Rrtype {
		case dns.TypeSOA:
			return true
		case dns.TypeNS:
			refers = true
		}
	}
	return !refers
}

// deniesName picks the records that prove that a name does not exist, and their
// signatures. What is left proves nothing, which a validator takes for bogus in
// a signed zone; but so is any record added to one.
func deniesName(rr dns.RR) bool {
	rrtype := rr.Header().Rrtype
	if sig, ok := rr.(*dns.RRSIG); ok {
		rrtype = sig.TypeCovered
	}
	return rrtype == dns.TypeNSEC || rrtype == dns.TypeNSEC3
}
