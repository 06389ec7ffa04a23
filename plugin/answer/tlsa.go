package answer

import (
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// withTLSA returns glue with the TLSA records of the exchanges or targets of an answer after it (RFC 7672 §2.2, RFC 7673
// §3.2): those in zones that dnssec signs, as others have no effect. It adds their octets to the answer's.
func (m *Responder) withTLSA(t *table.Table, rrs, glue []dns.RR, a *table.Answer) []dns.RR {
	for _, rr := range rrs {
		name := ownerOfTLSA(rr)
		if name == "" || !t.HasRecords(definition.Name(name)) || !m.chain.signed[m.zones.Of(definition.Name(name))] {
			continue // mostly: no name, or one without records
		}
		isThere := func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeTLSA && rr.Header().Name == name }
		if slices.ContainsFunc(glue, isThere) {
			continue
		}
		match, tlsa := t.Lookup(name, dns.TypeTLSA)
		if match == table.Data && len(tlsa.RRs) > 0 && tlsa.RRs[0].Header().Rrtype == dns.TypeTLSA {
			a.Len += tlsa.Len
			glue = append(slices.Clip(glue), tlsa.RRs...)
		}
	}
	return glue
}

// ownerOfTLSA returns the name that has the TLSA records of an exchange, at port 25, or of the target of a service, whose
// protocol is the second label of its name. It returns "" if there is none.
func ownerOfTLSA(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.MX:
		return "_25._tcp." + rr.Mx
	case *dns.SRV:
		if _, rest, ok := strings.Cut(rr.Hdr.Name, "."); ok {
			proto, _, _ := strings.Cut(rest, ".")
			return "_" + strconv.Itoa(int(rr.Port)) + "." + proto + "." + rr.Target
		}
	}
	return ""
}
