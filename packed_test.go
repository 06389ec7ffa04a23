package mxsrv

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// TestPackedLen: the length of an answer is what miekg/dns says, which makes it
// so long.
func TestPackedLen(t *testing.T) {
	targets := func(format string, n int) string {
		var lines []string
		for i := range n {
			lines = append(lines, fmt.Sprintf(format, i))
		}
		return strings.Join(lines, "\n")
	}
	long := strings.Repeat("a.", 100)
	for _, tc := range []struct{ name, question, answer string }{
		{"exchange", "example.org.", "example.org. MX 10 mx1.example.org."},
		{"mixed case", "eXample.oRg.", "example.org. MX 10 mx1.example.org."},
		{"mixed case in front", "eXample.org.", "example.org. MX 10 mx1.example.org.\nexample.org. MX 10 mx2.example.org."},
		{"exchange is the owner", "example.org.", "example.org. MX 10 example.org."},
		{"exchange above the owner", "a.example.org.", "a.example.org. MX 10 example.org."},
		{"exchange twice", "example.org.", "example.org. MX 10 mx.example.com.\nexample.org. MX 20 mx.example.com."},
		{"exchange below another", "example.org.", "example.org. MX 10 mx.example.com.\nexample.org. MX 20 a.mx.example.com."},
		{"half a label in common", "example.org.", "example.org. MX 10 mxexample.org.\nexample.org. MX 20 sample.org.\nexample.org. MX 30 xorg."},
		{"nothing in common", "example.org.", "example.org. MX 10 mx.example.net.\nexample.org. MX 20 mx."},
		{"null MX", "example.org.", "example.org. MX 0 ."},
		{"the root", ".", ". MX 10 mx.example.org.\n. MX 20 mx2.example.org."},
		{"many exchanges", "example.org.", targets("example.org. MX 10 mx%d.example.org.", 40)},
		{"too many for pointers", "example.org.", targets("example.org. SRV 0 0 1 "+long+"t%d.example.org.", 100)},
		{"services", "_ldap._tcp.example.org.", targets("_ldap._tcp.example.org. SRV 0 0 1 t%d.example.org.", 40)},
		{"service in mixed case", "_LDAP._tcp.example.org.", targets("_ldap._tcp.example.org. SRV 0 0 1 t%d.example.org.", 2)},
		{"not offered", "_ldap._tcp.example.org.", "_ldap._tcp.example.org. SRV 0 0 0 ."},
		{"name servers", "example.org.", "example.org. NS ns1.example.org.\nexample.org. NS ns2.example.net."},
		{"alias", "www.example.org.", "www.example.org. CNAME example.com.\nexample.com. MX 10 mx.example.com.\nexample.com. MX 20 mx.example.org."},
		{"alias of the root", "www.example.org.", "www.example.org. CNAME .\n. MX 10 mx.example.com."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := new(dns.Msg).SetQuestion(tc.question, dns.TypeMX)
			m.Compress = true
			for line := range strings.Lines(tc.answer) {
				m.Answer = append(m.Answer, rr(t, line))
			}
			if got, want := packedLen(m), m.Len(); got != want {
				t.Errorf("%d octets, want %d", got, want)
			}
		})
	}
}

// FuzzBeforeCommon: what is left of a name is what miekg/dns leaves of it.
func FuzzBeforeCommon(f *testing.F) {
	f.Add("mx.example.org", "example.org")
	f.Add("mxexample.org", "example.org")
	f.Fuzz(func(t *testing.T, name, other string) {
		name, other = dns.Fqdn(name), dns.Fqdn(other)
		for _, n := range []string{name, other} {
			if _, ok := dns.IsDomainName(n); !ok || strings.Contains(n, `\`) || n == "." {
				t.Skip()
			}
		}
		m := &dns.Msg{Compress: true, Question: []dns.Question{{Name: other}, {Name: name}}}
		want := m.Len() - headerLen - nameLen(other) - 2*questionLen
		var list nameList
		list.add(other)
		if got := list.add(name); got != want {
			t.Errorf("%q after %q: %d octets, want %d", name, other, got, want)
		}
	})
}

// TestTrim: at each size there is every RRset of glue that fits behind those before
// it, as miekg/dns measures the message.
func TestTrim(t *testing.T) {
	for _, l := range workloads() {
		h, r := l.handler(t), l.query()
		q := r.Question[0]
		_, a := h.table.Load().Lookup(canonical(q.Name), q.Qtype)
		if len(a.Glue) == 0 {
			continue
		}
		for size := dns.MinMsgSize; size < 2*dns.MinMsgSize; size++ {
			got, want := newReply(r), newReply(r)
			got.Answer, want.Answer, want.Compress = a.RRs, a.RRs, true
			trim(got, a.Glue, size, 0)
			for i, end := 0, 0; i < len(a.Glue); i = end {
				end = rrsetEnd(a.Glue, i)
				before := want.Extra
				want.Extra = slices.Concat(before, a.Glue[i:end])
				if want.Len() > size {
					want.Extra = before
				}
			}
			if !slices.Equal(got.Extra, want.Extra) || cap(got.Extra) != len(got.Extra) {
				t.Fatalf("%s, %d octets: %d addresses of room for %d, want %d", l.name, size, len(got.Extra), cap(got.Extra), len(want.Extra))
			}
		}
	}
}
