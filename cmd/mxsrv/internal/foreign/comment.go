package foreign

import (
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// commented is the comments of an entry, without the marks that they start with. Entries without comments are
// noted, too: they end what is carried over from those before.
type commented struct {
	definition.Pos
	before  []string // of the lines before it; "" for an empty line
	comment string   // after it
}

// result returns what is converted. Comments are above the declarations that they are above in the text; those above
// what is not converted are carried over to the next declaration.
func (im *importer) result(kind Kind) *Result {
	r := &Result{Kind: kind, Set: im.set, NotConverted: im.notConverted, Changed: im.changed}
	if im.zone != "" {
		r.Zones = definition.Zones{im.zone}
	}
	if im.apex.soa != nil {
		r.Serial = im.apex.soa.Serial
	}
	declared, ofApex := im.declared(), im.ofApex()
	before, carried := make(map[definition.Pos][]string), []string(nil)
	for _, c := range im.comments {
		if carried = append(carried, c.before...); !declared[c.Pos] {
			if im.isLoose {
				carried = nil
			}
			continue
		}
		if c.comment != "" && !im.isOfSOA(c.Pos) && !strings.Contains(c.comment, cloudflareTags) {
			carried = append(carried, c.comment)
		}
		if ofApex[c.Pos] {
			r.Comments = append(r.Comments, carried...)
		} else {
			before[c.Pos] = append(before[c.Pos], carried...)
		}
		carried = nil
	}
	r.listing = definition.Listing{Zones: r.Zones, Owners: im.order, Before: before, After: carried}
	return r
}

// isOfSOA reports whether a position is that of the SOA record: what is behind it says what its fields are.
func (im *importer) isOfSOA(pos definition.Pos) bool {
	return im.apex.soa != nil && im.apex.at.Pos == pos
}
