package corefile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
)

// read reads stanzas in the zone example.org, relative to /etc/coredns.
func read(text string) *Block {
	d := caddyfile.NewDispenser("Corefile", strings.NewReader(text))
	return Read(&d, Env{Root: "/etc/coredns", Keys: []string{"example.org."}, Origins: plugin.OriginsFromArgsOrServerBlock})
}

// TestEtcd: what is said of etcd, and what is taken where nothing is said.
func TestEtcd(t *testing.T) {
	b := read(`mxsrv example.com {
	etcd https://192.0.2.1:2379 https://[2001:db8::1]:2379 {
		prefix /dns
		credentials coredns secret
		snapshot last-good
		timeout 1s
	}
}
mxsrv {
	authoritative {
		ns ns1.example.net.
	}
}`)
	if len(b.Errs) > 0 || len(b.Etcds) != 1 || len(b.Sources()) != 2 {
		t.Fatalf("%d mistakes, %d etcds, %d sources, want 0, 1 and 2: %v", len(b.Errs), len(b.Etcds), len(b.Sources()), b.Errs)
	}
	e, c := b.Etcds[0], b.Etcds[0].Config
	if e.Pos.String() != "Corefile:2" || e.Zones[0] != "example.com." || e.Snapshot != "/etc/coredns/last-good" {
		t.Errorf("%v: zones %v, snapshot %s", e.Pos, e.Zones, e.Snapshot)
	}
	if path, pos := b.SerialsFile(); path != "/etc/coredns/last-good.serials" || pos != e.Pos {
		t.Errorf("serials are in %s of %v, want them beside the snapshot", path, pos)
	}
	if c.Prefix != "/dns/" || c.Username != "coredns" || c.Password != "secret" || c.Timeout != time.Second || c.TLS != nil {
		t.Errorf("%+v", c)
	}
	if want := "etcd https://192.0.2.1:2379,https://[2001:db8::1]:2379/dns/"; e.String() != want {
		t.Errorf("it is called %q, want %q", e, want)
	}
	b = read("mxsrv {\n etcd 192.0.2.2:2379\n}")
	e, c = b.Etcds[0], b.Etcds[0].Config
	if c.Prefix != "/mxsrv/" || c.Timeout != 5*time.Second || e.Snapshot != "" || e.Zones[0] != "example.org." {
		t.Errorf("prefix %s, timeout %v, snapshot %q, zones %v are the defaults", c.Prefix, c.Timeout, e.Snapshot, e.Zones)
	}
}

// TestEtcdSkyDNS: a tree of the etcd plugin alone, or beside fragments.
func TestEtcdSkyDNS(t *testing.T) {
	for _, tc := range []struct{ name, lines, want string }{
		{"alone", "skydns /skydns\n snapshot last", "a:1/skydns/ in /etc/coredns/last"},
		{"as the etcd plugin takes it", "skydns skydns/", "a:1/skydns/ in "},
		{"beside fragments", "prefix /dns\n snapshot last\n skydns /skydns",
			"a:1/dns/ in /etc/coredns/last, a:1/skydns/ in /etc/coredns/last.skydns"},
		{"beside those of an allow", "skydns /skydns\n allow x y", "a:1/mxsrv/ in , a:1/skydns/ in "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := read("mxsrv {\n etcd a:1 {\n " + tc.lines + "\n }\n}")
			var got []string
			for _, e := range b.Etcds {
				got = append(got, e.Config.String()+" in "+e.Snapshot)
				if isTree := e != b.Fragments(); isTree != (e.Tree != nil) {
					t.Errorf("%v: of a tree: %v", e, isTree)
				}
			}
			if text := strings.Join(got, ", "); text != tc.want || len(b.Errs) > 0 {
				t.Errorf("%s, %v, want %s", text, b.Errs, tc.want)
			}
		})
	}
}

// TestEtcdAllow: which keys may declare which names, wherever the prefix stands.
func TestEtcdAllow(t *testing.T) {
	b := read(`mxsrv 2.0.192.in-addr.arpa
mxsrv example.org example.com {
	etcd 192.0.2.1:2379 {
		allow customers/anna anna ben.example.com. Anna.example.org. 192.0.2.8/31
		prefix /dns
		allow /ops/ @
		allow / x
	}
}`)
	want := "[{/dns/customers/anna [anna.example.org. anna.example.com. ben.example.com. anna.example.org. 8.2.0.192.in-addr.arpa. 9.2.0.192.in-addr.arpa.]}" +
		" {/dns/ops/ [example.org. example.com.]} {/dns/ [x.example.org. x.example.com.]}]"
	if got := fmt.Sprint(b.Allow); got != want || len(b.Errs) > 0 {
		t.Errorf("%v, %v\nwant %s", got, b.Errs, want)
	}
}

