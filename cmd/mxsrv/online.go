package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// onlineRules are the rules that need answers of a DNS server or a web server, beside those of package lint about aliases
// and lookups of SPF.
var onlineRules = []lint.Rule{
	{ID: "answer-differs", Severity: lint.Error, Doc: "a name that the server answers differently from the definitions"},
	{ID: "mta-sts-published", Severity: lint.Error, RFC: "RFC 8461 §3.3", Doc: "an MTA-STS policy that senders do not get, or that is not the file"},
	{ID: "spf-include", Severity: lint.Warning, RFC: "RFC 7208 §5.2", Doc: "an SPF record that includes a name without one; a warning if the server has no answer, else an error"},
	{ID: "spf-void-lookups", Severity: lint.Warning, RFC: "RFC 7208 §4.6.4", Doc: "an SPF record with more than two terms that ask for what does not exist"},
	{ID: "target-no-address", Severity: lint.Error, RFC: "RFC 5321 §5.1, RFC 2782", Doc: "a target that exists and has no address"},
	{ID: "target-not-found", Severity: lint.Error, RFC: "RFC 5321 §5.1, RFC 2782", Doc: "a target that does not exist"},
	{ID: "target-unanswered", Severity: lint.Warning, Doc: "a target for which the server has no answer"},
}

// A check queries the server, and returns nothing if the answer is as it should be.
type check func() []lint.Finding

// parallel is how many checks run at once.
const parallel = 16

// checkOnline returns what the answers of a server show to be wrong with definitions.
func checkOnline(u *ui, s *served, from *server) []lint.Finding {
	judged := s.withoutTree()
	checks := slices.Concat(targetChecks(judged, from), answerChecks(judged, from), spfChecks(judged, from), publishedChecks(judged, from),
		treeChecks(s, from))
	found := make([][]lint.Finding, len(checks))
	slots := make(chan bool, parallel)
	var done atomic.Int64
	u.during(func() string { return fmt.Sprintf("%d of %d queries", done.Load(), len(checks)) }, func() {
		var running sync.WaitGroup
		for i := range checks {
			slots <- true
			running.Go(func() {
				found[i] = checks[i]()
				done.Add(1)
				<-slots
			})
		}
		running.Wait()
	})
	return slices.Concat(found...)
}

func finding(id string, pos definition.Pos, names []definition.Name, format string, args ...any) []lint.Finding {
	rules := allRules()
	rule := rules[slices.IndexFunc(rules, func(r lint.Rule) bool { return r.ID == id })]
	return []lint.Finding{{Rule: rule, Pos: pos, Names: names, Text: fmt.Sprintf(format, args...)}}
}

// targetChecks check the hosts that are pointed to and not declared, each once as an exchange and once as a target of
// services.
func targetChecks(s *served, from *server) []check {
	var checks []check
	seen := map[string]bool{}
	add := func(kind, aliasRule string, pos definition.Pos, owner, host definition.Name) {
		if o := s.index.At(host); len(o.Hosts())+len(o.Aliases()) > 0 || seen[kind+string(host)] {
			return
		}
		seen[kind+string(host)] = true
		checks = append(checks, func() []lint.Finding { return checkTarget(from, kind, aliasRule, pos, owner, host) })
	}
	for _, m := range s.index.Set.Mails {
		for _, e := range m.Exchanges {
			add("exchange", "mx-target-alias", e.Pos, m.Owner, e.Host)
		}
	}
	for _, v := range s.index.Set.Services {
		for _, t := range v.Targets {
			add("target", "srv-target-alias", t.Pos, v.Owner, t.Host)
		}
	}
	return checks
}

func checkTarget(from *server, kind, aliasRule string, pos definition.Pos, owner, host definition.Name) []lint.Finding {
	look := delivery.Lookup(from.lookup)
	names := []definition.Name{owner, host}
	if _, aliases := look.Follow(string(host), dns.TypeA); len(aliases) > 0 {
		return finding(aliasRule, pos, names, "%s %s of %s is an alias: write %s.", kind, host, owner, aliases[len(aliases)-1])
	}
	switch look.Host(string(host)).Status {
	case delivery.NoName:
		return finding("target-not-found", pos, names, "%s %s of %s does not exist: correct the name, or delete it", kind, host, owner)
	case delivery.NoData:
		return finding("target-no-address", pos, names, "%s %s of %s has no address: write a host that has one", kind, host, owner)
	case delivery.Failed, delivery.Elsewhere:
		return finding("target-unanswered", pos, names, "%s %s of %s: the server has no answer: try another --server", kind, host, owner)
	}
	return nil
}

