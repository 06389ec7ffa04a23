package definition

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Print writes the lines that declare what s does: hosts, mail domains, services,
// aliases; each kind sorted. What is said of several names in the same words is
// one line, and the commonest TTL is the default. Sets that mean the same print
// the same, and what is printed means the same again, with two exceptions: of
// TTLs that contradict each other it is the lowest that is printed, and whether a
// declaration gave its TTL itself is not kept. The tops of zones are not printed:
// they are declared in a Corefile only.
//
// With a single zone, names in it are relative. With several, where a relative
// name is one in each, or with none, all names are absolute.
func (s *Set) Print(w io.Writer, zones Zones) error {
	p := printer{index: s.Index()}
	if len(zones) == 1 {
		p.zone = zones[0]
	}
	kinds := p.statements()
	standard := commonest(kinds)
	out := bufio.NewWriter(w)
	between := ""
	if standard != DefaultTTL {
		fmt.Fprintf(out, "ttl %s\n", printTTL(standard))
		between = "\n"
	}
	for _, statements := range kinds {
		for i, st := range statements {
			if i == 0 {
				out.WriteString(between)
				between = "\n"
			}
			p.print(out, st, standard)
		}
	}
	return out.Flush()
}

// A printer makes statements of a set. With a zone, names below it are relative.
type printer struct {
	index *Index
	zone  Name
}

// A statement says the same of all its names.
type statement struct {
	names []Name // in canonical order
	wording
}

// A wording is what a statement says.
type wording struct {
	word string // mail
	body string // lines of what stands after the names: 10 mx1 mx2
	srv  bool
	ttl  uint32
}

// statements returns the statements of each kind, sorted by their first names.
func (p *printer) statements() [][]statement {
	var hosts []statement // a line each
	var mails, services, aliases gatherer
	published := make(map[Name]bool) // services that srv says
	for o := range p.index.Owners() {
		if len(o.Mails()) > 0 {
			said, smtp := p.mail(o)
			published[smtp] = said.srv
			mails.add(o.Name(), said)
		}
	}
	for o := range p.index.Owners() {
		if len(o.Hosts()) > 0 {
			ttl, _ := o.HostTTL()
			hosts = append(hosts, statement{[]Name{o.Name()}, wording{word: "host", body: printAddrs(o), ttl: ttl}})
		}
		if len(o.Services()) > 0 && !published[o.Name()] {
			ttl, _ := o.ServiceTTL()
			services.add(o.Name(), wording{word: "service", body: p.targets(o), ttl: ttl})
		}
		for _, a := range o.Aliases() {
			ttl, _ := o.AliasTTL()
			aliases.add(o.Name(), wording{word: "alias", body: p.name(a.Host), ttl: ttl})
		}
	}
	return [][]statement{sorted(hosts), mails.sorted(), services.sorted(), aliases.sorted()}
}

// mail returns what is said of a mail domain, and the name of the service that
// srv in it publishes: one that means the same as the service has.
func (p *printer) mail(o Owner) (said wording, smtp Name) {
	ttl, _ := o.MailTTL()
	said = wording{word: "mail", body: p.exchanges(o), ttl: ttl}
	smtp, err := ParseName("_smtp._tcp", o.Name())
	if err != nil {
		return said, ""
	}
	v := p.index.At(smtp)
	serviceTTL, _ := v.ServiceTTL()
	said.srv = len(v.Services()) > 0 && serviceTTL == ttl && hasNone(v) == (len(o.Exchanges()) == 0) &&
		slices.EqualFunc(v.Targets(), o.Exchanges(), func(t Target, e Exchange) bool {
			return t.Priority == e.Preference && t.Weight == 0 && t.Port == smtpPort && t.Host == e.Host
		})
	return said, smtp
}

// hasNone reports whether a service is declared as not offered.
func hasNone(v Owner) bool {
	return slices.ContainsFunc(v.Services(), func(s *Service) bool { return len(s.Targets) == 0 })
}

func printAddrs(o Owner) string {
	var words []string
	for _, addr := range o.Addrs() {
		words = append(words, addr.String())
	}
	return strings.Join(words, " ")
}

