package webhook

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// A fragment is, in lines:
//
//	# external-dns sha256:HEX    of all that follows
//	# external-dns {JSON}        an endpoint, one line each
//	DEFINITIONS                  what servers read
//
// The digest tells what this program has written from what a person has put there or edited since. The endpoints give
// ExternalDNS back to the letter what it has sent.
const mark = "# external-dns "

// maxFragment is far below what etcd takes, 1.5 MiB, and above what fits the answer to a query.
const maxFragment = 512 << 10

// compose returns the text of the fragment for the endpoints of a name, which are in order.
func compose(name definition.Name, endpoints []Endpoint) (string, []lint.Finding) {
	definitions, findings := define(name, endpoints)
	if findings != nil {
		return "", findings
	}
	var b strings.Builder
	for _, e := range endpoints {
		text, _ := json.Marshal(e.stored()) // strings and a number
		fmt.Fprintf(&b, "%s%s\n", mark, text)
	}
	b.WriteString(definitions)
	body := store.Tidy(b.String())
	if len(body) > maxFragment {
		return "", wrong(definition.Syntax, name, fmt.Sprintf("%d octets: declare less of one name", len(body)))
	}
	return digest(body) + body, nil
}

func digest(body string) string {
	return fmt.Sprintf("%ssha256:%x\n", mark, sha256.Sum256([]byte(body)))
}

// wrong returns a finding about a name, which may be none.
func wrong(rule string, name definition.Name, text string) []lint.Finding {
	quoted := strconv.Quote(string(name[:min(len(name), 255)]))
	pos := definition.Pos{Source: quoted[1 : len(quoted)-1], Line: 1}
	return []lint.Finding{lint.NewFinding(rule, pos, []definition.Name{name}, text)}
}

// parse returns the endpoints of a fragment. It returns false if this program has not written it as it is.
func parse(text string) (endpoints []Endpoint, ok bool) {
	first, body, _ := strings.Cut(text, "\n")
	if digest(body) != first+"\n" {
		return nil, false
	}
	for line := range strings.Lines(body) {
		var e Endpoint
		if data, ok := strings.CutPrefix(line, mark); ok && json.Unmarshal([]byte(data), &e) == nil {
			endpoints = append(endpoints, e)
		}
	}
	return endpoints, len(endpoints) > 0
}

// define returns the definitions that the endpoints of a name are, or what is wrong with them.
func define(name definition.Name, endpoints []Endpoint) (string, []lint.Finding) {
	r := definition.NewReader(definition.Zones{"."})
	for _, e := range endpoints {
		statements, err := e.statements(name)
		if err != nil {
			return "", wrong(definition.Syntax, name, e.RecordType+": "+err.Error())
		}
		for _, s := range statements {
			if ttl := commonTTL(endpoints, e.RecordType); ttl > 0 {
				s.Block = append(s.Block, definition.Statement{Words: []string{"ttl", strconv.FormatInt(ttl, 10)}})
			}
			r.Statement(s)
		}
	}
	set, errs := r.Set()
	if len(errs) > 0 {
		return "", wrong(errs[0].ID, name, errs[0].Text)
	}
	var b strings.Builder
	set.Print(&b, nil) // a builder takes all
	return b.String(), nil
}

// commonTTL returns the lowest TTL of the endpoints that are one declaration with those of a type, or 0 if none has
// one: addresses of both families are a host, and set identifiers are nothing to DNS.
func commonTTL(endpoints []Endpoint, recordType string) (ttl int64) {
	together := func(e Endpoint) bool {
		f, ok := forms[e.RecordType]
		return e.RecordType == recordType || ok && f.keyword == forms[recordType].keyword
	}
	for _, e := range endpoints {
		if e.RecordTTL > 0 && together(e) && (ttl == 0 || e.RecordTTL < ttl) {
			ttl = e.RecordTTL
		}
	}
	return ttl
}

// with returns endpoints, in order, in which one takes the place of the one with its identity.
func with(endpoints []Endpoint, e Endpoint) []Endpoint {
	endpoints = append(without(endpoints, e.identity()), e.stored())
	slices.SortFunc(endpoints, compare)
	return endpoints
}

// without returns endpoints but the one with an identity.
func without(endpoints []Endpoint, id identity) []Endpoint {
	return slices.DeleteFunc(slices.Clone(endpoints), func(e Endpoint) bool { return e.identity() == id })
}

func equal(a, b []Endpoint) bool {
	return slices.EqualFunc(a, b, func(a, b Endpoint) bool { return a.same(b) })
}

// find returns the endpoint with an identity.
func find(endpoints []Endpoint, id identity) (Endpoint, bool) {
	i := slices.IndexFunc(endpoints, func(e Endpoint) bool { return e.identity() == id })
	if i < 0 {
		return Endpoint{}, false
	}
	return endpoints[i], true
}
