package definition

import (
	"net/netip"
	"testing"
)

// TestNewProbe: probes that ask the same of the same server are equal.
func TestNewProbe(t *testing.T) {
	const host = Name("a.example.org.")
	addr := netip.MustParseAddrPort("192.0.2.1:443")
	named := Check{Protocol: CheckHTTPS, Path: "/", Name: "b.example.org."}
	for _, tc := range []struct {
		name  string
		addr  string
		check Check
		want  Probe
		text  string
	}{
		{"tcp", "192.0.2.1:443", Check{Protocol: CheckTCP}, Probe{addr, Check{Protocol: CheckTCP}, ""}, "192.0.2.1:443 (tcp)"},
		{"mapped", "[::ffff:192.0.2.1]:443", Check{Protocol: CheckSMTP}, Probe{addr, Check{Protocol: CheckSMTP}, ""},
			"192.0.2.1:443 (smtp)"},
		{"host", "192.0.2.1:443", Check{Protocol: CheckTLS}, Probe{addr, Check{Protocol: CheckTLS}, host},
			"192.0.2.1:443 (tls) of a.example.org."},
		{"name of the check", "192.0.2.1:443", named, Probe{addr, named, "b.example.org."},
			"192.0.2.1:443 (https / b.example.org.)"},
	} {
		got := NewProbe(netip.MustParseAddrPort(tc.addr), tc.check, host)
		if got != tc.want || got.String() != tc.text {
			t.Errorf("%s: %+v %q, want %+v %q", tc.name, got, got, tc.want, tc.text)
		}
	}
}

// TestCommonCheck: of several declarations the first that says a check counts, for the service of a mail domain too.
func TestCommonCheck(t *testing.T) {
	tcp, smtp := Check{Protocol: CheckTCP}, Check{Protocol: CheckSMTP}
	mail := func(c *Check) Mail {
		return Mail{Head: Head{Owner: "example.org."}, Exchanges: []Exchange{{Host: "a.example.org."}}, SRV: true, Check: c}
	}
	set := Set{Mails: []Mail{mail(nil), mail(&smtp), mail(&tcp)}}
	x := set.Index()
	if got := x.At("example.org.").MailCheck(); got != smtp {
		t.Errorf("the domain has %q, want %q", got, smtp)
	}
	if got := x.At("_smtp._tcp.example.org.").ServiceCheck(); got != smtp {
		t.Errorf("the service has %q, want %q", got, smtp)
	}
}
