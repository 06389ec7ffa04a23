package definition

import "net/netip"

// A Probe is what is probed, and how. It is comparable: however many names use a server, it is one. [NewProbe] makes it.
type Probe struct {
	Addr  netip.AddrPort
	Check Check
	Host  Name // that the client asks for, where the check depends on it, else ""
}

// NewProbe returns the probe of a check at a port of a host.
func NewProbe(addr netip.AddrPort, check Check, host Name) Probe {
	switch {
	case check.Protocol == CheckTCP || check.Protocol == CheckSMTP:
		host = ""
	case check.Name != "":
		host = check.Name
	}
	return Probe{netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), check, host}
}

func (p Probe) String() string {
	s := p.Addr.String() + " (" + p.Check.String() + ")"
	if p.Host != "" && p.Host != p.Check.Name {
		s += " of " + string(p.Host)
	}
	return s
}

// MailCheck and ServiceCheck return the check of the targets of a name, or none. If its declarations contradict each
// other, it is that of the first, which is the oldest of fragments.

func (o Owner) MailCheck() Check    { return commonCheck(o.Mails()) }
func (o Owner) ServiceCheck() Check { return commonCheck(o.Services()) }

// checked is what the kinds of declarations with a check have in common.
type checked interface{ check() *Check }

func (m *Mail) check() *Check    { return m.Check }
func (v *Service) check() *Check { return v.Check }

func commonCheck[D checked](declared []D) Check {
	if c := firstCheck(declared); c != nil {
		return *c
	}
	return Check{}
}

// firstCheck returns the one check that declarations of the same records mean, or nil.
func firstCheck[D checked](declared []D) *Check {
	for _, d := range declared {
		if c := d.check(); c != nil {
			return c
		}
	}
	return nil
}
