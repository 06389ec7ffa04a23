package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// spfTime is how long receivers may take for a check (RFC 7208 §4.6.4).
const spfTime = 20 * time.Second

// An spfCheck follows an SPF record as receivers do that come to its end.
type spfCheck struct {
	look          delivery.Lookup
	owner         definition.Name
	pos           definition.Pos
	deadline      time.Time
	lookups, void int
	seen          map[string]bool // what was reported
	findings      []lint.Finding
}

// spfChecks check the SPF records that are declared with those that they include, which may be those of others. What is
// declared goes before the answers of the server, which may not have it yet.
func spfChecks(s *served, from *server) (checks []check) {
	t := s.compile()
	look := func(name string, qtype uint16) delivery.Answer {
		_, a := t.Lookup(name, qtype)
		isPart := qtype == dns.TypeTXT && len(spfOf(a.RRs)) == 0 // the next plugin may have an SPF record
		if len(a.RRs) > 0 && !a.Referral && !isPart {
			return delivery.Answer{Status: delivery.Found, RRs: a.RRs}
		}
		return from.lookup(name, qtype)
	}
	for i := range s.index.Set.Records {
		r := &s.index.Set.Records[i]
		if r.Type != dns.TypeTXT || !lint.IsSPF(r.Text()) || hasTooMany(s.findings, r) {
			continue
		}
		checks = append(checks, func() []lint.Finding {
			c := &spfCheck{look: look, owner: r.Owner, pos: r.Pos, deadline: time.Now().Add(spfTime), seen: map[string]bool{}}
			c.follow(r.Text(), r.Owner)
			return c.findings
		})
	}
	return checks
}

// hasTooMany reports whether it was found already that a record asks too often.
func hasTooMany(findings []lint.Finding, r *definition.Record) bool {
	return slices.ContainsFunc(findings, func(f lint.Finding) bool {
		return f.Rule.ID == "spf-lookups" && f.Pos == r.Pos && f.Names[0] == r.Owner
	})
}

// spfOf returns the texts of TXT records that are SPF records.
func spfOf(rrs []dns.RR) (texts []string) {
	for _, rr := range rrs {
		if txt, ok := rr.(*dns.TXT); ok {
			if text := strings.Join(txt.Txt, ""); lint.IsSPF(text) {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

// report reports something about the record once.
func (c *spfCheck) report(id string, certain bool, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if c.seen[text] {
		return
	}
	c.seen[text] = true
	found := finding(id, c.pos, []definition.Name{c.owner}, "SPF record of %s: %s", c.owner, text)
	if certain {
		found = refused(found)
	}
	c.findings = append(c.findings, found...)
}

// follow asks what the terms of the record of a name ask. It returns false at the end of what receivers take, which
// records that include each other come to as well.
func (c *spfCheck) follow(text string, name definition.Name) bool {
	for l := range lint.SPFLookups(text, name) {
		if c.lookups++; c.lookups > lint.MostLookups {
			c.report("spf-lookups", true, "with the records that it includes, more than %d terms ask DNS (%s of %s is the first "+
				"beyond), and receivers take none then: write addresses instead of some", lint.MostLookups, l.Term, name)
			return false
		}
		if time.Now().After(c.deadline) {
			c.report("spf-include", false, "no end of its lookups in %v: try another --server", spfTime)
			return false
		}
		if l.Domain == "" {
			continue
		}
		if l.Follows {
			if !c.include(l, name) {
				return false
			}
		} else {
			c.count(l, name)
		}
	}
	return true
}

// include follows the record that a term names.
func (c *spfCheck) include(l lint.SPFLookup, name definition.Name) bool {
	answer, _ := c.look.Follow(string(l.Domain), dns.TypeTXT)
	c.countVoid(l, name, isVoid(answer))
	texts := spfOf(answer.RRs)
	switch {
	case answer.Status == delivery.Failed, answer.Status == delivery.Elsewhere:
		c.report("spf-include", false, "%s of %s: the server has no answer: try another --server", l.Term, name)
	case len(texts) == 0:
		c.report("spf-include", true, "%s of %s: there is no SPF record, and receivers take none with it: "+
			"correct the name, or delete the term", l.Term, name)
	case len(texts) > 1:
		c.report("spf-include", true, "%s of %s: there are %d SPF records, and receivers take none with it: "+
			"delete the term until there is one", l.Term, name, len(texts))
	default:
		return c.follow(texts[0], l.Domain)
	}
	return true
}

// count asks for what another term is about.
func (c *spfCheck) count(l lint.SPFLookup, name definition.Name) {
	ask := func(qtype uint16) bool {
		answer, _ := c.look.Follow(string(l.Domain), qtype)
		return isVoid(answer)
	}
	switch l.Name {
	case "a": // receivers ask for one family, that of the client
		c.countVoid(l, name, ask(dns.TypeA) && ask(dns.TypeAAAA))
	case "mx":
		c.countVoid(l, name, ask(dns.TypeMX))
	case "exists":
		c.countVoid(l, name, ask(dns.TypeA))
	}
}

func isVoid(a delivery.Answer) bool {
	return a.Status == delivery.NoData || a.Status == delivery.NoName
}

func (c *spfCheck) countVoid(l lint.SPFLookup, name definition.Name, void bool) {
	if !void {
		return
	}
	if c.void++; c.void == lint.MostVoidLookups+1 {
		c.report("spf-void-lookups", false, "more than %d terms ask for what does not exist (%s of %s is the first beyond), and "+
			"receivers may take none then: delete them", lint.MostVoidLookups, l.Term, name)
	}
}
