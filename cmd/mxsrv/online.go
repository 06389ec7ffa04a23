package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// The rules that only DNS can judge, beside those of package lint on aliases.
var onlineRules = []lint.Rule{
	{ID: "answer-differs", Severity: lint.Error, Doc: "a name that the server answers differently from the definitions"},
	{ID: "target-no-address", Severity: lint.Error, RFC: "RFC 5321 §5.1, RFC 2782", Doc: "a target that exists and has no address"},
	{ID: "target-not-found", Severity: lint.Error, RFC: "RFC 5321 §5.1, RFC 2782", Doc: "a target that does not exist"},
	{ID: "target-unanswered", Severity: lint.Warning, Doc: "a target of which the server cannot tell"},
}

func ruleOf(id string) lint.Rule {
	all := append(lint.Rules(), onlineRules...)
	return all[slices.IndexFunc(all, func(r lint.Rule) bool { return r.ID == id })]
}

// A question is one that --online asks, and what it makes of the answer.
type question func() (finding *lint.Finding)

// online returns what DNS says against definitions.
func online(s *served, from *live) []lint.Finding {
	return askAll(append(targetQuestions(s, from), answerQuestions(s, from)...))
}

// together is how many questions are asked at a time.
const together = 16

// askAll asks all questions; the findings are in their order.
func askAll(questions []question) []lint.Finding {
	found := make([]*lint.Finding, len(questions))
	var running sync.WaitGroup
	next := make(chan int)
	for range together {
		running.Go(func() {
			for i := range next {
				found[i] = questions[i]()
			}
		})
	}
	for i := range questions {
		next <- i
	}
	close(next)
	running.Wait()
	var findings []lint.Finding
	for _, f := range found {
		if f != nil {
			findings = append(findings, *f)
		}
	}
	return findings
}

func finding(id string, pos definition.Pos, names []definition.Name, format string, args ...any) *lint.Finding {
	return &lint.Finding{Rule: ruleOf(id), Pos: pos, Names: names, Text: fmt.Sprintf(format, args...)}
}

// targetQuestions ask for the hosts that are pointed to and not declared, each
// once for exchanges and once for targets of services.
func targetQuestions(s *served, from *live) []question {
	var questions []question
	seen := map[string]bool{}
	add := func(kind, aliasRule string, pos definition.Pos, owner, host definition.Name) {
		if o := s.index.At(host); len(o.Hosts())+len(o.Aliases()) > 0 || seen[kind+string(host)] {
			return
		}
		seen[kind+string(host)] = true
		questions = append(questions, func() *lint.Finding { return judge(from, kind, aliasRule, pos, owner, host) })
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
	return questions
}

// judge asks for one host.
func judge(from *live, kind, aliasRule string, pos definition.Pos, owner, host definition.Name) *lint.Finding {
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
		return finding("target-unanswered", pos, names, "%s %s of %s: the server cannot tell of it: try another --server", kind, host, owner)
	}
	return nil
}

// answerQuestions ask for everything that is declared.
func answerQuestions(s *served, from *live) []question {
	var questions []question
	t := s.compile()
	add := func(pos definition.Pos, name definition.Name, qtypes ...uint16) {
		for _, qtype := range qtypes {
			questions = append(questions, func() *lint.Finding { return differs(t, from, pos, name, qtype) })
		}
	}
	for o := range s.index.Owners() {
		if d := o.Hosts(); len(d) > 0 {
			add(d[0].Pos, o.Name(), dns.TypeA, dns.TypeAAAA)
		}
		if d := o.Mails(); len(d) > 0 {
			add(d[0].Pos, o.Name(), dns.TypeMX)
		}
		if d := o.Services(); len(d) > 0 {
			add(d[0].Pos, o.Name(), dns.TypeSRV)
		}
		if d := o.Aliases(); len(d) > 0 {
			add(d[0].Pos, o.Name(), dns.TypeCNAME)
		}
	}
	for _, a := range s.index.Set.Apexes {
		add(a.Pos, a.Zone, dns.TypeNS)
	}
	return questions
}

// differs compares an answer with that of the definitions. TTLs are not looked
// at: resolvers count them down.
func differs(t *table.Table, from *live, pos definition.Pos, name definition.Name, qtype uint16) *lint.Finding {
	_, want := t.Lookup(string(name), qtype)
	got := from.lookup(string(name), qtype)
	said := fmt.Sprintf("%s of %s", dns.TypeToString[qtype], name)
	names := []definition.Name{name}
	if got.Status == delivery.Failed || got.Status == delivery.Elsewhere {
		return finding("answer-differs", pos, names, "%s: the server has no answer: does it serve the zone?", said)
	}
	missing, more := compare(data(want.RRs), data(got.RRs))
	if len(missing)+len(more) == 0 {
		return nil
	}
	return finding("answer-differs", pos, names, "%s: the server %s: bring these definitions into service, or correct them", said, how(missing, more))
}

// how says how an answer differs.
func how(missing, more []string) string {
	lacks, has := strings.Join(missing, ", "), strings.Join(more, ", ")
	switch {
	case has == "":
		return "lacks " + lacks
	case lacks == "":
		return "has " + has + ", which the definitions do not"
	}
	return "has " + has + " instead of " + lacks
}

// data returns what records say, without owner and TTL, sorted.
func data(rrs []dns.RR) []string {
	var all []string
	for _, rr := range rrs {
		all = append(all, strings.ToLower(strings.TrimPrefix(rr.String(), rr.Header().String())))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// compare returns what only one of two lists has.
func compare(want, got []string) (missing, more []string) {
	for _, w := range want {
		if !slices.Contains(got, w) {
			missing = append(missing, w)
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			more = append(more, g)
		}
	}
	return missing, more
}
