package corefile

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/atomicfile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
)

// Checks says how targets are probed.
type Checks struct {
	health.Config
	Networks []netip.Prefix // in which addresses that only fragments declare are probed, and those of this host
	StatePos definition.Pos // where the file of verdicts is named
}

// SameState returns the error that the checks of a server block before keep their verdicts in the same file, or none:
// each would replace what the other has written.
func (c *Checks) SameState(before *Checks) definition.Errors {
	if c.State == "" || before.State == "" || atomicfile.RealPath(c.State) != atomicfile.RealPath(before.State) {
		return nil
	}
	return definition.Errors{{Pos: c.StatePos, ID: definition.Syntax, Text: definition.Sprintf(
		"state %s: it has the verdicts of another server block, of %v: write another file", c.State, before.StatePos)}}
}

// Detection returns how long it takes, about, to see that a target is down.
func (c *Checks) Detection() time.Duration { return c.Every * time.Duration(c.Down) }

// MayProbe reports whether an address of a host may be probed: see health.MayProbe.
func (c *Checks) MayProbe(host definition.Owner, addr netip.Addr, fragment func(source string) bool) bool {
	return health.MayProbe(host, addr, c.Networks, fragment)
}

// usual is how targets are probed where nothing else is said.
var usual = Checks{Config: health.Config{Every: 10 * time.Second, Timeout: 3 * time.Second, Down: 3, Up: 2}}

const (
	shortestProbe = 100 * time.Millisecond
	longestProbe  = time.Hour
	mostInRow     = 100
)

const checksUsage = "checks { every DURATION }, or other words in its block"

// checksOptions are those in the block of checks, by keyword.
var checksOptions = map[string]*option{
	"down":    {"down NUMBER", 1, 1, false, func(s *stanza, l definition.Statement) { s.inRow(l, &s.Checks.Down) }},
	"every":   {"every DURATION", 1, 1, false, func(s *stanza, l definition.Statement) { s.probeTime(l, &s.Checks.Every) }},
	"from":    {"from ADDRESS...", 1, unlimited, false, (*stanza).checksFrom},
	"helo":    {"helo NAME", 1, 1, false, (*stanza).checksHelo},
	"probe":   {"probe NETWORK...", 1, unlimited, false, (*stanza).checksProbe},
	"state":   {"state PATH", 1, 1, false, (*stanza).checksState},
	"timeout": {"timeout DURATION", 1, 1, false, func(s *stanza, l definition.Statement) { s.probeTime(l, &s.Checks.Timeout) }},
	"up":      {"up NUMBER", 1, 1, false, func(s *stanza, l definition.Statement) { s.inRow(l, &s.Checks.Up) }},
}

// checks reads: checks { ... }
func (s *stanza) checks(l definition.Statement) {
	if s.hasChecks {
		s.errorf(l.Pos, "a second checks: write one for the server block")
		return
	}
	s.hasChecks = true
	if len(l.Block) == 0 {
		s.errorf(l.Pos, "usage: %s", checksUsage)
	}
	said := make(map[string]bool)
	for _, line := range l.Block {
		word := line.Words[0]
		o := checksOptions[word]
		switch {
		case !s.reader.Usual(&line):
		case o == nil:
			s.errorf(line.Pos, "%s", definition.UnknownWord(word, keywords(checksOptions)))
		case said[word] && o.max == 1:
			s.errorf(line.Pos, "a second %s: write one", word)
		default:
			said[word] = true
			s.option(o, line)
		}
	}
}

func (s *stanza) probeTime(l definition.Statement, to *time.Duration) {
	d, err := time.ParseDuration(l.Words[1])
	if err != nil || d < shortestProbe || d > longestProbe {
		s.errorf(l.Pos, "%s %q: write a duration from %v to %v, like 5s", l.Words[0], l.Words[1], shortestProbe, longestProbe)
		return
	}
	*to = d
}

func (s *stanza) inRow(l definition.Statement, to *int) {
	n, err := strconv.Atoi(l.Words[1])
	if err != nil || n < 1 || n > mostInRow {
		s.errorf(l.Pos, "%s %q: write how many in a row, from 1 to %d", l.Words[0], l.Words[1], mostInRow)
		return
	}
	*to = n
}

// checksHelo reads a name, which is relative as all are.
func (s *stanza) checksHelo(l definition.Statement) {
	word, zone := l.Words[1], definition.Name(".")
	if forward := s.zones.Forward(); len(forward) > 0 {
		zone = forward[0]
	}
	name, err := definition.ParseName(word, zone)
	switch {
	case err != nil:
		s.errorf(l.Pos, "helo: %v", err)
	case !name.IsHost() || len(name.Labels()) < 2:
		s.errorf(l.Pos, "helo %q: write the name of this host", word)
	case zone != "." && name.Below(definition.Name(string(zone)+string(zone))):
		s.errorf(l.Pos, "helo %q is %s: write it with its final dot", word, name)
	default:
		s.Checks.Helo = strings.TrimSuffix(string(name), ".")
	}
}

// checksFrom reads source addresses, one of each family at most.
func (s *stanza) checksFrom(l definition.Statement) {
	for _, word := range l.Words[1:] {
		addr, err := netip.ParseAddr(word)
		same := func(other netip.Addr) bool { return other.Is4() == addr.Is4() }
		switch {
		case err != nil || addr.Zone() != "" || addr.Is4In6() || addr.IsUnspecified() || addr.IsMulticast():
			s.errorf(l.Pos, "from %q: write an address of this host, like 192.0.2.53 or 2001:db8::53", word)
		case slices.ContainsFunc(s.Checks.From, same):
			s.errorf(l.Pos, "from %s: a second address of its family: write one IPv4 address, one IPv6 address, or both", word)
		default:
			s.Checks.From = append(s.Checks.From, addr)
		}
	}
}

func (s *stanza) checksState(l definition.Statement) {
	s.Checks.State, s.Checks.StatePos = s.path(l.Words[1]), l.Pos
}

func (s *stanza) checksProbe(l definition.Statement) {
	for _, word := range l.Words[1:] {
		network, err := netip.ParsePrefix(word)
		switch {
		case err != nil:
			s.errorf(l.Pos, "probe %q: write a network, like 192.0.2.0/24 or 2001:db8::1/128", word)
		case network != network.Masked():
			s.errorf(l.Pos, "probe %s: it has bits of a host: write %v", word, network.Masked())
		default:
			s.Checks.Networks = append(s.Checks.Networks, network)
		}
	}
}