// A kind is one of those that a name is declared as.
type kind struct {
	word   string // that declares it
	pos    definition.Pos
	qtypes []uint16 // of its records
}

func kindsOf(o definition.Owner) (kinds []kind) {
	if d := o.Hosts(); len(d) > 0 {
		kinds = append(kinds, kind{"host", d[0].Pos, []uint16{dns.TypeA, dns.TypeAAAA}})
	}
	if d := o.Mails(); len(d) > 0 {
		kinds = append(kinds, kind{"mail", d[0].Pos, []uint16{dns.TypeMX}})
	}
	if d := o.Services(); len(d) > 0 {
		kinds = append(kinds, kind{"service", d[0].Pos, []uint16{dns.TypeSRV}})
	}
	if d := o.Aliases(); len(d) > 0 {
		kinds = append(kinds, kind{"alias", d[0].Pos, []uint16{dns.TypeCNAME}})
	}
	for _, s := range o.RRsets() {
		kinds = append(kinds, kind{"record", s.Declared[0].Pos, []uint16{s.Type}})
	}
	return kinds
}

func answerChecks(s *served, from *server) []check {
	var checks []check
	t := s.compile()
	add := func(pos definition.Pos, name definition.Name, qtypes ...uint16) {
		for _, qtype := range qtypes {
			checks = append(checks, func() []lint.Finding { return checkAnswer(t, from, pos, name, qtype) })
		}
	}
	for o := range s.index.Owners() {
		for _, k := range kindsOf(o) {
			if k.pos.Source != change.TreeSource {
				add(k.pos, o.Name(), k.qtypes...)
			}
		}
	}
	for _, a := range s.index.Set.Apexes {
		add(a.Pos, a.Zone, dns.TypeNS)
	}
	return checks
}

// checkAnswer compares an answer with that of the definitions, without TTLs: resolvers count them down.
func checkAnswer(t *table.Table, from *server, pos definition.Pos, name definition.Name, qtype uint16) []lint.Finding {
	_, declared := t.Lookup(string(name), qtype)
	if declared.Referral { // a resolver has the answer of the delegated zone instead
		return nil
	}
	answer := from.lookup(string(name), qtype)
	report := func(how string) []lint.Finding {
		return finding("answer-differs", pos, []definition.Name{name}, "%s of %s: the server %s", dns.Type(qtype), name, how)
	}
	if answer.Status == delivery.Failed || answer.Status == delivery.Elsewhere {
		return report("has no answer: does it serve the zone?")
	}
	want, got := rdata(declared.RRs), rdata(answer.RRs)
	if slices.Equal(want, got) {
		return nil
	}
	missing, more := differing(want, got)
	if qtype == dns.TypeTXT && len(missing) == 0 && !t.Authoritative(string(name)) {
		return nil // the next plugin may have more of them
	}
	return report(difference(missing, more) + ": load these definitions, or correct them")
}

// differing returns what is missing of what was wanted, and what there is more.
func differing(want, got []string) (missing, more []string) {
	return filter(want, func(s string) bool { return !slices.Contains(got, s) }),
		filter(got, func(s string) bool { return !slices.Contains(want, s) })
}

func difference(missing, more []string) string {
	switch lacks, has := firstOf(missing, " and "), firstOf(more, " and "); {
	case has == "":
		return "lacks " + lacks
	case lacks == "":
		return "has " + has + ", which the definitions do not"
	default:
		return "has " + has + " instead of " + lacks
	}
}

// rdata returns the data of records as text, sorted, each once.
func rdata(rrs []dns.RR) []string {
	all := convert(rrs, func(rr dns.RR) string {
		return strings.ToLower(strings.TrimPrefix(rr.String(), rr.Header().String()))
	})
	slices.Sort(all)
	return slices.Compact(all)
}
