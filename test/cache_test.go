package test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestCacheBypass: cache keeps nothing of a zone in which mxsrv alone has a part: a change is seen at once, and glue is
// whole. In an overlay it keeps what it gets, which has glue for clients of any size.
func TestCacheBypass(t *testing.T) {
	dir := t.TempDir()
	definitions := func(first string) string {
		text := "mail @"
		for i := range 6 {
			text = fmt.Sprintf("host mx%[1]d %[3]s%[1]d 192.0.2.1%[1]d 2001:db8::%[1]d 2001:db8::1%[1]d\n%[2]s %[1]d mx%[1]d", i, text, first)
			first = "192.0.2.2"
		}
		return text + "\n"
	}
	write(t, filepath.Join(dir, "definitions.conf"), definitions("192.0.2.2"))
	s := start(t, dir, `example.org:1053 example.net:1053 {
    bind 127.0.0.1
    cache
    mxsrv example.org {
        authoritative {
            ns ns.example.com.
        }
    }
    mxsrv example.org example.net {
        file definitions.conf
        reload 100ms
    }
}`)
	glue := func(zone string, size uint16) int {
		m := query(t, zone+" MX")
		if size > 0 {
			m.SetEdns0(size, false)
		}
		n := 0
		for _, count := range countRRsets(s.ask(t, "udp", m).Extra) {
			n += count
		}
		return n
	}
	address := func(zone string) string { return format(s.ask(t, "udp", query(t, "mx0."+zone+" A"))) }

	small, old := glue("example.net", 0), address("example.net")
	if n := glue("example.net", 1232); n != small || n == 24 {
		t.Errorf("overlay: %d addresses at 1232 octets, want the %d of the first client", n, small)
	}
	if few, all := glue("example.org", 0), glue("example.org", 1232); few != small || all != 24 {
		t.Errorf("authoritative: %d addresses, and %d at 1232 octets, want %d and 24", few, all, small)
	}
	address("example.org")
	write(t, filepath.Join(s.Dir, "definitions.conf"), definitions("192.0.2.9"))
	eventually(t, s, "the new address is answered", func() bool { return strings.Contains(address("example.org"), "192.0.2.90") })
	if now := address("example.net"); now != old {
		t.Errorf("overlay: cache gave\n%s\nwant what it has kept\n%s", now, old)
	}
}
