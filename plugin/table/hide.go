package table

import "github.com/miekg/dns"

// A standing is what is known of a target, or of an address.
type standing uint8

const (
	unknown standing = iota // not probed, or without a verdict
	up
	down
	drained // which counts as down, probed or not
)

func (s standing) isOut() bool { return s == down || s == drained }

// hideTargets says which targets of an RRset are left out of answers, from their priorities or preferences, which
// ascend, and their standings. At least one is left: none is hidden if all are out, and then it fails open.
//
// A target that is down is hidden while one of its priority is up. What is drained is hidden while one of its priority
// is not known to be down. A priority of which all are out is hidden while another has one that is up, but not the one
// of mail: if the best exchange were gone, the next one would find that it is the best itself, and return the mail that
// it has for the domain as in a loop (RFC 5321 §5.1). So a preference of mail is never empty.
func hideTargets(mail bool, priorities []uint16, of []standing) (hidden []bool, failsOpen bool) {
	hidden, failsOpen = make([]bool, len(of)), true
	anyUp := false
	for _, s := range of {
		anyUp, failsOpen = anyUp || s == up, failsOpen && s.isOut()
	}
	for first, end := 0, 0; first < len(of); first = end {
		groupUp, allOut := false, true
		for end = first; end < len(of) && priorities[end] == priorities[first]; end++ {
			groupUp, allOut = groupUp || of[end] == up, allOut && of[end].isOut()
		}
		for i := first; i < end; i++ {
			switch {
			case allOut:
				hidden[i] = !mail && anyUp
			case of[i] == down:
				hidden[i] = groupUp
			case of[i] == drained:
				hidden[i] = true
			}
		}
	}
	return hidden, failsOpen && len(of) > 0
}

// keepAddresses returns an RRset of addresses without those that are down, if one of the others is up; else the RRset
// itself. It allocates only if there is something to leave out.
func keepAddresses(rrset []dns.RR, of func(dns.RR) standing) []dns.RR {
	downs, anyUp := 0, false
	for _, rr := range rrset {
		switch of(rr) {
		case up:
			anyUp = true
		case down:
			downs++
		}
	}
	if downs == 0 || !anyUp {
		return rrset
	}
	kept := make([]dns.RR, 0, len(rrset)-downs)
	for _, rr := range rrset {
		if of(rr) != down {
			kept = append(kept, rr)
		}
	}
	return kept
}
