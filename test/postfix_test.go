package test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/test/rig"
)

// toolVar tells a test that it runs in namespaces of its own, and where the mxsrv tool is.
const toolVar = "MXSRV_POSTFIX_TOOL"

// TestPostfix: a real Postfix, with our server for its DNS, hands mail to whom
// "mxsrv route" says, and keeps it where route says that it waits.
//
// Postfix wants port 25, /etc/resolv.conf, and its directories. It gets all of
// them in namespaces of network, mounts and processes, which end with the test:
// nothing of the machine's own mail system is touched or even seen.
func TestPostfix(t *testing.T) {
	if tool := os.Getenv(toolVar); tool != "" {
		postfixInside(t, tool)
		return
	}
	inNamespaces(t, "postfix")
}

// inNamespaces runs the test that calls it again in namespaces of network, mounts and processes of its own, which end
// with it, if some programs are there.
func inNamespaces(t *testing.T, programs ...string) {
	t.Helper()
	unshare := rig.Peer(t, "unshare")
	for _, name := range append(programs, "ip", "mount") {
		rig.Peer(t, name)
	}
	if err := exec.Command(unshare, "-m", "-n", "-p", "-f", "--mount-proc", "true").Run(); err != nil {
		rig.Skip(t, "no namespaces for this user: "+err.Error())
	}
	cmd := exec.Command(unshare, "-m", "-n", "-p", "-f", "--mount-proc", "--kill-child",
		os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1", "-test.timeout=5m", fmt.Sprint("-long=", *long))
	cmd.Env = append(os.Environ(), toolVar+"="+buildTool(t), "MXSRV_COREDNS="+coredns)
	p := runProcess(t, cmd, "")
	code, err := p.Wait(6 * time.Minute)
	t.Logf("%s", p)
	if err != nil || code != 0 || !strings.Contains(p.String(), "--- PASS: "+t.Name()+"/") {
		t.Errorf("in its namespaces: exit code %d, %v", code, err)
	}
}

// ownResolver gives namespaces a network of their own machine, and our server for their DNS.
func ownResolver(t *testing.T) {
	t.Helper()
	command(t, "ip", "link", "set", "lo", "up")
	resolv := filepath.Join(t.TempDir(), "resolv.conf")
	write(t, resolv, "nameserver 127.0.0.1\n")
	command(t, "mount", "--bind", resolv, "/etc/resolv.conf")
}

// The DNS of the test. Addresses of exchanges are those of sinks, but that of the
// sender is its own.
const postfixCorefile = `example.com 127.0.10.0/24 {
    bind 127.0.0.1
    mxsrv {
        host mx1 127.0.10.1
        host mx2 127.0.10.2
        host mx3 127.0.10.3
        host www 127.0.10.80
        mail @ {
            10 mx1
            20 mx2 mx3
            30 mx.example.net.
        }
        mail noreply none
        mail mine 10 mx2
        alias shop @
    }
}
example.net {
    bind 127.0.0.1
    mxsrv {
        host mx 127.0.20.1
        host outside 127.0.20.25
    }
}
`

var sinkAddrs = map[string]string{
	"mx1.example.com": "127.0.10.1", "mx2.example.com": "127.0.10.2", "mx3.example.com": "127.0.10.3",
	"www.example.com": "127.0.10.80", "mx.example.net": "127.0.20.1",
}

// senders are where Postfix runs; mx2 is an exchange itself.
var senders = map[string]string{"outside.example.net": "127.0.20.25", "mx2.example.com": "127.0.10.2"}

const outside, mx1, mx2 = "outside.example.net", "mx1.example.com", "mx2.example.com"

// What Postfix logs of the host that it delivers to.
const (
	verified  = "Verified TLS connection established to "
	trusted   = "Trusted TLS connection established to "
	untrusted = "Untrusted TLS connection established to "
)

var postfixCases = []struct {
	about, domain, from string
	down                []string
	want                string
}{
	{"nothing is down", "example.com", outside, nil, "delivered to mx1.example.com"},
	{"mx1 is down", "example.com", outside, []string{"mx1.example.com"}, "delivered to mx2.example.com or mx3.example.com"},
	{"all of ours are down", "example.com", outside, []string{"mx1.example.com", "mx2.example.com", "mx3.example.com"}, "delivered to mx.example.net"},
	{"from mx2", "example.com", mx2, nil, "delivered to mx1.example.com"},
	{"from mx2, mx1 is down", "example.com", mx2, []string{"mx1.example.com"}, "waits in the queue of the sender"},
	{"all are down", "example.com", outside, []string{"mx1.example.com", "mx2.example.com", "mx3.example.com", "mx.example.net"}, "waits in the queue of the sender"},
	{"only the sender is left", "mine.example.com", mx2, nil, "bounces, 5.4.6"},
	{"null MX", "noreply.example.com", outside, nil, "bounces, 5.1.10"},
	{"implicit MX", "www.example.com", outside, nil, "delivered to www.example.com"},
	{"no such domain", "nosuch.example.com", outside, nil, "bounces, 5.1.2"},
	{"alias", "shop.example.com", outside, []string{"mx1.example.com"}, "delivered to mx2.example.com or mx3.example.com"},
}

// postfixInside runs the cases, in namespaces that are ours alone.
func postfixInside(t *testing.T, tool string) {
	ownResolver(t)
	for _, addr := range senders { // Postfix wants to see its own on an interface
		command(t, "ip", "addr", "add", addr+"/32", "dev", "lo")
	}
	start(t, t.TempDir(), postfixCorefile)
	for _, c := range postfixCases {
		t.Run(c.about, func(t *testing.T) {
			plan := route(t, tool, c.domain, c.from, c.down)
			if plan.Result != c.want {
				t.Errorf("route: %s, want %s", plan.Result, c.want)
			}
			sinks := startSinks(t, append(c.down, c.from))
			mta := startPostfix(t, c.from)
			for i := range 4 {
				to := fmt.Sprintf("user%d@%s", i, c.domain)
				mta.send(t, to)
				got := mta.end(t, to)
				if got == "sent" {
					got = "delivered to " + sinks.who(to)
				}
				if !plan.allows(got) {
					t.Errorf("Postfix: %s, and route says %s\n%s", got, plan.Result, mta)
				}
			}
			if tried := mta.refused(); !slices.Equal(tried, plan.down()) {
				t.Errorf("Postfix found %v down, and route says %v\n%s", tried, plan.down(), mta)
			}
		})
	}
	t.Run("reject_unknown_client_hostname", unknownClients)
}

// unknownClients: Postfix takes mail from an exchange, whose address has a PTR record that leads back to it, and from no
// address without one.
func unknownClients(t *testing.T) {
	startSinks(t, nil)
	mta := startPostfix(t, outside, "smtpd_client_restrictions = reject_unknown_client_hostname")
	for addr, want := range map[string]string{"127.0.10.1": "", "127.0.10.99": `450 "4.7.25`} {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
		conn, err := d.Dial("tcp", mta.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		c, err := smtp.NewClient(conn, addr)
		if err == nil {
			err = c.Mail("user@example.com")
		}
		if err == nil {
			err = c.Rcpt("user@example.com")
		}
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && !strings.HasPrefix(got, want) {
			t.Errorf("from %s: %v, want %q\n%s", addr, err, want, mta)
		}
	}
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// A plan is what the tool says.
type plan struct {
	Result   string
	Attempts []struct {
		Host       string
		Preference int
		Down       bool
	}
}

func route(t *testing.T, tool, domain, from string, down []string) *plan {
	t.Helper()
	args := []string{"route", "user@" + domain, "--server", "127.0.0.1", "--json", "--from", from}
	for _, host := range down {
		args = append(args, "--down", host)
	}
	out, _ := exec.Command(tool, args...).Output() // the exit code goes with the result
	p := new(plan)
	if err := json.Unmarshal(out, p); err != nil {
		t.Fatalf("mxsrv %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return p
}

// allows reports whether what Postfix did is what the plan says.
func (p *plan) allows(got string) bool {
	hosts, delivered := strings.CutPrefix(p.Result, "delivered to ")
	if host, sent := strings.CutPrefix(got, "delivered to "); sent {
		return delivered && slices.Contains(strings.FieldsFunc(strings.ReplaceAll(hosts, " or ", ", "), func(r rune) bool { return r == ',' || r == ' ' }), host)
	}
	what, _, _ := strings.Cut(p.Result, " ")
	return map[string]string{"waits": "deferred", "bounces,": "bounced"}[what] == got
}

// down returns the hosts that are tried in vain, sorted.
func (p *plan) down() []string {
	var down []string
	for _, a := range p.Attempts {
		if a.Down {
			down = append(down, a.Host)
		}
	}
	slices.Sort(down)
	return down
}

// A sinkSet are the exchanges. They take all mail, and note who got it.
type sinkSet struct {
	mu  sync.Mutex
	got map[string]string // host by recipient
}

func startSinks(t *testing.T, without []string) *sinkSet {
	t.Helper()
	s := &sinkSet{got: map[string]string{}}
	for host, addr := range sinkAddrs {
		if slices.Contains(without, host) {
			continue
		}
		l, err := net.Listen("tcp", addr+":25")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go s.serve(conn, host)
			}
		}()
	}
	return s
}

// serve speaks as much SMTP as it takes to get mail (RFC 5321 §4.1).
func (s *sinkSet) serve(conn net.Conn, host string) {
	defer conn.Close()
	fmt.Fprintf(conn, "220 %s\r\n", host)
	data := false
	for scan := bufio.NewScanner(conn); scan.Scan(); {
		line := scan.Text()
		verb, _, _ := strings.Cut(strings.ToUpper(line), ":")
		switch {
		case data && line != ".":
		case data:
			data = false
			fmt.Fprint(conn, "250 taken\r\n")
		case verb == "RCPT TO":
			s.mu.Lock()
			s.got[line[strings.Index(line, "<")+1:strings.Index(line, ">")]] = host
			s.mu.Unlock()
			fmt.Fprint(conn, "250 ok\r\n")
		case verb == "DATA":
			data = true
			fmt.Fprint(conn, "354 go ahead\r\n")
		default:
			fmt.Fprint(conn, "250 ok\r\n")
		}
	}
}

func (s *sinkSet) who(recipient string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[recipient]
}

// An mta is a running Postfix.
type mta struct {
	*rig.Process
	addr string
	conf string // its directory of configuration
}

const mainCF = `compatibility_level = 3.6
myhostname = %s
inet_interfaces = %s
inet_protocols = ipv4
queue_directory = %[3]s/spool
data_directory = %[3]s/lib
mydestination =
local_recipient_maps =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtp_host_lookup = dns
maillog_file = /dev/stdout
alias_maps =
alias_database =
`

// masterCF is the services that it takes to relay, none of them in a chroot:
// there would be another resolv.conf in it.
const masterCF = `smtp      inet  n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
error     unix  - - n - - error
retry     unix  - - n - - error
flush     unix  n - n 1000? 0 flush
showq     unix  n - n - - showq
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
tlsmgr    unix  - - n 1000? 1 tlsmgr
discard   unix  - - n - - discard
postlog   unix-dgram n - n - 1 postlogd
`

// startPostfix runs Postfix on a host, with directories of its own and with further parameters, until the test ends.
func startPostfix(t *testing.T, host string, more ...string) *mta {
	t.Helper()
	dir := t.TempDir()
	m := &mta{addr: cmp.Or(senders[host], sinkAddrs[host]) + ":25", conf: filepath.Join(dir, "etc")}
	if err := os.CopyFS(m.conf, os.DirFS("/etc/postfix")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(m.conf, "main.cf"),
		fmt.Sprintf(mainCF, host, strings.TrimSuffix(m.addr, ":25"), dir)+strings.Join(more, "\n")+"\n")
	write(t, filepath.Join(m.conf, "master.cf"), masterCF)
	command(t, "mkdir", filepath.Join(dir, "spool"), filepath.Join(dir, "lib"))
	command(t, "chmod", "-R", "a+rX", filepath.Dir(dir))
	command(t, "chown", "postfix", filepath.Join(dir, "lib"))
	m.Process = runProcess(t, exec.Command("postfix", "-c", m.conf, "start-fg"), "daemon started")
	t.Cleanup(func() { exec.Command("postfix", "-c", m.conf, "abort").Run() })
	return m
}

// send hands a mail to Postfix. It comes from nobody, so that none is sent about it.
func (m *mta) send(t *testing.T, to string) {
	t.Helper()
	if err := smtp.SendMail(m.addr, nil, "", []string{to}, []byte("Subject: test\r\n\r\ntest\r\n")); err != nil {
		t.Fatalf("%v\n%s", err, m)
	}
}

// end waits for what becomes of a mail: sent, deferred or bounced.
func (m *mta) end(t *testing.T, to string) (status string) {
	t.Helper()
	line := regexp.MustCompile(`to=<` + regexp.QuoteMeta(to) + `>, .*status=(\w+)`)
	rig.Eventually(t, "Postfix logs the status of a mail to "+to, func() bool {
		if err := m.Err(); err != nil {
			t.Fatal(err)
		}
		if found := line.FindStringSubmatch(m.String()); found != nil {
			status = found[1]
		}
		return status != ""
	})
	return status
}

var refusedLine = regexp.MustCompile(`connect to ([^[]+)\[[^]]*\]:25: Connection refused`)

// refused returns the hosts that did not answer Postfix, sorted.
func (m *mta) refused() []string {
	var hosts []string
	for _, line := range refusedLine.FindAllStringSubmatch(m.String(), -1) {
		hosts = append(hosts, line[1])
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
