package table

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestRoom: the rows of a table are as long as they must be, so that they do not grow while a million names are
// compiled.
func TestRoom(t *testing.T) {
	zones := definition.Zones{"example.org."}
	for _, names := range []int{1, shareFrom - 1, shareFrom, shareFrom + 1, 3 * shareFrom} {
		var text strings.Builder
		fmt.Fprint(&text, "host mx1 192.0.2.1 2001:db8::1\n")
		for i := range names {
			fmt.Fprintf(&text, "mail d%d {\n 10 mx1\n 20 mx2.example.net.\n}\n", i)
			fmt.Fprintf(&text, "service _ldap._tcp.d%d 0 0 389 mx1\n", i)
		}
		set, _ := definition.Read("x", text.String(), zones)
		table := Compile(set.Index(), Options{Zones: zones})
		if len(table.entries) != cap(table.entries) || len(table.rrs) != cap(table.rrs) {
			t.Errorf("%d names: %d entries with room for %d, %d records with room for %d",
				names, len(table.entries), cap(table.entries), len(table.rrs), cap(table.rrs))
		}
	}
}
