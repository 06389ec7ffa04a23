package definition

// A Drain leaves its owner, a host, out of the answers of others as if a check had found it down. It is no declaration
// of the host, which may be outside all zones.
type Drain struct {
	Head // its TTL says nothing
}

func (d *Drain) targets() int    { return 0 }
func (d *Drain) target(int) Name { return "" }
func (d *Drain) list() any       { return nil }

// drained returns the hosts that are drained, nil if there are none.
func (s *Set) drained() Names {
	if len(s.Drains) == 0 {
		return nil
	}
	hosts := make(Names, len(s.Drains))
	for i := range s.Drains {
		hosts[s.Drains[i].Owner] = true
	}
	return hosts
}

// Drained reports whether a host is drained, declared or not.
func (x *Index) Drained(host Name) bool { return x.drained[host] }
