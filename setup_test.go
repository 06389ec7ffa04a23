package mxsrv

import (
	"regexp"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
)

// load runs the setup of a block, as CoreDNS does, for the zone example.org and those that
// its stanzas name.
func load(t *testing.T, block string, next plugin.Handler) (*MXSRV, error) {
	t.Helper()
	c := caddy.NewTestController("dns", block)
	c.ServerBlockKeys = []string{"dns://example.org.:53"}
	for _, m := range regexp.MustCompile(`(?m)^mxsrv (example[^{\n]*)`).FindAllStringSubmatch(block, -1) {
		c.ServerBlockKeys = append(c.ServerBlockKeys, strings.Fields(m[1])...)
	}
	if err := setup(c); err != nil {
		return nil, err
	}
	plugins := dnsserver.GetConfig(c).Plugin
	if len(plugins) != 1 {
		t.Fatalf("%d handlers, want 1", len(plugins))
	}
	return plugins[0](next).(*MXSRV), nil
}

func TestSetup(t *testing.T) {
	for _, tc := range []struct{ name, block, want string }{
		{"nothing", "mxsrv", ""},
		{"empty block", "mxsrv {\n}", ""},
		{"definitions", "mxsrv {\n host mx1 192.0.2.1\n mail @ 10 mx1\n}", ""},
		{"zones", "mxsrv example.com example.net {\n host mx1 192.0.2.1\n}", ""},
		{"fallthrough", "mxsrv {\n fallthrough\n fallthrough example.org\n}", ""},
		{"zone twice, as under two addresses", "mxsrv example.org example.org {\n authoritative {\n ns ns1.example.net.\n }\n}", ""},
		{"two stanzas", "mxsrv {\n host mx1 192.0.2.1\n}\nmxsrv example.com {\n mail @ 10 mx1\n}", ""},
		{"one line", "mxsrv { host mx1 192.0.2.1 }", ""},
		{"brace on its own line", "mxsrv\n{\n mail @\n {\n 10 mx1 mx2\n }\n host mx1 192.0.2.1\n}", ""},
		{"CRLF", "mxsrv {\r\n host mx1 192.0.2.1\r\n mail @ {\r\n 10 mx1\r\n }\r\n}\r\n", ""},

		{"files", "mxsrv {\n file testdata/definitions.conf\n reload 1m\n}", ""},
		{"files of two stanzas", "mxsrv {\n file testdata/*.conf\n}\nmxsrv example.com {\n file testdata/*.conf\n reload 0\n}", ""},

		{"unknown word", "mxsrv {\n hots mx1 192.0.2.1\n}",
			`Testfile:2: error: unknown word "hots": write host [syntax]`},
		{"mistake while etcd is away", "mxsrv example.org {\n hots mx1 192.0.2.1\n etcd 127.0.0.1:1 {\n timeout 100ms\n }\n}", `Testfile:2: error: unknown word "hots"`},
		{"mistake in etcd", "mxsrv example.org {\n etcd 127.0.0.1:1 {\n timeout 100ms\n prefix\n }\n}", `Testfile:4: error: usage: prefix PREFIX`},
		{"etcd is away and may have the host", "mxsrv example.org {\n authoritative {\n ns ns1.example.net.\n }\n mail @ 10 mx1\n etcd 127.0.0.1:1 {\n timeout 100ms\n }\n}", ""},
		{"not an address", "mxsrv example.org {\n host mx1 192.0.2\n}",
			`Testfile:2: error: "192.0.2" is not an address: write one like 192.0.2.10 or 2001:db8::10 [syntax]`},
		{"owner outside", "mxsrv {\n mail example.com. none\n}",
			`Testfile:2: error: example.com. is not below example.org.: write a name that is, or add its zone after mxsrv [owner-outside-zone, RFC 1034 §4.2]`},
		{"owner outside the zone of two stanzas", "mxsrv {\n mail example.com. none\n}\nmxsrv {\n}",
			`Testfile:2: error: example.com. is not below example.org.: write a name that is`},
		{"contradiction between stanzas", "mxsrv {\n mail @ none\n}\nmxsrv {\n mail @ 10 mx1\n}",
			`Testfile:2: error: mail domain example.org. has none, and exchanges at Testfile:5: delete one of them [null-mx-not-alone, RFC 7505 §3]`},
		{"ignore", "mxsrv {\n ignore mail-single-host address-special\n ignore mail-single-host\n}", ""},
		{"ignore of no rule", "mxsrv {\n ignore mail-singlehost\n}", `Testfile:2: error: ignore: unknown rule "mail-singlehost": the nearest is mail-single-host [syntax]`},
		{"ignore of an error", "mxsrv {\n ignore alias-loop\n}", `Testfile:2: error: ignore: alias-loop is an error, and only warnings can be ignored`},
		{"zone that the server block lacks", "mxsrv {\n}\nmxsrv 192.0.2.0/24 {\n}", `Testfile:3: error: the server block gets no queries for 2.0.192.in-addr.arpa., only those below example.org.: write`},
		{"zone above that of the server block", "mxsrv org {\n}", `Testfile:1: error: the server block gets no queries for org., only those below example.org.`},
		{"zone below that of the server block", "mxsrv a.example.org {\n}", ""},
		{"file that is missing", "mxsrv {\n file testdata/nosuch.conf\n}",
			`Testfile:2: error: testdata/nosuch.conf: no such file or directory: create it, or delete it from this line [file-unreadable]`},
		{"mistake in a file", "mxsrv {\n file testdata/definitions.conf\n mail @ none\n}",
			`Testfile:3: error: mail domain example.org. has none, and exchanges at testdata/definitions.conf:3: delete one of them [null-mx-not-alone, RFC 7505 §3]`},
		{"authoritative", "mxsrv {\n host ns1 192.0.2.1\n authoritative {\n ns ns1 ns2.example.net.\n contact Host.Master@example.com\n ttl 1h\n refresh 1h\n retry 10m\n expire 14d\n negative 300\n }\n}", ""},
		{"expire that is no duration", "mxsrv {\n authoritative {\n ns ns1.example.net.\n expire 14y\n }\n}",
			`Testfile:4: error: expire "14y": write seconds, or a duration like 1h30m or 1d [syntax]`},
		{"authoritative without a block", "mxsrv {\n authoritative\n}", `Testfile:2: error: usage: authoritative { ns NAME... } [syntax]`},
		{"authoritative without a name server", "mxsrv {\n authoritative {\n contact a\n }\n}", `Testfile:2: error: a zone needs a name server: write ns NAME... in this block [syntax]`},
		{"name server that is an address", "mxsrv {\n authoritative {\n ns 192.0.2.1\n }\n}", `Testfile:3: error: "192.0.2.1" is an address: declare it`},
		{"name server that is the root", "mxsrv {\n authoritative {\n ns .\n }\n}", `Testfile:3: error: "." is no host: write the name of one [syntax]`},
		{"unknown word in authoritative", "mxsrv {\n authoritative {\n ns ns1.example.net.\n soa 5\n }\n}",
			`Testfile:4: error: "soa 5": write ns NAME..., primary NAME, contact NAME, ttl TTL, or refresh, retry, expire or negative with a duration [syntax]`},
		{"contact that is none", "mxsrv {\n authoritative {\n ns ns1.example.net.\n contact a@b..c\n }\n}", `Testfile:4: error: contact "b..c." has an empty label`},
		{"all mistakes at once", "mxsrv {\n host mx1\n mail\n}", "Testfile:3: error: usage: mail"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load(t, tc.block, nil)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("%v, want it to load", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("%v\nwant %s", err, tc.want)
			case err != nil && !strings.HasPrefix(err.Error(), "plugin/mxsrv: Testfile:"):
				t.Errorf("%v\nwant plugin/mxsrv and the place first, once", err)
			}
		})
	}
}
