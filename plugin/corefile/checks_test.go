package corefile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestChecks: what the block of checks says, and what holds without it.
func TestChecks(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"nothing", "mxsrv", `10s 3s 3 2 "" [] "" []`},
		{"all", `mxsrv {
checks {
	every 30s
	timeout 1500ms
	down 5
	up 1
	helo ns1
	from 192.0.2.53 2001:db8::53
	probe 192.0.2.0/24
	probe 127.0.0.1/32 2001:db8::/32
	state state/health
}
}`, `30s 1.5s 5 1 "ns1.example.org" [192.0.2.53 2001:db8::53] "/etc/coredns/state/health" [192.0.2.0/24 127.0.0.1/32 2001:db8::/32]`},
		{"another zone", "mxsrv {\nchecks {\nhelo ns1.example.net.\n}\n}", `10s 3s 3 2 "ns1.example.net" [] "" []`},
		{"a reverse zone first", "mxsrv 2.0.192.in-addr.arpa example.com {\nchecks {\nhelo ns1\n}\n}", `10s 3s 3 2 "ns1.example.com" [] "" []`},
		{"in one of two stanzas", "mxsrv {\n}\nmxsrv {\nchecks {\ndown 1\nstate /s\n}\n}", `10s 3s 1 2 "" [] "/s" []`},
		{"limits", "mxsrv {\nchecks {\nevery 1h\ntimeout 100ms\ndown 1\nup 100\n}\n}", `1h0m0s 100ms 1 100 "" [] "" []`},
	} {
		b := read(tc.text)
		c := b.Checks
		got := fmt.Sprintf("%v %v %d %d %q %v %q %v", c.Every, c.Timeout, c.Down, c.Up, c.Helo, c.From, c.State, c.Networks)
		if len(b.Errs) > 0 || got != tc.want {
			t.Errorf("%s: %s %v\nwant %s", tc.name, got, b.Errs, tc.want)
		}
	}
	if b := read("mxsrv {\nchecks {\nevery 5s\ndown 4\n}\n}"); b.Checks.Detection().Seconds() != 20 {
		t.Errorf("it takes %v, want 20 s", b.Checks.Detection())
	}
	if b := read("mxsrv"); len(b.Checks.From)+len(usual.From)+len(usual.Networks) > 0 {
		t.Errorf("blocks share what is said: %+v", usual)
	}
}

// TestChecksMistakes: what is wrong there, and what to write.
func TestChecksMistakes(t *testing.T) {
	const duration = ": write a duration from 100ms to 1h0m0s, like 5s"
	const usage = "2: usage: checks { every DURATION }, or other words in its block"
	for _, tc := range []struct{ checks, want string }{
		{"checks", usage},
		{"checks {\n}", usage},
		{"checks 10s {\nevery 10s\n}", usage},
		{"checks {\nevery 10s\n}\nchecks {\nup 1\n}", "5: a second checks: write one for the server block"},
		{"checks {\nevery 10\n}", `3: every "10"` + duration},
		{"checks {\nevery 99ms\ntimeout 2h\n}", `3: every "99ms"` + duration + "\n" + `4: timeout "2h"` + duration},
		{"checks {\nevery\n}", "3: usage: every DURATION"},
		{"checks {\nevery 5s\nevery 5s\n}", "4: a second every: write one"},
		{"checks {\ndown 0\nup 101\n}", `3: down "0": write how many in a row, from 1 to 100` + "\n" + `4: up "101": write how many in a row, from 1 to 100`},
		{"checks {\nevry 5s\n}", `3: unknown word "evry": write every`},
		{"checks {\nfrom ns1\n}", `3: from "ns1": write an address of this host, like 192.0.2.53 or 2001:db8::53`},
		{"checks {\nfrom 0.0.0.0\n}", `3: from "0.0.0.0": write an address of this host, like 192.0.2.53 or 2001:db8::53`},
		{"checks {\nfrom 192.0.2.1\nfrom 192.0.2.2\n}",
			"4: from 192.0.2.2: a second address of its family: write one IPv4 address, one IPv6 address, or both"},
		{"checks {\nprobe 192.0.2.1\n}", `3: probe "192.0.2.1": write a network, like 192.0.2.0/24 or 2001:db8::1/128`},
		{"checks {\nprobe 192.0.2.1/24\n}", "3: probe 192.0.2.1/24: it has bits of a host: write 192.0.2.0/24"},
		{"checks {\nhelo ns1.example.org\n}", `3: helo "ns1.example.org" is ns1.example.org.example.org.: write it with its final dot`},
		{"checks {\nhelo a..b\n}", `3: helo: "a..b" has an empty label: write one dot between labels`},
		{"checks {\nhelo _x\n}", `3: helo "_x": write the name of this host`},
		{"checks {\nstate a b\n}", "3: usage: state PATH"},
		{"checks {\nevery 5s ; fast\n}", `3: ";": write "#" before a comment`},
		{"check smtp", `2: unknown word "check": write it into the block of mail or service`},
		{"every 5s", `2: unknown word "every": write it into the block of checks`},
		{"down mx1", `2: unknown word "down": write drain HOST...`},
	} {
		var got []string
		for _, e := range read("mxsrv {\n" + tc.checks + "\n}").Errs {
			got = append(got, strings.TrimPrefix(e.Error(), "Corefile:"))
		}
		if !slices.Equal(got, strings.Split(tc.want, "\n")) {
			t.Errorf("%s:\n%s\nwant\n%s", tc.checks, strings.Join(got, "\n"), tc.want)
		}
	}
}
