package test

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// declaredTXT is the block of definitions over txtZone.
const declaredTXT = `        host web 192.0.2.80
        alias www web
        record @ TXT "v=spf1 mx -all"
        record _dmarc TXT "v=DMARC1; p=reject"
        record s1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        record web big sub TXT ours
`

var txtZone = overlayZone + `example.com. 300 IN TXT "V=spf1 a -all"
example.com. 300 IN TXT "site-verification=abc"
example.com. 300 IN TXT "v=spf10"
_dmarc.example.com. 300 IN TXT "v=DMARC1\; p=none"
s1._domainkey.example.com. 300 IN TXT "k=rsa; p=AAAA"
web.example.com. 7200 IN TXT "theirs" "in two"
sub.example.com. 300 IN CNAME web.example.com.
other.example.com. 300 IN TXT "v=spf1 -all"
` + strings.Repeat("big.example.com. 300 IN TXT \""+strings.Repeat("x", 200)+"%d\"\n", 4)

const txtAnswers = `
> example.com TXT
example.com. 300 IN TXT "v=spf1 mx -all"
example.com. 300 IN TXT "site-verification=abc"
example.com. 300 IN TXT "v=spf10"
> _dmarc.example.com TXT
_dmarc.example.com. 3600 IN TXT "v=DMARC1; p=reject"
> s1._domainkey.example.com TXT
s1._domainkey.example.com. 3600 IN TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
> www.example.com TXT
www.example.com. 3600 IN CNAME web.example.com.
web.example.com. 3600 IN TXT "ours"
web.example.com. 3600 IN TXT "theirs" "in two"
> sub.example.com TXT
sub.example.com. 3600 IN TXT "ours"
> other.example.com TXT
other.example.com. 300 IN TXT "v=spf1 -all"
; authority
example.com. 300 IN NS ns.example.com.
`

// txtServers is a CoreDNS for each way to have a zone behind: at port 1053 with what stands for NEXT.
const txtServers = `example.com:1053 {
    bind 127.0.0.1
    errors
    BEFORE
    mxsrv {
` + declaredTXT + `        OPTIONS
    }
    NEXT
}
example.com:1054 {
    bind 127.0.0.1
    SIGNED
    file db.example.com
}
`

func startTXT(t *testing.T, dir string, words ...string) *server {
	t.Helper()
	write(t, filepath.Join(dir, "db.example.com"), fmt.Sprintf(txtZone, 1, 2, 3, 4))
	words = append(words, "BEFORE", "", "OPTIONS", "", "NEXT", "forward . 127.0.0.1:1054", "SIGNED", "")
	return start(t, dir, strings.NewReplacer(words...).Replace(txtServers))
}

// TestTXTBehind: an answer has the TXT records of both, over each plugin, UDP and TCP, and what cache keeps of it. What
// the plugin behind cannot say in one message over UDP it says over TCP.
func TestTXTBehind(t *testing.T) {
	for _, behind := range behindAliases {
		for _, before := range []string{"", "cache"} {
			t.Run(behind.name+" "+before, func(t *testing.T) {
				s := startTXT(t, t.TempDir(), "BEFORE", before, "OPTIONS", behind.options, "NEXT", behind.next)
				if before == "" {
					check(t, s, txtAnswers)
				}
				if m := s.ask(t, "udp", query(t, "big.example.com TXT")); !m.Truncated {
					t.Errorf("without EDNS it fits: %v", m)
				}
				if m := s.ask(t, "tcp", query(t, "big.example.com TXT")); m.Truncated || !m.Authoritative || len(m.Answer) != 5 {
					t.Errorf("over TCP: %v", m)
				}
				if log := s.String(); strings.Contains(log, "[WARNING] plugin/mxsrv: no TXT") {
					t.Error(log)
				}
			})
		}
	}
}

