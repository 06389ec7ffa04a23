package definition

import (
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
)

// apexes reads lines that are all blocks of authoritative, in two zones unless it is told others.
func apexes(t *testing.T, text string, zones ...Name) ([]Apex, Errors) {
	t.Helper()
	d := caddyfile.NewDispenser("Corefile", strings.NewReader(text))
	lines, errs := Statements(&d)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if zones == nil {
		zones = Zones{"example.org.", "example.com."}
	}
	r := NewReader(zones)
	for _, l := range lines {
		r.Authoritative(l, zones)
	}
	set, errs := r.Set()
	return set.Apexes, errs
}

func TestContact(t *testing.T) {
	for _, tc := range []struct{ contact, want string }{
		{"hostmaster", "hostmaster.example.org."},
		{"hostmaster.example.net.", "hostmaster.example.net."},
		{"@", "example.org."},
		{"Hostmaster@Example.NET", "hostmaster.example.net."},
		{"jane.doe@example.net.", `jane\.doe.example.net.`},
		{`jane\.doe.example.net.`, `jane\.doe.example.net.`},
		{`jane\.doe`, `jane\.doe.example.org.`},
		{"dns+ops@example.net", "dns+ops.example.net."},
		{"a b@example.net", ""},
		{"jane@", ""},
		{"jane@ex..ample", ""},
		{"böse@example.net", ""},
		{strings.Repeat("a", 63) + "@example.net", strings.Repeat("a", 63) + ".example.net."},
		{strings.Repeat("a", 64) + "@example.net", ""},
	} {
		all, errs := apexes(t, "authoritative {\nns a\ncontact \""+strings.ReplaceAll(tc.contact, `"`, "")+"\"\n}")
		if failed := len(errs) > 0; failed != (tc.want == "") {
			t.Errorf("%q: %v, want %q", tc.contact, errs, tc.want)
			continue
		}
		if tc.want != "" && all[0].Contact != tc.want {
			t.Errorf("%q is %q, want %q", tc.contact, all[0].Contact, tc.want)
		}
	}
}

// TestApex: what is written, what is taken where nothing is, and each zone its own.
func TestApex(t *testing.T) {
	all, errs := apexes(t, "authoritative {\nns ns2 ns1.example.net. ns2\nttl 5m\nrefresh 1h\nretry 60\nexpire 336h\nnegative 0\n}")
	if len(errs) > 0 || len(all) != 2 {
		t.Fatal(all, errs)
	}
	a := all[1]
	if a.Zone != "example.com." || len(a.Servers) != 2 || a.Servers[0].Host != "ns2.example.com." || a.Servers[1].Host != "ns1.example.net." ||
		a.TTL != (TTL{300, true}) || a.Refresh != 3600 || a.Retry != 60 || a.Expire != 1209600 || a.Negative != 0 {
		t.Errorf("%+v", a)
	}
	all, _ = apexes(t, "authoritative {\nns a\n}")
	if a := all[0]; a.Contact != "hostmaster.example.org." || a.TTL.Seconds != DefaultTTL || a.Refresh != 7200 || a.Retry != 1800 || a.Expire != 1209600 || a.Negative != 60 {
		t.Errorf("%+v", a)
	}
	if a := all[0]; a.MName() != "a.example.org." || a.ServerTTL() != DefaultTTL {
		t.Errorf("%s, %d", a.MName(), a.ServerTTL())
	}
	all, _ = apexes(t, "authoritative {\nns a {\nttl 1d\n}\nns b\nttl 5m\nprimary hidden\n}")
	if a := all[0]; a.MName() != "hidden.example.org." || a.ServerTTL() != 86400 || a.TTL.Seconds != 300 || len(a.Servers) != 2 {
		t.Errorf("%+v", a)
	}
}

// TestApexMistakes: what is wrong with a block of authoritative.
func TestApexMistakes(t *testing.T) {
	const form = "write ns NAME..., primary NAME, contact NAME, ttl TTL, or refresh, retry, expire or negative with a duration"
	for _, tc := range []struct{ text, want string }{
		{"authoritative", "Corefile:1: usage: authoritative { ns NAME... }"},
		{"authoritative a {\n}", "Corefile:1: usage: authoritative { ns NAME... }"},
		{"authoritative {\nttl 60\n}", "Corefile:1: a zone needs a name server: write ns NAME... in this block"},
		{"authoritative {\nns a\nns .\n}", `Corefile:3: "." is no host: write the name of one`},
		{"authoritative {\nns a 192.0.2.1\n}", `Corefile:2: "192.0.2.1" is an address: declare it with "host NAME 192.0.2.1" and write the name`},
		{"authoritative {\nns 192.0.2.53\n}", `Corefile:2: "192.0.2.53" is an address: declare it with "host NAME 192.0.2.53" and write the name`},
		{"authoritative {\nns a\nns\n}", `Corefile:3: "ns": ` + form},
		{"authoritative {\nns a {\nttl 60\n}\nns b {\nttl 50\n}\n}", `Corefile:5: a second ttl of the name servers: write one`},
		{"authoritative {\nns a {\nsrv\n}\n}", `Corefile:3: "srv": write ttl TTL, or nothing, in the block of ns`},
		{"authoritative {\nns a\nprimary\n}", `Corefile:3: "primary": ` + form},
		{"authoritative {\nns a\nprimary 192.0.2.1\n}", `Corefile:3: "192.0.2.1" is an address: declare it with "host NAME 192.0.2.1" and write the name`},
		{"authoritative {\nns a\nrefresh 1 2\n}", `Corefile:3: "refresh 1 2": ` + form},
		{"authoritative {\nns a\nrefresh often\n}", `Corefile:3: refresh "often": write seconds, or a duration like 1h30m or 1d`},
		{"authoritative {\nns a\nserial 1\n}", `Corefile:3: "serial 1": ` + form},
		{"authoritative {\nns a\nttl\n}", "Corefile:3: usage: ttl SECONDS, or a duration like 1h30m or 1d"},
		{"authoritative {\nns a\ncontact a..b\n}", `Corefile:3: contact "a..b" has an empty label: write one dot between labels`},
	} {
		if _, errs := apexes(t, tc.text); errs.Error() != tc.want {
			t.Errorf("%q: %v\nwant %s", tc.text, errs, tc.want)
		}
	}
}
