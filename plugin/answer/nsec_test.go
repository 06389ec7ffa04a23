package answer

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestSuccessor(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := func(first string) string { return first + "." + label + "." + label + "." + label + "." } // 192 octets and the first label
	for _, tc := range []struct{ name, qname, want string }{
		{"root", ".", `\000.`},
		{"short", "mx1.example.org.", `\000.mx1.example.org.`},
		{"253 octets", long(strings.Repeat("b", 59)), `\000.` + long(strings.Repeat("b", 59))},
		{"254 octets", long(strings.Repeat("b", 60)), strings.Repeat("b", 60) + `\000.` + long("")[1:]},
		{"any octets, short", strings.Repeat(`\000`, 63) + ".example.org.", `\000.` + strings.Repeat(`\000`, 63) + ".example.org."},
		{"any octets, 254", long(strings.Repeat(`\000`, 60)), strings.Repeat(`\000`, 61) + "." + long("")[1:]},
		{"any octets, 255", long(strings.Repeat(`\009`, 61)), strings.Repeat(`\009`, 60) + `\010.` + long("")[1:]},
		{"255 octets, the last at their end", long("a" + strings.Repeat(`\255`, 60)), "b." + long("")[1:]},
		{"255 octets, a label at its end", long(strings.Repeat(`\255`, 61)), label[1:] + "b." + label + "." + label + "."},
		{"255 octets", long(strings.Repeat("b", 61)), strings.Repeat("b", 60) + "c." + long("")[1:]},
	} {
		got := successor(tc.qname)
		if got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
		if _, err := dns.PackDomainName(got, make([]byte, 300), 0, nil, false); err != nil {
			t.Errorf("%s: %s: %v", tc.name, got, err)
		}
	}
}
