package test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// reverseCorefile has hosts in the Corefile, in a file and in etcd, and the reverse zones of their addresses; beside it
// the same hosts are in the hosts plugin.
const reverseCorefile = `example.org:1053 192.0.2.0/24:1053 2001:db8::/32:1053 {
    bind 127.0.0.1
    mxsrv {
        authoritative {
            ns ns1 ns2.example.net.
        }
        host ns1 192.0.2.53
        host mx1 192.0.2.10 2001:db8::10 198.51.100.10
        host web1 192.0.2.80
        host web2 192.0.2.80
        file hosts.conf
        etcd %s
    }
    transfer {
        to *
    }
}
.:1054 {
    bind 127.0.0.1
    hosts {
        192.0.2.53 ns1.example.org
        192.0.2.10 mx1.example.org
        2001:db8::10 mx1.example.org
        192.0.2.80 web1.example.org
        192.0.2.80 web2.example.org
        192.0.2.20 db1.example.org
        192.0.2.30 app1.example.org
    }
}
`

// dig returns the names of an address, sorted, as dig -x asks for them.
func dig(t *testing.T, addr, of string) []string {
	t.Helper()
	host, port, _ := strings.Cut(addr, ":")
	out, err := exec.Command(rig.Peer(t, "dig"), "@"+host, "-p", port, "+short", "+time=5", "-x", of).CombinedOutput()
	if err != nil {
		t.Fatalf("dig -x %s: %v\n%s", of, err, out)
	}
	names := strings.Fields(string(out))
	slices.Sort(names)
	return names
}

// TestReverse: dig -x finds the hosts of an address wherever they are declared, as the hosts plugin answers, and after
// each change; so do secondaries.
func TestReverse(t *testing.T) {
	c := startCluster(t)
	c.do(put("app1", "host app1 192.0.2.30"))
	dir := t.TempDir()
	write(t, filepath.Join(dir, "hosts.conf"), "host db1 192.0.2.20\n")
	s := start(t, dir, fmt.Sprintf(reverseCorefile, c.endpoints()))
	for _, addr := range []string{"192.0.2.53", "192.0.2.10", "2001:db8::10", "192.0.2.80", "192.0.2.20", "192.0.2.30", "192.0.2.99"} {
		got, want := dig(t, s.addr, addr), dig(t, s.at[":1054"], addr)
		if !slices.Equal(got, want) || (len(want) == 0) != (addr == "192.0.2.99") {
			t.Errorf("dig -x %s: %q, want %q as from hosts", addr, got, want)
		}
	}
	check(t, s, `
> 10.2.0.192.in-addr.arpa PTR
10.2.0.192.in-addr.arpa. 3600 IN PTR mx1.example.org.
> 10.2.0.192.in-addr.arpa A
; authority
2.0.192.in-addr.arpa. SOA
> 99.2.0.192.in-addr.arpa PTR
; NXDOMAIN
; authority
2.0.192.in-addr.arpa. SOA
# an empty non-terminal
> 0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR
; authority
8.b.d.0.1.0.0.2.ip6.arpa. SOA
`)
	follows := func(addr string, want ...string) {
		t.Helper()
		eventually(t, s, fmt.Sprintf("%s is %q", addr, want), func() bool { return slices.Equal(dig(t, s.addr, addr), want) })
	}
	before := serialOf(t, s, "2.0.192.in-addr.arpa")
	c.do(put("app2", "host app2 192.0.2.30"))
	follows("192.0.2.30", "app1.example.org.", "app2.example.org.")
	if now := serialOf(t, s, "2.0.192.in-addr.arpa"); now <= before {
		t.Errorf("serial %d, want more than %d", now, before)
	}
	c.do(put("app2", "host app2 192.0.2.30 {\n ptr\n}"))
	follows("192.0.2.30", "app2.example.org.")
	c.do(del("app2"))
	follows("192.0.2.30", "app1.example.org.")
	write(t, filepath.Join(s.Dir, "hosts.conf"), "host db1 192.0.2.21\nhost db2 192.0.2.22\n")
	follows("192.0.2.21", "db1.example.org.")
	follows("192.0.2.20")

	var transferred []string
	for _, rr := range zoneOf(t, s, "2.0.192.in-addr.arpa.") {
		if ptr, ok := rr.(*dns.PTR); ok {
			transferred = append(transferred, strings.TrimSuffix(ptr.Hdr.Name, ".2.0.192.in-addr.arpa.")+" "+ptr.Ptr)
		}
	}
	want := []string{"10 mx1.example.org.", "21 db1.example.org.", "22 db2.example.org.", "30 app1.example.org.",
		"53 ns1.example.org.", "80 web1.example.org.", "80 web2.example.org."}
	slices.Sort(transferred)
	if !slices.Equal(transferred, want) {
		t.Errorf("transferred %q, want %q", transferred, want)
	}
}

// TestReverseOverlay: addresses without a host are the next plugin's, of networks off the boundary of an octet too.
func TestReverseOverlay(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "db.reverse"), `$ORIGIN 2.0.192.in-addr.arpa.
@ 300 IN SOA ns.example.net. hostmaster.example.net. 1 2 3 4 5
129 300 IN PTR next.example.net.
130 300 IN PTR next.example.net.
`)
	s := start(t, dir, `example.org:1053 192.0.2.0/24:1053 {
    bind 127.0.0.1
    mxsrv example.org 192.0.2.128/26 {
        host mx1 192.0.2.130 192.0.2.10 {
            ttl 5m
        }
    }
    file db.reverse 2.0.192.in-addr.arpa
}
`)
	check(t, s, `
> 130.2.0.192.in-addr.arpa PTR
130.2.0.192.in-addr.arpa. 300 IN PTR mx1.example.org.
> 129.2.0.192.in-addr.arpa PTR
129.2.0.192.in-addr.arpa. 300 IN PTR next.example.net.
# in the zone of the next plugin alone
> 10.2.0.192.in-addr.arpa PTR
; NXDOMAIN
; authority
2.0.192.in-addr.arpa. SOA
`)
}

// TestReverseClassless: what a provider delegates by aliases (RFC 2317) is found through these.
func TestReverseClassless(t *testing.T) {
	s := start(t, t.TempDir(), `example.org:1053 128/26.2.0.192.in-addr.arpa:1053 2.0.192.in-addr.arpa:1053 {
    bind 127.0.0.1
    mxsrv example.org 128/26.2.0.192.in-addr.arpa {
        authoritative {
            ns ns1
        }
        host ns1 192.0.2.130
    }
    mxsrv 2.0.192.in-addr.arpa {
        authoritative {
            ns ns1.example.org.
            contact hostmaster@example.org
        }
        alias 130.2.0.192.in-addr.arpa. 131.2.0.192.in-addr.arpa. 130.128/26.2.0.192.in-addr.arpa.
        record 5.2.0.192.in-addr.arpa. PTR printer.example.org.
    }
}
`)
	check(t, s, `
> 130.2.0.192.in-addr.arpa PTR
130.2.0.192.in-addr.arpa. 3600 IN CNAME 130.128/26.2.0.192.in-addr.arpa.
130.128/26.2.0.192.in-addr.arpa. 3600 IN PTR ns1.example.org.
> 5.2.0.192.in-addr.arpa PTR
5.2.0.192.in-addr.arpa. 3600 IN PTR printer.example.org.
> 2.0.192.in-addr.arpa NS
2.0.192.in-addr.arpa. 3600 IN NS ns1.example.org.
; additional
ns1.example.org. 3600 IN A 192.0.2.130
`)
}
