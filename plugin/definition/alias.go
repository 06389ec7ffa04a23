package definition

// An Alias is another name of a host (RFC 2219), served as CNAME.
type Alias struct {
	Head
	Host Name
}

func (a *Alias) targets() int    { return 1 }
func (a *Alias) target(int) Name { return a.Host }
func (a *Alias) list() any       { return nil }

func (r *Reader) alias(s Statement) {
	last := len(s.Words) - 1
	if last < 2 {
		r.usage(s, "NAME... HOST")
		return
	}
	ttl := r.ttlBlock(s, nil)
	if last > 2 && s.Words[last-1] == "CNAME" {
		r.typed(s, last-1, "NAME... HOST")
		return
	}
	if !r.affordable(s.Pos, s.Words[1:last], 1) {
		return
	}
	r.owners(s.Pos, s.Words[1:last], func(o owner) {
		if host, ok := r.target(s.Pos, s.Words[last], o.zone); ok {
			r.set.Aliases = append(r.set.Aliases, Alias{Head{s.Pos, o.name, ttl}, host})
		}
	})
}

// Aliases returns what the name is an alias of, in the order of declaration.
func (o Owner) Aliases() []*Alias { return o.declared().aliases.of(o.number) }

// alias gathers what an owner is an alias of.
func (p *printer) alias(o Owner, g gatherer) {
	for _, a := range o.Aliases() {
		g.add(o.Name(), wording{body: p.name(a.Host), ttl: o.AliasTTL()})
	}
}
