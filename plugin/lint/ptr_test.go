package lint

import (
	"fmt"
	"strings"
	"testing"
)

// TestManyHosts: where an answer has too many PTR records, ptr is the remedy.
func TestManyHosts(t *testing.T) {
	var hosts strings.Builder
	for i := range 60 {
		fmt.Fprintf(&hosts, "host a-host-with-a-long-name-%d 192.0.2.1\n", i)
	}
	const want = "the PTR answer of 1.2.0.192.in-addr.arpa. has 2512 octets, and clients ask again over TCP above 1232: " +
		"write fewer hosts with one address, or ptr in the block of one"
	if got := text(find(hosts.String(), "", "reverse 2.0.192.in-addr.arpa")); !strings.Contains(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