// TestTXTFailing: where the plugin behind fails or is slow, the answer is what is declared, for a minute at most; that is
// logged once.
func TestTXTFailing(t *testing.T) {
	for _, behind := range []struct{ name, next, logged string }{
		{"slow", "forward . " + silentServer(t), ""},
		{"down", "forward . 127.0.0.1:" + freePort(t), ""},
		{"REFUSED", "forward . 127.0.0.1:1055\n}\nexample.net:1055 {\n bind 127.0.0.1\n whoami", "the answer is REFUSED"},
		{"SERVFAIL", "erratic", "there is no answer but "},
	} {
		for _, before := range []string{"", "cache"} {
			t.Run(behind.name+" "+before, func(t *testing.T) {
				t.Parallel()
				s := startTXT(t, t.TempDir(), "BEFORE", before, "NEXT", behind.next)
				for range 2 {
					c := dns.Client{Timeout: rig.Limit}
					m, _, err := c.Exchange(query(t, "www.example.com TXT"), s.addr)
					if err != nil || m.Rcode != dns.RcodeSuccess || !m.Authoritative || len(m.Answer) != 2 {
						t.Fatalf("%v, %v", m, err)
					}
					if ttl := m.Answer[1].Header().Ttl; ttl > 60 || before == "" && ttl != 60 {
						t.Errorf("want a TTL of a minute: %v", m)
					}
				}
				s.logsSoon(t, "[WARNING] plugin/mxsrv: no TXT records of web.example.com. from the next plugin: "+behind.logged)
			})
		}
	}
}

// logsSoon is logs for what is logged by the query that was answered last.
func (s *server) logsSoon(t *testing.T, begin string) {
	t.Helper()
	eventually(t, s, begin, func() bool { return strings.Contains(s.String(), begin) })
	s.logs(t, begin)
}

// silentServer returns the address of a server that never answers.
func silentServer(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.LocalAddr().String()
}

// TestTXTAtOnce: many that wait for a slow plugin all get their answer.
func TestTXTAtOnce(t *testing.T) {
	s := startTXT(t, t.TempDir(), "NEXT", "forward . "+silentServer(t))
	const clients = 50
	errs := make(chan error, clients)
	for range clients {
		go func() {
			c := dns.Client{Timeout: rig.Limit}
			m, _, err := c.Exchange(new(dns.Msg).SetQuestion("example.com.", dns.TypeTXT), s.addr)
			if err == nil && (len(m.Answer) != 1 || m.Answer[0].Header().Ttl != 60) {
				err = fmt.Errorf("%v", m)
			}
			errs <- err
		}()
	}
	for range clients {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestTXTSigned: signed records behind are passed on to those that want signatures, and validate; with a key of our own
// those of both do.
func TestTXTSigned(t *testing.T) {
	for _, tc := range []struct {
		name  string
		words func(signs string) []string
		want  []string
	}{
		{"behind", func(signs string) []string { return []string{"SIGNED", signs} }, []string{"V=spf1 a -all", "site-verification=abc", "v=spf10"}},
		{"here", func(signs string) []string { return []string{"BEFORE", signs, "NEXT", "file db.example.com"} }, []string{"v=spf1 mx -all", "site-verification=abc", "v=spf10"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			key := keygen(t, dir, "example.com")
			s := startTXT(t, dir, tc.words("dnssec {\n key file "+key.name+"\n }")...)
			for range 2 {
				said, validated := key.delv(t, s, "example.com TXT")
				if !validated || strings.Count(said, "IN\tTXT") != len(tc.want) {
					t.Fatal(said)
				}
				for _, text := range tc.want {
					if !strings.Contains(said, text) {
						t.Errorf("want %s\n%s", text, said)
					}
				}
			}
			if tc.name == "behind" {
				check(t, s, txtAnswers) // to others
				s.logsSoon(t, "[WARNING] plugin/mxsrv: the TXT records that the next plugin has of example.com. are signed")
			}
		})
	}
}
