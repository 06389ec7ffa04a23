package picture

import (
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestCounts: what has no arrows is counted.
func TestCounts(t *testing.T) {
	zones := definition.Zones{"example.org.", "2.0.192.in-addr.arpa."}
	set, errs := definition.Read("x", "host a.example.org. 192.0.2.1 192.0.2.2\nrecord eu.example.org. NS ns.example.net. ns2.example.net.\n"+
		"record eu.example.org. DS 1 13 2 00\nrecord example.org. TXT a\n", zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	p := New(set.Index(), zones)
	want := []string{"Not drawn: 1 delegation.", "Not drawn: 2 PTR records.", "Not drawn: 1 record of another type."}
	if got := p.remarks(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	p.Records = 2
	if got := p.remarks()[2]; got != "Not drawn: 2 records of another type." {
		t.Errorf("%q", got)
	}
	var svg strings.Builder
	if err := p.SVG(&svg); err != nil || !strings.Contains(svg.String(), want[1]) {
		t.Errorf("%v: the picture lacks %q", err, want[1])
	}
}
