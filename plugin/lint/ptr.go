package lint

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// pointers returns the PTR records of a name that count, each once. It allocates nothing for a name with one record.
func pointers(o definition.Owner) []*definition.Record {
	if all := o.Records(); len(all) < 2 {
		if len(all) == 1 && all[0].Type == dns.TypePTR {
			return all
		}
		return nil
	}
	for _, s := range o.RRsets() {
		if s.Type == dns.TypePTR {
			return s.Records
		}
	}
	return nil
}

func ptrSeveral(p *pass) {
	for o := range p.index.Owners() {
		ptrs := pointers(o)
		if len(ptrs) < 2 || !ptrs[0].Derived || ptrs[0].Preferred {
			continue // what is written is meant
		}
		names := []definition.Name{o.Name()}
		for _, d := range ptrs {
			names = append(names, d.Host())
		}
		p.report(ptrs[0].Pos, names, "%s has a PTR record of %s and %d of other hosts: write ptr in the block of the one "+
			"that the address shall be known by", o.Name(), ptrs[0].Host(), len(ptrs)-1)
	}
}

// ptrMissing reports exchanges whose addresses have the PTR records of other hosts, which are no exchanges: these replace
// their own.
func ptrMissing(p *pass) {
	domains := p.domains()
	others := make(map[definition.Name]*definition.Record) // by owner: a PTR record that counts, if none is of an exchange
	isExchange := func(d *definition.Record) bool { return domains[d.Host()] != "" }
	for i := range p.set.Records {
		d := &p.set.Records[i]
		if !d.Derived || len(domains) == 0 || !isExchange(d) {
			continue
		}
		if _, known := others[d.Owner]; !known {
			others[d.Owner] = nil
			if ptrs := pointers(p.index.At(d.Owner)); len(ptrs) > 0 && !slices.ContainsFunc(ptrs, isExchange) {
				others[d.Owner] = ptrs[0]
			}
		}
		if other := others[d.Owner]; other != nil {
			host := d.Host()
			p.report(d.Pos, []definition.Name{d.Owner, host, domains[host]}, "exchange %s of %s has no PTR record at %s, which "+
				"is of %s: %s", host, domains[host], d.Owner, other.Host(), remedy(other, host))
		}
	}
}

// domains returns a mail domain of each exchange, none if there are no reverse zones.
func (p *pass) domains() map[definition.Name]definition.Name {
	if !slices.ContainsFunc(p.opt.Zones, definition.Name.IsReverse) {
		return nil
	}
	domains := make(map[definition.Name]definition.Name)
	for _, m := range p.set.Mails {
		for _, e := range m.Exchanges {
			if domains[e.Host] == "" {
				domains[e.Host] = m.Owner
			}
		}
	}
	return domains
}

// remedy says how a host gets a PTR record beside or instead of another one.
func remedy(other *definition.Record, host definition.Name) string {
	if other.Derived {
		return "write ptr in the block of " + string(host) + ", or delete that of " + string(other.Host())
	}
	return "write " + string(host) + " there, or delete the record"
}
