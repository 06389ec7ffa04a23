package table_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// TestAnswerOrder: in which orders an answer may be sent, and what is known of its records.
func TestAnswerOrder(t *testing.T) {
	const hosts = "host a 192.0.2.1 2001:db8::1\nhost b 192.0.2.2\n"
	for _, tc := range []struct {
		name, text, owner string
		qtype             uint16
		want              string
	}{
		{"service", "service _s._tcp 0 6 1 a\nservice _s._tcp 0 4 1 b\nservice _s._tcp 1 1 1 x", "_s._tcp.", dns.TypeSRV, "2 [{0 0 6 0 2} {1 0 4 2 3} {2 1 1 0 0}]"},
		{"one at several ports", "service _s._tcp 0 0 1 a\nservice _s._tcp 0 0 2 a\nservice _s._tcp 0 0 1 b", "_s._tcp.", dns.TypeSRV, "3 [{0 0 0 0 2} {1 0 0 0 2} {2 0 0 2 3}]"},
		{"of no address at several ports", "service _s._tcp 0 0 1 x\nservice _s._tcp 0 0 2 x", "_s._tcp.", dns.TypeSRV, "2 [{0 0 0 0 0} {1 0 0 0 0}]"},
		{"alias", "service _s._tcp 0 0 1 a b\nalias w _s._tcp", "w.", dns.TypeSRV, "2 [{0 0 0 0 2} {1 0 0 2 3}]"},
		{"mail domain", "mail @ 10 a b", "", dns.TypeMX, "2 [{0 10 0 0 2} {1 10 0 2 3}]"},
		{"a preference each", "mail @ 10 a 20 b", "", dns.TypeMX, "0 []"},
		{"null MX", "mail @ none", "", dns.TypeMX, "0 []"},
		{"fixed", "mail @ 10 a b {\norder fixed\n}", "", dns.TypeMX, "0 []"},
		{"alias of what is fixed", "service _s._tcp 0 0 1 a b {\norder fixed\n}\nalias w _s._tcp", "w.", dns.TypeSRV, "0 []"},
		{"host", "host a 192.0.2.3", "a.", dns.TypeA, "1 []"},
		{"host, the other family", "host a 192.0.2.3", "a.", dns.TypeAAAA, "0 []"},
		{"host, fixed", "host a 192.0.2.3 {\norder fixed\n}", "a.", dns.TypeA, "0 []"},
		{"any type", "service _s._tcp 0 0 1 a b", "_s._tcp.", dns.TypeANY, "0 []"},
	} {
		_, a := compile(t, hosts+tc.text).Lookup(tc.owner+"example.org.", tc.qtype)
		if got := fmt.Sprint(a.Order, " ", a.Slots); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

// TestOrderUnseen: a zone is the same in either order.
func TestOrderUnseen(t *testing.T) {
	const text = "host a 192.0.2.1 192.0.2.2\nhost b 192.0.2.3\nmail @ 10 a b\nservice _s._tcp 0 0 1 a b\n"
	weighted, fixed := compile(t, text), compile(t, "order fixed\n"+text)
	if w, f := renderAll(t, weighted, zones), renderAll(t, fixed, zones); w != f || !strings.Contains(w, "SRV") {
		t.Errorf("%s\nfixed\n%s", w, f)
	}
}