// TestEtcdTLS: endpoints without a scheme are not asked in the clear.
func TestEtcdTLS(t *testing.T) {
	b := read("mxsrv {\n etcd 192.0.2.1:2379 {\n tls\n }\n}")
	if c := b.Etcds[0].Config; len(b.Errs) > 0 || c.TLS == nil || c.Endpoints[0] != "https://192.0.2.1:2379" {
		t.Errorf("endpoint %s, TLS %v, %v", c.Endpoints[0], c.TLS, b.Errs)
	}
}

// TestEtcdMistakes: the error of each.
func TestEtcdMistakes(t *testing.T) {
	for _, tc := range []struct{ name, etcd, want string }{
		{"no endpoint", "etcd", "2: usage: etcd ENDPOINT..."},
		{"no endpoint but a block", "etcd {\n timeout 1s\n}", "2: usage: etcd ENDPOINT..."},
		{"no port", "etcd 192.0.2.1", `2: endpoint "192.0.2.1": write HOST:PORT, or a URL like http://192.0.2.1:2379`},
		{"another scheme", "etcd ldap://192.0.2.1:2379", `2: endpoint "ldap://192.0.2.1:2379": write HOST:PORT`},
		{"more than an endpoint", "etcd http://192.0.2.1:2379/mxsrv", `2: endpoint "http://192.0.2.1:2379/mxsrv": write HOST:PORT`},
		{"a password in it", "etcd http://a:b@192.0.2.1:2379", `2: endpoint "http://a:xxxxx@192.0.2.1:2379": write credentials`},
		{"both schemes", "etcd http://192.0.2.1:2379 https://192.0.2.2:2379", "2: endpoints with and without TLS: write http:// or https:// before all of them"},
		{"two", "etcd a:1\netcd b:1", "3: a second etcd: write all members of one cluster in one line, and another cluster in another server block"},
		{"misspelled word", "etcd a:1 {\n prefx b\n}", `3: unknown word "prefx": write prefix`},
		{"comment of a zone file", "etcd a:1 {\n prefix b ;c\n}", `3: ";c": write "#" before a comment`},
		{"unknown word", "etcd a:1 {\n user b\n}", `3: unknown word "user": write one of allow, credentials, prefix, skydns, snapshot, timeout, tls`},
		{"no path", "etcd a:1 {\n skydns /\n}", `3: skydns "/": write the path of the etcd plugin, like /skydns`},
		{"two places of one", "etcd a:1 {\n prefix /a\n skydns /a/b\n}", "2: skydns /a/b/ and prefix /a/: one is below the other"},
		{"no prefix", "etcd a:1 {\n prefix\n}", "3: usage: prefix PREFIX"},
		{"a block in it", "etcd a:1 {\n prefix a {\n x\n }\n}", "3: usage: prefix PREFIX"},
		{"no password", "etcd a:1 {\n credentials a\n}", "3: usage: credentials USERNAME PASSWORD"},
		{"an empty password", "etcd a:1 {\n credentials a \"\"\n}", "3: credentials: the user name or the password is empty: write both"},
		{"no file", "etcd a:1 {\n tls nosuch\n}", "3: tls: open /etc/coredns/nosuch: no such file or directory: write [CERT KEY] [CACERT], the paths of files in PEM form"},
		{"four files", "etcd a:1 {\n tls a b c d\n}", "3: usage: tls [CERT KEY] [CACERT]"},
		{"no snapshot", "etcd a:1 {\n snapshot\n}", "3: usage: snapshot PATH"},
		{"no timeout", "etcd a:1 {\n timeout\n}", "3: usage: timeout DURATION"},
		{"timeout without a unit", "etcd a:1 {\n timeout 5\n}", `3: duration "5": write one of at least 100ms, like 5s`},
		{"allow without a name", "etcd a:1 {\n allow anna\n}", "3: usage: allow KEYPREFIX NAME..."},
		{"allow a name elsewhere", "etcd a:1 {\n allow anna b example.net.\n}", "3: allow: example.net. is in none of the zones: write a name that is, or @ for all names"},
		{"allow a name that is none", "etcd a:1 {\n allow anna b..c\n}", `3: allow: "b..c" has an empty label: write one dot between labels`},
		{"allow a network", "etcd a:1 {\n allow anna b 192.0.2.1/24\n}", "3: allow: 192.0.2.1/24 has bits of a host: write 192.0.2.0/24"},
		{"timeout too short", "etcd a:1 {\n timeout 99ms\n}", `3: duration "99ms": write one of at least 100ms, like 5s`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			errs := read("mxsrv {\n" + tc.etcd + "\n}").Errs
			if len(errs) != 1 || !strings.Contains(errs[0].Error(), "Corefile:"+tc.want) {
				t.Errorf("%v\nwant Corefile:%s", errs, tc.want)
			}
		})
	}
}
