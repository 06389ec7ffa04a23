package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
)

const given = "example.org.\t3600\tIN\tMX\t10 mx1.example.org."

// configured sets the fixed-answer plugin up with a message in a file.
func configured(t *testing.T, words string) (plugin.Handler, error) {
	t.Helper()
	m := new(dns.Msg).SetQuestion("example.org.", dns.TypeMX)
	m.Response, m.Authoritative = true, true
	record, err := dns.NewRR(given)
	if err != nil {
		t.Fatal(err)
	}
	m.Answer = []dns.RR{record}
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "message")
	if err := os.WriteFile(path, wire, 0o600); err != nil {
		t.Fatal(err)
	}
	c := caddy.NewTestController("dns", "fixed "+strings.ReplaceAll(words, "MESSAGE", path))
	if err := setup(c); err != nil {
		return nil, err
	}
	return dnsserver.GetConfig(c).Plugin[0](nil), nil
}

// TestFloor: the message is written with the id and the question of the query,
// and where it is asked for under the asked name.
func TestFloor(t *testing.T) {
	for _, tc := range []struct{ words, name, want string }{
		{"MESSAGE", "example.org.", given},
		{"MESSAGE", "other.example.org.", given},
		{"MESSAGE asked", "other.example.org.", "other." + given},
	} {
		f, err := configured(t, tc.words)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // what is shared stays as it was
			r := new(dns.Msg).SetQuestion(tc.name, dns.TypeMX)
			w := dnstest.NewRecorder(&test.ResponseWriter{})
			if _, err := f.ServeDNS(t.Context(), w, r); err != nil {
				t.Fatal(err)
			}
			m := w.Msg
			if m.Id != r.Id || m.Question[0].Name != tc.name || !m.RecursionDesired || !m.Response || !m.Authoritative {
				t.Errorf("%s %s: %v", tc.words, tc.name, m)
			}
			if len(m.Answer) != 1 || m.Answer[0].String() != tc.want {
				t.Errorf("%s %s: %v, want %s", tc.words, tc.name, m.Answer, tc.want)
			}
			m.Answer = append(m.Answer, m.Answer[0]) // as the server does
		}
	}
}

func TestFloorUsage(t *testing.T) {
	for words, want := range map[string]string{
		"":                    "usage: fixed MESSAGE [asked]",
		"MESSAGE asked again": "usage: fixed MESSAGE [asked]",
		"/nosuch/message":     "no such file",
	} {
		if _, err := configured(t, words); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("fixed %s: %v, want %q", words, err, want)
		}
	}
}
