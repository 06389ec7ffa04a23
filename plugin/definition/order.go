package definition

// An Order says in which order the records of a name are sent. Weighted, the zero value, is a new one in each answer:
// targets by priority, then drawn by weight; exchanges by preference, then at random; addresses rotated. Fixed is that
// of [Owner.Targets], [Owner.Exchanges] and [Owner.Addrs].
//
// It goes by where it was said. What a declaration says itself goes before the default of a source, and that before
// nothing.
type Order struct {
	Fixed bool
	Said  Said
}

// Said is where an order was said.
type Said uint8

const (
	// Nowhere is where the usual order is said.
	Nowhere Said = iota

	// ByDefault is in the default of the source.
	ByDefault

	// ByItself is in the block of the declaration.
	ByItself
)

func (o *Order) setDefault(of Order) {
	if o.Said == Nowhere && of.Said > Nowhere {
		*o = Order{of.Fixed, ByDefault}
	}
}

// HostOrder, MailOrder and ServiceOrder report whether the records that the declarations of a name mean are sent in
// the fixed order. If the declarations contradict each other, it goes by the first.

func (o Owner) HostOrder() (fixed bool)    { return commonOrder(o.Hosts()).Fixed }
func (o Owner) MailOrder() (fixed bool)    { return commonOrder(o.Mails()).Fixed }
func (o Owner) ServiceOrder() (fixed bool) { return commonOrder(o.Services()).Fixed }

// commonOrder returns the one order that declarations of the same records mean: that of the highest Said, and then the
// first, which is the oldest of fragments.
func commonOrder[D ordered](declared []D) (chosen Order) {
	for _, d := range declared {
		if o := *d.order(); o.Said > chosen.Said {
			chosen = o
		}
	}
	return chosen
}

// ordered is what the kinds of declarations with an order have in common.
type ordered interface {
	declaration
	order() *Order
}

func (h *Host) order() *Order    { return &h.Order }
func (m *Mail) order() *Order    { return &m.Order }
func (v *Service) order() *Order { return &v.Order }

// orders goes through the orders of all declarations that have one.
func (s *Set) orders(yield func(*Order) bool) {
	_ = eachOrder(s.Hosts, yield) && eachOrder(s.Mails, yield) && eachOrder(s.Services, yield)
}

func eachOrder[D any, P interface {
	*D
	ordered
}](all []D, yield func(*Order) bool) bool {
	for i := range all {
		if !yield(P(&all[i]).order()) {
			return false
		}
	}
	return true
}

func (r *Reader) defaultOrder(s Statement) {
	r.setOrder(s, &r.defaults.Order, "a second default order: write one, or an order in the blocks that differ")
}

// ownOrder reads an order in a block into order.
func (r *Reader) ownOrder(s Statement, order *Order) {
	r.setOrder(s, order, "a second order in one block: write one")
}

func (r *Reader) setOrder(s Statement, order *Order, second string) {
	if len(s.Words) != 2 || s.braced || s.Words[1] != "weighted" && s.Words[1] != "fixed" {
		r.usage(s, "weighted, or order fixed")
		return
	}
	said := Order{s.Words[1] == "fixed", ByItself}
	if order.Said != Nowhere && *order != said {
		r.errs.add(s.Pos, Syntax, "%s", second)
		return
	}
	*order = said
}
