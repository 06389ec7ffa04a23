package lint

import (
	"iter"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// The limits of RFC 7208 §4.6.4: how many terms may ask DNS in the check of a mail, and how many of these for nothing.
const (
	MostLookups     = mostLookups
	MostVoidLookups = 2
)

// An SPFLookup is a term of an SPF record that asks DNS.
type SPFLookup struct {
	Term    string          // as it is written
	Name    string          // of the mechanism or modifier, in lower case
	Domain  definition.Name // that it asks about; "" if it has macros or is none
	Follows bool            // it asks for another SPF record
}

// SPFLookups goes through the terms of the SPF record of a name that ask DNS, and that receivers may come to.
func SPFLookups(text string, owner definition.Name) iter.Seq[SPFLookup] {
	return func(yield func(SPFLookup) bool) {
		for t := range evaluated(text) {
			if t.asks() && !yield(SPFLookup{t.text, t.name, t.domain(owner), t.follows()}) {
				return
			}
		}
	}
}
