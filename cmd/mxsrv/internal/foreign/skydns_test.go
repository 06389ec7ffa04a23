package foreign

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// listed returns what etcdctl prints of lines KEY VALUE, the keys with "!" under a lease.
func listed(lines string) string {
	var l listing
	for line := range strings.Lines(lines) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		name := strings.TrimSuffix(key, "!")
		l.Kvs = append(l.Kvs, KeyValue{[]byte(name), []byte(value), int64(len(key) - len(name))})
	}
	text, _ := json.Marshal(map[string]any{"header": map[string]any{"revision": 7}, "kvs": l.Kvs})
	return string(text)
}

// TestSkyDNS: names are declared as they are answered, and what the language has not is listed.
func TestSkyDNS(t *testing.T) {
	text := listed(`
		/dns/org/example/_tcp/_ldap/a {"host":"192.0.2.1","port":389,"priority":5,"weight":60}
		/dns/org/example/_tcp/_ldap/b! {"host":"ldap.example.net","port":389}
		/dns/org/example/db/x1 {"host":"192.0.2.4","port":5432,"mail":true}
		/dns/org/example/dns/ns/a {"host":"192.0.2.9"}
		/dns/org/example/txt {"text":"one two"}
		/dns/org/example/www {"host":"web.example.net"}
		/dns/org/example/bad no JSON
		/dns/org/other/x {"host":"192.0.2.7"}
		/else/org/example/x {"host":"192.0.2.8"}`)
	r, err := Read("keys.json", text, Options{Zone: "example.org."})
	if err != nil || r.Kind != SkyDNS {
		t.Fatal(r, err)
	}
	var b strings.Builder
	if err := r.List(&b); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"host db 192.0.2.4", "host x1.db 192.0.2.4", "mail db 10 x1.db", "alias www web.example.net.",
		`record txt TXT "one two"`, "service _ldap._tcp { 5 60 389 a._ldap._tcp 10 100 389 ldap.example.net. }",
	} {
		if !strings.Contains(strings.Join(strings.Fields(b.String()), " "), line) {
			t.Errorf("no %q in\n%s", line, b.String())
		}
	}
	var lines []string
	for _, l := range slices.Concat(r.NotConverted, r.Changed) {
		lines = append(lines, l.String())
	}
	got := strings.Join(lines, "\n")
	for _, line := range []string{
		`etcd:/dns/org/example/bad:1: "/dns/org/example/bad": the value is not what the etcd plugin of CoreDNS reads`,
		`etcd:/dns/org/example/_tcp/_ldap/b:1: "/dns/org/example/_tcp/_ldap/b": its lease ends it and bounds its TTL`,
		`etcd:/dns/org/example/db:1: "/dns/org/example/db": its SRV records are dropped: a service is named _SERVICE._PROTO.DOMAIN`,
		`etcd:/dns/org/example:1: "/dns/org/example": its NS records are for the Corefile: write authoritative { ns a.ns.dns.example.org. }`,
	} {
		if !strings.Contains(got, line) {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
	if strings.Contains(b.String(), "192.0.2.7") || strings.Contains(b.String(), "192.0.2.8") {
		t.Errorf("keys of elsewhere are in\n%s", b.String())
	}
	if err := lint.Err(lint.Check(r.Set.Index(), nil, lint.Options{Zones: r.Zones})); err != nil {
		t.Error(err)
	}
}

// TestSkyDNSPath: where the same labels are below two paths, the path says which are meant; without one the first key does.
func TestSkyDNSPath(t *testing.T) {
	text := listed(`
		/skydns/net/org/example/a {"host":"192.0.2.1"}
		/skydns/org/example/b {"host":"192.0.2.2"}`)
	for path, want := range map[string]string{
		"": "a.example.org.", "/skydns/net/": "a.example.org.", "/skydns/": "b.example.org.", "/else/": "",
	} {
		r, err := Read("keys.json", text, Options{Zone: "example.org.", Path: path})
		switch {
		case want == "" && (err == nil || !strings.HasSuffix(err.Error(), "no key is that of a name in example.org.")):
			t.Errorf("%s: %v", path, err)
		case want != "" && (err != nil || !r.Set.Owners()[definition.Name(want)] || len(r.Set.Hosts) != 2):
			t.Errorf("%s: %v, want %s and the apex", path, r, want)
		}
	}
}

// TestSkyDNSErrors: what cannot be read at all.
func TestSkyDNSErrors(t *testing.T) {
	_, err := Read("keys.json", listed(`/skydns/org/example/a {"host":"192.0.2.1"}`), Options{})
	if !errors.Is(err, ErrNoZone) {
		t.Error(err)
	}
	for text, want := range map[string]string{
		`{"kvs":[{"key":7}]}`:                                `write what "etcdctl get --prefix -w json /skydns" prints`,
		listed(`/skydns/org/example/a {"host":"192.0.2.1"}`): "keys.json: no key is that of a name in example.net.",
	} {
		if _, err := Read("keys.json", text, Options{Zone: "example.net."}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
