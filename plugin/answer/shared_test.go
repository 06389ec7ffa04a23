package answer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// many returns names that are so many that they share their records, but for the first ones.
func many(format string) string {
	var names strings.Builder
	for i := range 80 {
		fmt.Fprintf(&names, " "+format, i)
	}
	return names.String()
}

var sharing = "host mx1 192.0.2.1" + many("\nhost h%d 192.0.2.2") + "\nmail mx 10 h79\n" +
	"record" + many("t%d") + " TXT a b\nrecord" + many("_25._tcp.h%d") + " TLSA 3 1 1 00\n" +
	"alias" + many("a%d") + " mx1\nalias" + many("v%d") + " t79\n"

// TestShared: a name that shares its records with others is answered as one that does not, packed or as a message, but
// for the name.
func TestShared(t *testing.T) {
	for _, chain := range []packing{asFirst, never} {
		h := newServer(t, sharing, nil, "example.org.")
		h.chain.packing = chain
		answer := func(question string, number int) string {
			r, c := query(fmt.Sprintf(question, number)), newClient(t, false)
			if rcode, err := h.ServeDNS(t.Context(), request.NewScrubWriter(r, c.ResponseWriter), r); err != nil || rcode != 0 {
				t.Fatalf("rcode %d, %v", rcode, err)
			}
			m := c.message(t)
			m.Id = 0
			name, _, _ := strings.Cut(fmt.Sprintf(question, number), " ")
			return strings.ReplaceAll(m.String(), name, "NAME")
		}
		for _, question := range []string{
			"t%d.example.org. TXT", "t%d.example.org. ANY", "_25._tcp.h%d.example.org. TLSA",
			"a%d.example.org. A", "a%d.example.org. CNAME", "a%d.example.org. AAAA", "a%d.example.org. TXT",
			"v%d.example.org. TXT",
		} {
			first, last := answer(question, 0), answer(question, 79)
			if first != last || !strings.Contains(last, "\nNAME\t3600") {
				t.Errorf("%s: shared\n%s\nalone\n%s", question, last, first)
			}
		}
	}
}

// TestSharedTXTOfBoth: TXT records of the next plugin come to those that names share.
func TestSharedTXTOfBoth(t *testing.T) {
	for name, want := range map[string]string{
		"t79": `NOERROR aa | t79 300 "a" "b" | t79 300 "theirs"`,
		"v79": `NOERROR aa | v79 3600 t79.example.org. | t79 300 "a" "b" | t79 300 "theirs"`,
	} {
		next := &txtNext{answers: []string{"t79.example.org. 300 TXT theirs"}, written: map[*dns.Msg]string{}}
		_, res, err := ask(t, newServer(t, sharing, next), query(name+".example.org. TXT"))
		if got := shown(res); got != want || err != nil {
			t.Errorf("%s, %v\nwant %s", got, err, want)
		}
	}
	next := &txtNext{written: map[*dns.Msg]string{}}
	if ask(t, newServer(t, sharing, next, "example.org."), query("t79.example.org. TXT")); len(next.asked) > 0 {
		t.Error("the next plugin is asked for a name in an authoritative zone")
	}
}

// TestSharedTLSA: TLSA records that hosts share are glue.
func TestSharedTLSA(t *testing.T) {
	d := newDnssec(t, "example.org.")
	core, c := newServer(t, sharing, nil, "example.org.").after(t, d), newClient(t, false)
	core.ServeDNS(t.Context(), c.ResponseWriter, query("mx.example.org. MX").SetEdns0(4096, true))
	if got := extra(c.message(t)); got != "h79 A, _25._tcp.h79 TLSA" {
		t.Error(got)
	}
}
