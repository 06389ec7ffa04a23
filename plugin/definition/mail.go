package definition

import (
	"cmp"
	"slices"
	"strconv"
)

// A Mail is a mail domain with its exchanges. None means that the domain takes no mail (null MX, RFC 7505).
type Mail struct {
	Head
	Exchanges []Exchange // by preference, then name, each once; shared by the owners of a statement
	SRV       bool       // publish the exchanges as _smtp._tcp too
	Order     Order
	Policy    *Policy // of the MTA-STS file that mta-sts names, shared by the owners of a statement; or nil
	Check     *Check  // of its exchanges, shared by the owners of a statement; or nil
}

// An Exchange is a host that takes mail; the lowest preference is tried first (RFC 5321 §5.1).
type Exchange struct {
	Pos
	Preference uint16
	Host       Name
}

func (m *Mail) targets() int      { return len(m.Exchanges) }
func (m *Mail) target(i int) Name { return m.Exchanges[i].Host }
func (m *Mail) list() any         { return shared(m.Exchanges) }

func byPreference(a, b Exchange) int {
	return cmp.Or(cmp.Compare(a.Preference, b.Preference), cmp.Compare(a.Host, b.Host))
}

// SortExchanges returns exchanges as a Mail has them, in the same memory.
func SortExchanges(all []Exchange) []Exchange { return distinct(all, byPreference) }

func exchange(e *entry, host Name) Exchange { return Exchange{e.Pos, e.numbers[0], host} }

func (r *Reader) mail(s Statement) {
	if first := slices.IndexFunc(s.Words, isNumber); first > 2 && s.Words[first-1] == "MX" {
		r.typed(s, first-1, "NAME... PREFERENCE HOST...")
		return
	}
	st := r.stanza(s, mailForm)
	exchanges := perZone[Exchange]{reader: r, entries: st.entries, of: exchange, compare: byPreference}
	r.set.Mails = slices.Grow(r.set.Mails, int(r.made(st.names)))
	eachDeclared(s.Pos, st, &exchanges, func(h Head, x []Exchange, c *Check) {
		r.set.Mails = append(r.set.Mails,
			Mail{Head: h, Exchanges: x, SRV: st.srv, Order: st.order, Policy: st.policies.policy(), Check: c})
	})
}

// Mails returns what the name is declared as a mail domain, in the order of declaration.
func (o Owner) Mails() []*Mail { return o.declared().mails.of(o.number) }

// Exchanges returns the exchanges of a mail domain, each once, by ascending preference, then name.
func (o Owner) Exchanges() []Exchange { return exchanges(o.Mails()) }

func exchanges(mails []*Mail) []Exchange {
	return joined(mails, func(m *Mail) []Exchange { return m.Exchanges }, byPreference)
}

// mail gathers the exchanges of a mail domain, and notes the service that srv publishes.
func (p *printer) mail(o Owner, g gatherer) {
	if len(o.Mails()) == 0 {
		return
	}
	var e entriesText
	for _, x := range o.Exchanges() {
		e.add(strconv.Itoa(int(x.Preference)), p.name(x.Host))
	}
	w := wording{body: e.end(hasNone(o.Mails())), check: o.MailCheck(), ttl: o.MailTTL(), fixed: o.MailOrder()}
	if smtp, err := SMTPName(o.Name()); err == nil {
		w.srv = publishes(o, p.index.At(smtp))
		p.published[smtp] = w.srv
	}
	g.add(o.Name(), w)
}
