package definition

import (
	"bufio"
	"cmp"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Print writes the statements that declare what s does: hosts, mail domains, services, aliases, records, drains; each kind
// sorted. What is said of several names in the same words is one line, and the commonest TTL is the default. Sets that mean
// the same print the same, and what is printed means the same again, with two exceptions: of TTLs that contradict
// each other it is the first that is printed, and whether a declaration gave its TTL itself is lost, which the TTLs of
// the PTR records of a host may show. What lines like spf and clients derive is printed as records, services and aliases.
// Apexes are not printed: they are declared in a Corefile only.
//
// With a single zone beside reverse zones, names in it are relative. With several, where a relative
// name is one in each, or with none, all names are absolute.
func (s *Set) Print(w io.Writer, zones Zones) error {
	p := newPrinter(w, s, zones)
	hosts, mails, services, aliases := p.gather(p.host), p.gather(p.mail), p.gather(p.service), p.gather(p.alias)
	records := p.gather(p.record)
	p.setTTL(slices.Concat(hosts, mails, services, aliases, records))
	p.print("host", hosts)
	p.print("mail", mails)
	p.print("service", services)
	p.print("alias", aliases)
	p.print("record", records)
	p.drains(s.Drained())
	return p.Flush()
}

// A printer makes statements of a set. With a zone, names below it are relative.
type printer struct {
	*bufio.Writer
	index     *Index
	zone      Name
	published map[Name]bool // services that srv in a mail domain says
	ttl       uint32        // the default
	between   string        // what is before the next kind
}

func newPrinter(w io.Writer, s *Set, zones Zones) printer {
	p := printer{Writer: bufio.NewWriter(w), index: s.Index(), published: make(map[Name]bool)}
	if zones = zones.Forward(); len(zones) == 1 {
		p.zone = zones[0]
	}
	return p
}

// setTTL makes the commonest TTL of statements the default, and writes it if it is not the usual one.
func (p *printer) setTTL(statements []statement) {
	p.ttl = commonest(statements)
	if p.ttl != DefaultTTL {
		p.WriteString("ttl " + printTTL(p.ttl) + "\n")
		p.between = "\n"
	}
}

// A statement says the same of all its names.
type statement struct {
	names []Name // in canonical order
	wording
}

// A wording is what a statement says.
type wording struct {
	body  string // lines of what stands after the names: 10 mx1 mx2
	srv   bool
	ptr   bool
	open  bool
	check Check
	ttl   uint32
	fixed bool
	alone Name // the one name that may be in the statement, or ""
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

// end returns the entries, and none if that is declared, too.
func (e *entriesText) end(none bool) string {
	if none {
		e.add("none", "")
	}
	return e.String()
}

// hasNone reports whether one of some mail domains or services is declared as none.
func hasNone[D declaration](declared []D) bool {
	return slices.ContainsFunc(declared, func(d D) bool { return d.targets() == 0 })
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

func (g gatherer) add(n Name, said wording) { g[said] = append(g[said], n) }

// gather returns what is said of all owners, in the order of the first names of the statements.
func (p *printer) gather(say func(Owner, gatherer)) []statement {
	g := make(gatherer)
	for o := range p.index.Owners() {
		say(o, g)
	}
	return g.statements()
}

func (g gatherer) statements() []statement {
	var statements []statement
	for said, names := range g {
		statements = append(statements, statement{distinct(names, Name.Compare), said})
	}
	slices.SortFunc(statements, func(a, b statement) int {
		return cmp.Or(a.names[0].Compare(b.names[0]), cmp.Compare(a.body, b.body))
	})
	return statements
}

// commonest returns the TTL of most statements: of several the usual one, else the lowest.
func commonest(statements []statement) uint32 {
	count := map[uint32]int{DefaultTTL: 0}
	for _, st := range statements {
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

// print writes the statements of a keyword.
func (p *printer) print(keyword string, statements []statement) {
	if len(statements) == 0 {
		return
	}
	p.WriteString(p.between)
	p.between = "\n"
	for _, st := range statements {
		p.statement(keyword, st)
	}
}

func (p *printer) statement(keyword string, st statement) {
	p.WriteString(keyword)
	for _, n := range st.names {
		p.WriteString(" " + p.name(n))
	}
	p.printBody(st)
}

// printBody writes what is said of the names, in a block if it does not fit the line.
func (p *printer) printBody(st statement) {
	block := strings.Split(st.body, "\n")
	if len(block) == 1 {
		p.WriteString(" " + st.body)
		block = nil
	}
	if st.srv {
		block = append(block, "srv")
	}
	if st.ptr {
		block = append(block, "ptr")
	}
	if st.open {
		block = append(block, openWord)
	}
	if st.check != (Check{}) {
		block = append(block, checkWord+" "+st.check.String())
	}
	if st.fixed {
		block = append(block, "order fixed")
	}
	if st.ttl != p.ttl {
		block = append(block, "ttl "+printTTL(st.ttl))
	}
	if len(block) > 0 {
		p.WriteString(" {\n    " + strings.Join(block, "\n    ") + "\n}")
	}
	p.WriteString("\n")
}

// printTTL writes a TTL as people do: 90, 5m, 1h30m, 24h.
func printTTL(seconds uint32) string {
	if seconds == 0 || seconds%60 != 0 {
		return strconv.FormatUint(uint64(seconds), 10)
	}
	duration := (time.Duration(seconds) * time.Second).String() // 1h0m0s
	return strings.Replace(strings.TrimSuffix(duration, "0s"), "h0m", "h", 1)
}
