package definition

// An Alias is another name of a host (RFC 2219), served as CNAME.
type Alias struct {
	Pos
	Owner, Host Name
	TTL         TTL
}

func (a *Alias) owner() Name     { return a.Owner }
func (a *Alias) ttl() *TTL       { return &a.TTL }
func (a *Alias) records() int    { return 1 }
func (a *Alias) targets() int    { return 1 }
func (a *Alias) target(int) Name { return a.Host }
func (a *Alias) list() any       { return nil }

const aliasUsage = "NAME... HOST"

// alias reads: alias NAME... HOST
func (r *Reader) alias(s Statement) {
	last := len(s.Words) - 1
	if last < 2 {
		r.usage(s, aliasUsage)
		return
	}
	ttl := r.ttlBlock(s)
	r.owners(s.Pos, s.Words[1:last], func(o owner) {
		if host, ok := r.target(s.Pos, s.Words[last], o.zone); ok {
			r.set.Aliases = append(r.set.Aliases, Alias{s.Pos, o.name, host, ttl})
		}
	})
}

// Aliases returns what the name is an alias of, in the order of declaration.
func (o Owner) Aliases() []*Alias { return o.declared().aliases.of(o.number) }

// AliasTTL returns the TTL of the CNAME in seconds, and whether all declarations agree
// on it.
func (o Owner) AliasTTL() (uint32, bool) { return common(o.Aliases()) }

// aliases returns a statement for the aliases of each host.
func (p *printer) aliases() []statement {
	g := make(gatherer)
	for o := range p.index.Owners() {
		ttl, _ := o.AliasTTL()
		for _, a := range o.Aliases() {
			g.add(o.Name(), wording{body: p.name(a.Host), ttl: ttl})
		}
	}
	return g.sorted()
}
