package table

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// standings are how the tests write them: ? is a target without a verdict, or that is not probed.
var standings = map[string]standing{"?": unknown, "up": up, "down": down, "drained": drained}

// TestHideTargets: which targets leave an answer, by their priorities and standings. Those that are hidden are in
// brackets in what is wanted; "open" is an answer that fails open.
func TestHideTargets(t *testing.T) {
	for _, tc := range []struct{ name, mail, service string }{
		{"one, up", "10 up", "10 up"},
		{"one, down", "10 down open", "10 down open"},
		{"one, drained", "10 drained open", "10 drained open"},
		{"one, unknown", "10 ?", "10 ?"},
		{"one of two", "10 up 10 [down]", "10 up 10 [down]"},
		{"the other", "10 [down] 10 up", "10 [down] 10 up"},
		{"one of two, the other unknown", "10 ? 10 down", "10 ? 10 down"},
		{"both", "10 down 10 down open", "10 down 10 down open"},
		{"the best alone", "10 down 20 up", "10 [down] 20 up"},
		{"the best alone, the backup unknown", "10 down 20 ?", "10 down 20 ?"},
		{"the backup alone", "10 up 20 down", "10 up 20 [down]"},
		{"both of the best", "10 down 10 down 20 up", "10 [down] 10 [down] 20 up"},
		{"both of the best, one not probed", "10 down 10 ? 20 up", "10 down 10 ? 20 up"},
		{"one of the best, and the backup", "10 [down] 10 up 20 down", "10 [down] 10 up 20 [down]"},
		{"three preferences, two down", "0 down 10 up 20 down", "0 [down] 10 up 20 [down]"},
		{"three preferences, the middle", "0 up 10 down 20 up", "0 up 10 [down] 20 up"},
		{"all of three preferences", "0 down 10 down 20 down open", "0 down 10 down 20 down open"},
		{"two of three", "10 [down] 10 [down] 10 up 20 ?", "10 [down] 10 [down] 10 up 20 ?"},
		{"drained beside one up", "10 [drained] 10 up", "10 [drained] 10 up"},
		{"drained beside one not known", "10 [drained] 10 ?", "10 [drained] 10 ?"},
		{"drained beside one down", "10 drained 10 down open", "10 drained 10 down open"},
		{"drained beside one down, a backup up", "10 drained 10 down 20 up", "10 [drained] 10 [down] 20 up"},
		{"drained alone, a backup unknown", "10 drained 20 ?", "10 drained 20 ?"},
		{"drained alone, a backup up", "10 drained 20 up", "10 [drained] 20 up"},
		{"drained does not justify", "10 down 10 [drained] 10 ?", "10 down 10 [drained] 10 ?"},
	} {
		for _, rule := range []struct {
			mail bool
			want string
		}{{true, tc.mail}, {false, tc.service}} {
			var priorities []uint16
			var of []standing
			words := strings.Fields(strings.NewReplacer("[", "", "]", "", " open", "").Replace(rule.want))
			for i := 0; i < len(words); i += 2 {
				n, _ := strconv.Atoi(words[i])
				priorities, of = append(priorities, uint16(n)), append(of, standings[words[i+1]])
			}
			var got []string
			hidden, open := hideTargets(rule.mail, priorities, of)
			for i := range of {
				word := words[2*i+1]
				if hidden[i] {
					word = "[" + word + "]"
				}
				got = append(got, words[2*i], word)
			}
			if open {
				got = append(got, "open")
			}
			if got := strings.Join(got, " "); got != rule.want {
				t.Errorf("%s, mail %v: %s, want %s", tc.name, rule.mail, got, rule.want)
			}
		}
	}
	if _, open := hideTargets(true, nil, nil); open {
		t.Error("no targets fail open")
	}
}

// TestKeepAddresses: which addresses of an RRset stay, of 192.0.2.0, 192.0.2.1 and so on.
func TestKeepAddresses(t *testing.T) {
	for _, tc := range []struct{ standings, want string }{
		{"up up", "0 1"},
		{"down up", "1"},
		{"up down down", "0"},
		{"down", "0"},
		{"down down", "0 1"},
		{"down ?", "0 1"},
		{"? down up", "0 2"},
	} {
		var rrset []dns.RR
		of := make(map[netip.Addr]standing)
		for i, word := range strings.Fields(tc.standings) {
			addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
			rrset, of[addr] = append(rrset, &dns.A{A: addr.AsSlice()}), standings[word]
		}
		var got []string
		for _, rr := range keepAddresses(rrset, func(rr dns.RR) standing { return of[addressOf(rr)] }) {
			got = append(got, strconv.Itoa(int(rr.(*dns.A).A[3])))
		}
		if got := strings.Join(got, " "); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.standings, got, tc.want)
		}
	}
}