func (p *printer) exchanges(o Owner) string {
	var e entriesText
	for _, x := range o.Exchanges() {
		e.add(strconv.Itoa(int(x.Preference)), p.name(x.Host))
	}
	if slices.ContainsFunc(o.Mails(), func(m *Mail) bool { return len(m.Exchanges) == 0 }) {
		e.add("none", "")
	}
	return e.String()
}

func (p *printer) targets(o Owner) string {
	var e entriesText
	for _, t := range o.Targets() {
		e.add(fmt.Sprintf("%d %d %d", t.Priority, t.Weight, t.Port), p.name(t.Host))
	}
	if hasNone(o) {
		e.add("none", "")
	}
	return e.String()
}

// entriesText are entries as lines. Hosts with the same numbers share one.
type entriesText struct {
	strings.Builder
	numbers string // of the last line
}

func (e *entriesText) add(numbers, host string) {
	if numbers != e.numbers {
		if e.Len() > 0 {
			e.WriteByte('\n')
		}
		e.WriteString(numbers)
		e.numbers = numbers
	}
	if host != "" {
		e.WriteString(" " + host)
	}
}

// name writes a name so that the reader takes it for one and for this one.
func (p *printer) name(n Name) string {
	if n == p.zone {
		return "@"
	}
	if p.zone == "" || !n.Below(p.zone) {
		return string(n)
	}
	relative := strings.TrimSuffix(strings.TrimSuffix(string(n), string(p.zone)), ".")
	if isNumber(relative) || isAddress(relative) || relative == "none" || relative == "srv" {
		return string(n)
	}
	return relative
}

// A gatherer brings the names together of which the same is said.
type gatherer map[wording][]Name

func (g *gatherer) add(n Name, said wording) {
	if *g == nil {
		*g = make(gatherer)
	}
	(*g)[said] = append((*g)[said], n)
}

// sorted returns the statements in the order of their first names.
func (g gatherer) sorted() []statement {
	statements := make([]statement, 0, len(g))
	for said, names := range g {
		statements = append(statements, statement{distinct(names, Name.Compare), said})
	}
	return sorted(statements)
}

func sorted(statements []statement) []statement {
	slices.SortFunc(statements, func(a, b statement) int {
		return cmp.Or(a.names[0].Compare(b.names[0]), cmp.Compare(a.body, b.body))
	})
	return statements
}

// commonest returns the TTL of most statements: of several the usual one, else
// the lowest.
func commonest(kinds [][]statement) uint32 {
	count := map[uint32]int{DefaultTTL: 0}
	for _, st := range slices.Concat(kinds...) {
		count[st.ttl]++
	}
	best := uint32(DefaultTTL)
	for _, ttl := range slices.Sorted(maps.Keys(count)) {
		if count[ttl] > count[best] {
			best = ttl
		}
	}
	return best
}

// print writes a statement, with a block if there is more to say than fits a line.
func (p *printer) print(out *bufio.Writer, st statement, standard uint32) {
	out.WriteString(st.word)
	for _, n := range st.names {
		out.WriteString(" " + p.name(n))
	}
	var block []string
	if strings.Contains(st.body, "\n") {
		block = strings.Split(st.body, "\n")
	} else {
		out.WriteString(" " + st.body)
	}
	if st.srv {
		block = append(block, "srv")
	}
	if st.ttl != standard {
		block = append(block, "ttl "+printTTL(st.ttl))
	}
	if len(block) > 0 {
		out.WriteString(" {\n    " + strings.Join(block, "\n    ") + "\n}")
	}
	out.WriteByte('\n')
}

// printTTL writes a TTL as people do: 90, 5m, 1h30m, 24h.
func printTTL(seconds uint32) string {
	hours, minutes := seconds/3600, seconds%3600/60
	switch {
	case seconds == 0 || seconds%60 != 0:
		return strconv.FormatUint(uint64(seconds), 10)
	case hours == 0:
		return fmt.Sprintf("%dm", minutes)
	case minutes == 0:
		return fmt.Sprintf("%dh", hours)
	}
	return fmt.Sprintf("%dh%dm", hours, minutes)
}
