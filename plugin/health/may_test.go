package health_test

import (
	"net/netip"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
)

// TestMayProbe: what fragments declare is probed inside the networks alone, and so is what is special.
func TestMayProbe(t *testing.T) {
	declared := definition.Merge(set(t, "Corefile", "host a 192.0.2.1 127.0.0.1 169.254.169.254 224.0.0.1 ::1 fe80::1"),
		set(t, "etcd:/x", "host a 192.0.2.1 192.0.2.2 198.51.100.1 127.0.0.2 255.255.255.255\nhost b 192.0.2.3"))
	index := declared.Index()
	fragment := func(source string) bool { return source == "etcd:/x" }
	for _, tc := range []struct {
		host, addr string
		networks   string
		may        bool
	}{
		{"a", "192.0.2.1", "", true},
		{"a", "192.0.2.2", "", false},
		{"a", "192.0.2.2", "192.0.2.0/24", true},
		{"a", "198.51.100.1", "192.0.2.0/24", false},
		{"b", "192.0.2.3", "", false},
		{"a", "127.0.0.1", "", false},
		{"a", "127.0.0.1", "127.0.0.1/32", true},
		{"a", "127.0.0.2", "127.0.0.1/32", false},
		{"a", "169.254.169.254", "", false},
		{"a", "224.0.0.1", "", false},
		{"a", "255.255.255.255", "", false},
		{"a", "::1", "127.0.0.0/8", false},
		{"a", "fe80::1", "", false},
		{"a", "192.0.2.9", "", false},
	} {
		var networks []netip.Prefix
		if tc.networks != "" {
			networks = append(networks, netip.MustParsePrefix(tc.networks))
		}
		host := index.At(definition.Name(tc.host + ".example.org."))
		if got := health.MayProbe(host, netip.MustParseAddr(tc.addr), networks, fragment); got != tc.may {
			t.Errorf("%s of %s in %s: %v, want %v", tc.addr, tc.host, tc.networks, got, tc.may)
		}
	}
	if !health.MayProbe(index.At("b.example.org."), netip.MustParseAddr("192.0.2.3"), nil, nil) {
		t.Error("without fragments something is one")
	}
}

func set(t *testing.T, source, text string) *definition.Set {
	t.Helper()
	set, errs := definition.Read(source, text, definition.Zones{"example.org."})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return set
}
