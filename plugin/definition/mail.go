package definition

import (
	"cmp"
	"slices"
	"strconv"
)

// A Mail is a mail domain with its exchanges. None means that the domain takes
// no mail (null MX, RFC 7505).
type Mail struct {
	Pos
	Owner     Name
	Exchanges []Exchange // by preference, then name, each once; shared by the owners of a statement
	SRV       bool       // publish the exchanges as _smtp._tcp too
	TTL       TTL
}

// An Exchange is a host that takes mail; the lowest preference is tried first
// (RFC 5321 §5.1).
type Exchange struct {
	Pos
	Preference uint16
	Host       Name
}

func (m *Mail) owner() Name       { return m.Owner }
func (m *Mail) ttl() *TTL         { return &m.TTL }
func (m *Mail) records() int      { return max(len(m.Exchanges), 1) }
func (m *Mail) targets() int      { return len(m.Exchanges) }
func (m *Mail) target(i int) Name { return m.Exchanges[i].Host }
func (m *Mail) list() any         { return shared(m.Exchanges) }

func byPreference(a, b Exchange) int {
	return cmp.Or(cmp.Compare(a.Preference, b.Preference), cmp.Compare(a.Host, b.Host))
}

func exchange(e *entry, host Name) Exchange { return Exchange{e.Pos, e.numbers[0], host} }

// mail reads: mail NAME... PREFERENCE HOST... | none
func (r *Reader) mail(s Statement) {
	st, ok := r.stanza(s, mailForm)
	if !ok {
		return
	}
	exchanges := perZone[Exchange]{reader: r, entries: st.entries, of: exchange, compare: byPreference}
	r.set.Mails = slices.Grow(r.set.Mails, len(st.names)*len(r.zones))
	r.owners(s.Pos, st.names, func(o owner) {
		if st.srv {
			r.checkSRV(s.Pos, o.name)
		}
		m := Mail{Pos: s.Pos, Owner: o.name, SRV: st.srv, TTL: st.ttl}
		if m.Exchanges = exchanges.in(o.zone); len(m.Exchanges) > 0 {
			r.set.Mails = append(r.set.Mails, m)
		}
		if st.none != nil {
			m.Pos, m.Exchanges = *st.none, nil
			r.set.Mails = append(r.set.Mails, m)
		}
	})
}

// Mails returns what the name is declared as a mail domain, in the order of declaration.
func (o Owner) Mails() []*Mail { return o.declared().mails.of(o.number) }

// MailTTL returns the TTL of the MX records in seconds, and whether all declarations
// agree on it.
func (o Owner) MailTTL() (uint32, bool) { return common(o.Mails()) }

// Exchanges returns the exchanges of a mail domain, each once, by ascending
// preference, then name.
func (o Owner) Exchanges() []Exchange { return exchanges(o.Mails()) }

func exchanges(mails []*Mail) []Exchange {
	return joined(mails, func(m *Mail) []Exchange { return m.Exchanges }, byPreference)
}

// mails returns a statement for the mail domains with the same exchanges, and notes the
// services that srv in it publishes.
func (p *printer) mails() []statement {
	g := make(gatherer)
	for o := range p.index.Owners() {
		if len(o.Mails()) == 0 {
			continue
		}
		ttl, _ := o.MailTTL()
		w := wording{body: p.exchanges(o), ttl: ttl}
		if smtp, err := SMTPName(o.Name()); err == nil {
			w.srv = publishes(o, p.index.At(smtp))
			p.published[smtp] = w.srv
		}
		g.add(o.Name(), w)
	}
	return g.sorted()
}

func (p *printer) exchanges(o Owner) string {
	var e entriesText
	for _, x := range o.Exchanges() {
		e.add(strconv.Itoa(int(x.Preference)), p.name(x.Host))
	}
	return e.end(hasNone(o.Mails()))
}
