package answer

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"
)

// BenchmarkOrder compares answers in a new order with the same in the fixed one: on the way from the plugin to the
// packed reply, as messages, and what the order alone takes.
func BenchmarkOrder(b *testing.B) {
	for _, n := range []int{2, 6, 40} {
		for _, order := range []string{"fixed", "weighted"} {
			l := workload{definitions: "order " + order + "\n" + service(n), question: "_ldap._tcp.example.org. SRV", edns: 4096}
			for form, packing := range map[string]packing{"packed": asFirst, "message": never} {
				b.Run(fmt.Sprintf("%d/%s/%s", n, form, order), func(b *testing.B) {
					h, r, w := l.handler(b), l.query(), newClient(b, false)
					h.chain.packing = packing
					b.ReportAllocs()
					for b.Loop() {
						l.ask(b, h, w, r)
					}
				})
			}
		}
		b.Run(fmt.Sprintf("%d/alone", n), func(b *testing.B) {
			_, a := newServer(b, service(n), nil).table.Lookup("_ldap._tcp.example.org.", dns.TypeSRV)
			s, room := seeded(1), make([]dns.RR, 2*n)
			b.ReportAllocs()
			for b.Loop() {
				s.order(&a, room)
			}
		})
	}
}
