package definition

import (
	"io"
	"strings"

	"github.com/miekg/dns"
)

// A Listing says how [Set.List] arranges the statements of a set: as the text is arranged that the set is made of.
type Listing struct {
	Zones  Zones            // names are relative, or absolute, as in [Set.Print]
	Owners []Name           // whose statements are written, in this order
	Before map[Pos][]string // lines above what is declared there: a comment after its "#", or "" for an empty line
	After  []string         // such lines at the end
}

// List writes the statements of a set owner by owner: first what it is as a host, mail domain, service and alias, then its
// other records in the order of declaration. Otherwise it is as [Set.Print].
func (s *Set) List(w io.Writer, l Listing) error {
	p := lister{printer: newPrinter(w, s, l.Zones), before: l.Before, written: make(map[Pos]bool)}
	for o := range p.index.Owners() {
		p.mail(o, make(gatherer)) // notes the services that srv says
	}
	var all []listed
	for _, name := range l.Owners {
		all = append(all, p.ofOwner(p.index.At(name))...)
	}
	p.setTTL(mapped(all, func(i listed) statement { return i.statement }))
	p.hasText = p.between != ""
	p.lines([]string{""})
	for _, i := range all {
		p.comment(i.at)
		p.statement(i.keyword, i.statement)
		p.isEmpty, p.hasText = false, true
	}
	p.lines(l.After)
	return p.Flush()
}

// A lister prints statements with what is above them in a listing.
type lister struct {
	printer
	before  map[Pos][]string
	written map[Pos]bool // of before
	isEmpty bool         // the last line is empty
	hasText bool
}

// listed is a statement of one owner, and where it is declared.
type listed struct {
	keyword string
	statement
	at []Pos
}

// ofOwner returns the statements of an owner.
func (p *lister) ofOwner(o Owner) (all []listed) {
	for _, kind := range []struct {
		keyword string
		say     func(Owner, gatherer)
		at      []Pos
	}{
		{"host", p.host, positions(o.Hosts())},
		{"mail", p.mail, positions(o.Mails())},
		{"service", p.service, positions(o.Services())},
		{"alias", p.alias, positions(o.Aliases())},
	} {
		g := make(gatherer)
		kind.say(o, g)
		for _, st := range g.statements() {
			all = append(all, listed{kind.keyword, st, kind.at})
		}
	}
	return append(all, p.recordsOf(o)...)
}

// recordsOf returns the record statements of an owner. Name servers that follow each other share one.
func (p *lister) recordsOf(o Owner) (all []listed) {
	said := make(map[*Record]wording) // of each record once, and of none that a host says
	for _, s := range o.RRsets() {
		for _, d := range s.Records {
			if !d.Derived {
				said[d] = s.wording(d)
			}
		}
	}
	wasNS := false
	for _, d := range o.Records() {
		w, ok := said[d]
		if !ok {
			continue
		}
		isNS := d.Type == dns.TypeNS
		if isNS && wasNS {
			last := &all[len(all)-1]
			last.body, last.at = last.body+" "+p.name(d.Host()), append(last.at, d.Pos)
			continue
		}
		if wasNS = isNS; isNS {
			w.body = "NS " + p.name(d.Host())
		}
		all = append(all, listed{"record", statement{[]Name{o.Name()}, w}, []Pos{d.Pos}})
	}
	return all
}

func positions[D declaration](declared []D) []Pos {
	return mapped(declared, func(d D) Pos { return d.Header().Pos })
}

func mapped[T, U any](all []T, f func(T) U) []U {
	out := make([]U, len(all))
	for i, x := range all {
		out[i] = f(x)
	}
	return out
}

// comment writes the lines above what is declared at some positions, once.
func (p *lister) comment(at []Pos) {
	for _, pos := range at {
		if !p.written[pos] {
			p.written[pos] = true
			p.lines(p.before[pos])
		}
	}
}

// lines writes comments, and single empty lines between others.
func (p *lister) lines(lines []string) {
	for _, line := range lines {
		if line == "" && (p.isEmpty || !p.hasText) {
			continue
		}
		if line != "" {
			line = "#" + line
		}
		p.WriteString(line + "\n")
		p.isEmpty, p.hasText = line == "", true
	}
}

// Print writes the authoritative block of a Corefile that declares an apex. The names are as in [Set.Print].
func (a *Apex) Print(w io.Writer, zones Zones) error {
	p := newPrinter(w, new(Set), zones)
	p.WriteString("authoritative {\n    ns")
	for _, server := range a.Servers {
		p.WriteString(" " + p.name(server.Host))
	}
	if a.ServerTTL() != a.TTL.Seconds {
		p.WriteString(" {\n        ttl " + printTTL(a.ServerTTL()) + "\n    }")
	}
	if a.MName() != a.Servers[0].Host {
		p.WriteString("\n    primary " + p.name(a.MName()))
	}
	p.WriteString("\n    contact " + contactText(a.Contact) + "\n")
	for _, line := range []struct {
		word    string
		seconds uint32
	}{{"ttl", a.TTL.Seconds}, {"refresh", a.Refresh}, {"retry", a.Retry}, {"expire", a.Expire}, {"negative", a.Negative}} {
		p.WriteString("    " + line.word + " " + printTTL(line.seconds) + "\n")
	}
	p.WriteString("}\n")
	return p.Flush()
}

// contactText returns the address of a mailbox, or its name if it has no domain.
func contactText(contact string) string {
	local, domain := cutLabel(contact)
	if domain == "" {
		return contact
	}
	return local + "@" + strings.TrimSuffix(domain, ".")
}
