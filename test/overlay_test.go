package test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// aliasZone has a wildcard that makes an alias of every name that it does not have, and names that are declared too.
const aliasZone = overlayZone + `www.example.com. 300 IN A 192.0.2.80
www.example.com. 300 IN MX 10 webmail.example.net.
*.example.com. 300 IN CNAME www.example.com.
mail.example.com. 300 IN CNAME www.example.com.
tree.example.com. 300 IN DNAME www.example.com.
`

// behindAliases are the ways to have that zone behind.
var behindAliases = []struct{ name, options, next string }{
	{"file", "", "file db.example.com"},
	{"forward", "", "forward . 127.0.0.1:1054"},
	{"fallthrough", "authoritative {\n ns ns\n }\n host ns 192.0.2.1\n fallthrough", "file db.example.com"},
}

// order is a way to ask the questions about a domain. Each is for a domain of its own, so that the resolver knows nothing of it yet.
type order struct {
	domain    string
	questions []string // TYPE, or NAME TYPE of a name below the domain
}

// orders returns all permutations of the questions that resolvers, mail servers and XMPP clients ask of a domain.
func orders() (all []order) {
	var permute func(done, left []string)
	permute = func(done, left []string) {
		if len(left) == 0 {
			above := []string{"", ".tree", ".shop"}[len(all)%3]
			all = append(all, order{fmt.Sprintf("d%d%s.example.com", len(all), above), done})
		}
		for i, q := range left {
			permute(append(done[:len(done):len(done)], q), append(left[:i:i], left[i+1:]...))
		}
	}
	permute(nil, []string{"A", "MX", "TYPE65", "_tcp A", "_xmpp-server._tcp SRV"})
	return all
}

func declareOrders(all []order) string {
	var b strings.Builder
	b.WriteString("host mail 192.0.2.25\nhost web.shop 192.0.2.81\n")
	for _, o := range all {
		domain := strings.TrimSuffix(o.domain, ".example.com")
		fmt.Fprintf(&b, "mail %s 10 mail\nservice _xmpp-server._tcp.%[1]s 0 0 5269 mail\n", domain)
	}
	return b.String()
}

// TestAliasBehind: resolvers find what is declared in front of aliases, in whatever order they are asked.
func TestAliasBehind(t *testing.T) {
	all := orders()
	for _, behind := range behindAliases {
		t.Run(behind.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "db.example.com"), aliasZone)
			write(t, filepath.Join(dir, "orders.conf"), declareOrders(all))
			s := start(t, dir, fmt.Sprintf(`example.com:1053 {
    bind 127.0.0.1
    mxsrv {
        file orders.conf
        %s
    }
    %s
}
example.com:1054 {
    bind 127.0.0.1
    file db.example.com
}`, behind.options, behind.next))
			for _, resolver := range []struct {
				name  string
				start func(*testing.T, *server) *server
			}{{"directly", func(_ *testing.T, s *server) *server { return s }}, {"Unbound", startDefaultUnbound}, {"BIND", startForwardingBIND}} {
				t.Run(resolver.name, func(t *testing.T) { askOrders(t, resolver.start(t, s), all) })
			}
		})
	}
}

func askOrders(t *testing.T, s *server, all []order) {
	for _, o := range all {
		for _, question := range o.questions {
			name, qtype, below := strings.Cut(question, " ")
			if name += "." + o.domain; !below {
				name, qtype = o.domain, question
			}
			m := query(t, name+" "+qtype)
			m.RecursionDesired = true
			res, got := s.ask(t, "udp", m), ""
			for _, rr := range res.Answer {
				got += dns.TypeToString[rr.Header().Rrtype] + strings.TrimPrefix(rr.String(), rr.Header().String()) + "\n"
			}
			want := map[string]string{"MX": "MX10 mail.example.com.\n", "SRV": "SRV0 0 5269 mail.example.com.\n"}[qtype]
			if res.Rcode != dns.RcodeSuccess || got != want {
				t.Fatalf("%s %s, of %v: %s\n%s\nwant\n%s", name, qtype, o.questions, dns.RcodeToString[res.Rcode], got, want)
			}
		}
	}
}

// startDefaultUnbound starts Unbound as it is without options, but for what lets it ask a server on loopback.
func startDefaultUnbound(t *testing.T, stub *server) *server {
	t.Helper()
	unbound, port := rig.Peer(t, "unbound"), freePort(t)
	conf := filepath.Join(t.TempDir(), "unbound.conf")
	write(t, conf, fmt.Sprintf(`server:
    interface: 127.0.0.1@%s
    do-daemonize: no
    chroot: ""
    username: ""
    directory: "%s"
    pidfile: ""
    use-syslog: no
    logfile: ""
    verbosity: 1
    do-not-query-localhost: no
remote-control:
    control-enable: no
stub-zone:
    name: "example.com."
    stub-addr: %s
`, port, filepath.Dir(conf), strings.Replace(stub.addr, ":", "@", 1)))
	return run(t, "127.0.0.1:"+port, exec.Command(unbound, "-d", "-c", conf), "start of service")
}

// startForwardingBIND starts a BIND that forwards everything.
func startForwardingBIND(t *testing.T, to *server) *server {
	t.Helper()
	named, port, dir := rig.Peer(t, "named"), freePort(t), t.TempDir()
	_, toPort, _ := strings.Cut(to.addr, ":")
	conf := filepath.Join(dir, "named.conf")
	write(t, conf, fmt.Sprintf(`options {
    directory "%s";
    listen-on port %s { 127.0.0.1; };
    listen-on-v6 { none; };
    pid-file none;
    session-keyfile none;
    managed-keys-directory "%[1]s";
    dnssec-validation no;
    forward only;
    forwarders { 127.0.0.1 port %[3]s; };
};
controls { };
`, dir, port, toPort))
	return run(t, "127.0.0.1:"+port, exec.Command(named, "-g", "-n", "2", "-c", conf), "all zones loaded")
}

// TestOneSOA: denials of declared names have the SOA of the zone behind, whoever denies.
func TestOneSOA(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "db.example.com"), aliasZone)
	s := start(t, dir, `example.com:1053 {
    bind 127.0.0.1
    mxsrv {
        host mx1 192.0.2.10
        alias relay mx1
    }
    file db.example.com
}
example.com:1055 {
    bind 127.0.0.1
    mxsrv {
        host mx1 192.0.2.10
        alias relay mx1
    }
    forward . 127.0.0.1:1053
}`)
	for _, port := range []string{":1053", ":1055"} {
		s := &server{s.Process, s.at[port], s.at}
		for _, question := range []string{"mx1.example.com AAAA", "mx1.example.com TXT", "relay.example.com AAAA"} {
			const want = "example.com.\t300\tIN\tSOA\tns.example.com. admin.example.com. 7 7200 1800 86400 300"
			got := ""
			eventually(t, s, "the SOA of the zone is known", func() bool {
				m := s.ask(t, "udp", query(t, question))
				if got = fmt.Sprint(m.Ns); len(m.Ns) == 1 {
					got = m.Ns[0].String()
				}
				return !strings.Contains(got, "ns.dns.example.com.")
			})
			if got != want {
				t.Errorf("%s %s:\n%s\nwant\n%s", port, question, got, want)
			}
		}
	}
}
