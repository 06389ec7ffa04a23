package test

import (
	"fmt"
	"net"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/test/rig"
)

// mailFaults are those of real mail servers. The DNS server talks to them as a good client does, also to postscreen,
// which lets nobody wait for less than two seconds the first time.
var mailFaults = []fault{
	{"Postfix is stopped", "smtp", "timeout", "127.0.10.1", stoppedPostfix},
	{"Postfix is killed", "smtp", "refused", "127.0.10.2", killedPostfix},
	{"Postfix rejects clients", "smtp", "greeting 554", "127.0.10.3", rejectingPostfix},
	{"postscreen is stopped", "smtp", "timeout", "127.0.10.80", stoppedPostscreen},
	{"postscreen rejects clients", "smtp", "greeting 521", "127.0.20.1", rejectingPostscreen},
}

// postfixAt starts Postfix at an address.
func postfixAt(t *testing.T, addr string, more ...string) *mta {
	t.Helper()
	for host, at := range sinkAddrs {
		if at == hostOf(addr) {
			return startPostfix(t, host, more...)
		}
	}
	t.Fatal("no host has the address " + addr)
	return nil
}

// set changes the configuration of a running Postfix. Later lines count.
func (m *mta) set(t *testing.T, lines ...string) {
	t.Helper()
	path := filepath.Join(m.conf, "main.cf")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(text)+strings.Join(lines, "\n")+"\n")
	m.reload(t)
}

func (m *mta) reload(t *testing.T) {
	t.Helper()
	before := strings.Count(m.String(), "reload -- version")
	command(t, "postfix", "-c", m.conf, "reload")
	rig.Eventually(t, "Postfix has reloaded", func() bool { return strings.Count(m.String(), "reload -- version") > before })
}

// group returns the process group of the daemons, which is not that of the command that has started them.
func (m *mta) group(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(m.conf), "spool/pid/master.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	group, err := syscall.Getpgid(pid)
	if err != nil {
		t.Fatal(err)
	}
	return group
}

// abort kills Postfix.
func (m *mta) abort(t *testing.T) {
	t.Helper()
	command(t, "postfix", "-c", m.conf, "abort")
	if _, err := m.Wait(rig.Limit); err != nil {
		t.Fatal(err)
	}
}

func stoppedPostfix(t *testing.T, addr string, _ talk) (comes, goes func()) {
	return stopping(t, postfixAt(t, addr).group(t))
}

func killedPostfix(t *testing.T, addr string, _ talk) (comes, goes func()) {
	m := postfixAt(t, addr)
	return func() {
		if !strings.Contains(m.String(), "ehlo=1 quit=1 commands=2") || strings.Contains(m.String(), "lost connection") {
			t.Errorf("the log of Postfix:\n%s", m)
		}
		m.abort(t)
	}, func() { postfixAt(t, addr) }
}

func rejectingPostfix(t *testing.T, addr string, _ talk) (comes, goes func()) {
	m := postfixAt(t, addr)
	return func() { m.set(t, "smtpd_client_restrictions = reject", "smtpd_delay_reject = no") },
		func() { m.set(t, "smtpd_client_restrictions =") }
}

// postscreenAt starts Postfix with postscreen before it, which tests all clients.
func postscreenAt(t *testing.T, addr string) *mta {
	t.Helper()
	m := postfixAt(t, addr, "postscreen_access_list =", "postscreen_greet_wait = 2s", "postscreen_greet_action = enforce")
	first, rest, _ := strings.Cut(masterCF, "\n")
	first = strings.Replace(first, "- - smtpd", "- 1 postscreen", 1)
	write(t, filepath.Join(m.conf, "master.cf"), first+"\nsmtpd     pass  - - n - - smtpd\n"+rest)
	m.reload(t)
	return m
}

func stoppedPostscreen(t *testing.T, addr string, _ talk) (comes, goes func()) {
	return stopping(t, postscreenAt(t, addr).group(t))
}

func rejectingPostscreen(t *testing.T, addr string, _ talk) (comes, goes func()) {
	m := postscreenAt(t, addr)
	clients := filepath.Join(m.conf, "clients")
	write(t, clients, "0.0.0.0/0 reject\n")
	return func() {
		if !strings.Contains(m.String(), "PASS NEW") || strings.Contains(m.String(), "PREGREET") || strings.Contains(m.String(), "HANGUP") {
			t.Errorf("the log of postscreen:\n%s", m)
		}
		m.set(t, "postscreen_access_list = cidr:"+clients, "postscreen_denylist_action = drop", "postscreen_blacklist_action = drop")
	}, func() { m.set(t, "postscreen_access_list =") }
}

// mailHealthCorefile declares exchanges; EXCHANGES is what differs.
const mailHealthCorefile = `example.com {
    bind 127.0.0.1
    prometheus 127.0.0.1:1054
    mxsrv {
        ignore address-special check-ttl-long check-single check-alone-primary mail-single-host
        host mx1 127.0.10.1
        host mx2 127.0.10.2
        host mx3 127.0.10.3
        mail @ {
            EXCHANGES
            check smtp
            ttl 1
        }
        checks {
            every 500ms
            timeout 2s
            probe 127.0.0.0/8
        }
    }
}
example.net {
    bind 127.0.0.1
    mxsrv {
        host outside 127.0.20.25
    }
}
`

// TestMailHealth: mail is not lost while an exchange is down, whatever is hidden. Mail goes from a Postfix outside to
// mx2, which keeps it for mx1 or takes it itself.
func TestMailHealth(t *testing.T) {
	if os.Getenv(toolVar) == "" {
		inNamespaces(t, "postfix")
		return
	}
	ownResolver(t)
	for _, addr := range []string{"127.0.20.25", "127.0.10.1", "127.0.10.2", "127.0.10.3"} {
		command(t, "ip", "addr", "add", addr+"/32", "dev", "lo")
	}
	r := &mailRig{outside: startPostfix(t, outside), mx2: startPostfix(t, mx2, relaying...)}
	r.server = start(t, t.TempDir(), strings.Replace(mailHealthCorefile, "EXCHANGES", "10 mx1\n20 mx2", 1))
	r.addr = "127.0.0.1:53"
	for _, part := range []struct {
		about string
		test  func(*mailRig, *testing.T)
	}{
		{"the primary is down, and mail waits at the backup", (*mailRig).testBackup},
		{"the primary is not answered, and mail bounces", (*mailRig).testControl},
		{"the primary comes back", (*mailRig).testBack},
		{"one of two primaries is down", (*mailRig).testTwo},
		{"a host that relays for whom it is MX of", (*mailRig).testMXBackup},
	} {
		if !t.Run(part.about, func(t *testing.T) { part.test(r, t) }) {
			t.Fatal(r.server)
		}
	}
}

// A mailRig is the DNS, a sender, and mx2; mx1 comes and goes.
type mailRig struct {
	*server
	outside, mx2 *mta
	sent         int
}

// relaying lets mx2 take mail for example.com from everywhere.
var relaying = []string{"mynetworks = 127.0.10.2/32", "relay_domains = example.com",
	"smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination"}

// declare has other exchanges served, and returns once what is answered is wanted.
func (r *mailRig) declare(t *testing.T, exchanges, want string) {
	t.Helper()
	r.reload(t, r.replaced(strings.Replace(mailHealthCorefile, "EXCHANGES", exchanges, 1)), reloaded)
	r.await(t, want)
}

// await waits for an answer.
func (r *mailRig) await(t *testing.T, want string) {
	t.Helper()
	eventually(t, r.server, "the exchanges are "+want, func() bool {
		return targetsOf(r.ask(t, "udp", query(t, "example.com MX"))) == want
	})
}

// send sends some mails, and returns what becomes of them at the sender and at the next host, without repetition.
func (r *mailRig) send(t *testing.T, n int, next *mta) (atSender, atNext string) {
	t.Helper()
	ends := map[*mta][]string{}
	for range n {
		to := fmt.Sprintf("user%d@example.com", r.sent)
		r.sent++
		r.outside.send(t, to)
		for _, m := range []*mta{r.outside, next} {
			ends[m] = append(ends[m], m.end(t, to))
		}
	}
	one := func(m *mta) string { return strings.Join(slices.Compact(slices.Sorted(slices.Values(ends[m]))), " ") }
	return one(r.outside), one(next)
}

// route has the tool probe the exchanges and plan the way of a mail, which is what the sender has done.
func (r *mailRig) route(t *testing.T, want ...string) {
	t.Helper()
	cmd := exec.Command(os.Getenv(toolVar), "route", "user@example.com", "--live", "--config", filepath.Join(r.Dir, "Corefile"))
	out, err := cmd.CombinedOutput()
	for _, w := range want {
		if err != nil || !strings.Contains(string(out), w) {
			t.Errorf("mxsrv route --live: %v, no %q in\n%s", err, w, out)
		}
	}
}

// testBackup: mx1 is known to be down, and stays in the answers.
func (r *mailRig) testBackup(t *testing.T) {
	eventually(t, r.server, "mx1 is known to be down", func() bool { return r.up("127.0.10.1:25") == "0" })
	if sender, backup := r.send(t, 3, r.mx2); sender != "sent" || backup != "deferred" {
		t.Errorf("at the sender %s, at mx2 %s, want sent and deferred\n%s", sender, backup, r.mx2)
	}
	r.await(t, "mx1 mx2")
	r.route(t, "mx1.example.com 127.0.10.1:25 (smtp) is down, refused", "delivered to mx2.example.com")
	if strings.Contains(r.mx2.String(), "status=bounced") {
		t.Errorf("mail bounces\n%s", r.mx2)
	}
}

// testControl: if mx1 is not in the answers, mx2 returns the mail.
func (r *mailRig) testControl(t *testing.T) {
	r.declare(t, "20 mx2", "mx2")
	if _, backup := r.send(t, 1, r.mx2); backup != "bounced" || !strings.Contains(r.mx2.String(), "loops back to myself") {
		t.Errorf("at mx2 %s, want bounced\n%s", backup, r.mx2)
	}
}

// testBack: what has waited is delivered.
func (r *mailRig) testBack(t *testing.T) {
	r.declare(t, "10 mx1\n20 mx2", "mx1 mx2")
	mx1 := startPostfix(t, mx1, append(relaying, "transport_maps = static:discard:")...)
	eventually(t, r.server, "mx1 is known to be up", func() bool { return r.up("127.0.10.1:25") == "1" })
	r.route(t, "mx1.example.com 127.0.10.1:25 (smtp) is up", "delivered to mx1.example.com")
	command(t, "postqueue", "-c", r.mx2.conf, "-f")
	for i := range 3 {
		if got := mx1.end(t, fmt.Sprintf("user%d@example.com", i)); got != "sent" {
			t.Errorf("mail %d that has waited: %s\n%s", i, got, mx1)
		}
	}
}

// testTwo: the dead one of two primaries is hidden, and nobody tries it.
func (r *mailRig) testTwo(t *testing.T) {
	mx3 := startPostfix(t, "mx3.example.com", append(relaying, "transport_maps = static:discard:")...)
	r.declare(t, "10 mx1 mx3", "mx3")
	before := len(r.outside.String())
	if sender, taken := r.send(t, 10, mx3); sender != "sent" || taken != "sent" {
		t.Errorf("at the sender %s, at mx3 %s, want sent twice\n%s", sender, taken, r.outside)
	}
	if log := r.outside.String()[before:]; strings.Contains(log, "mx1.example.com") {
		t.Errorf("the sender tries mx1\n%s", log)
	}
}

// testMXBackup: with permit_mx_backup a host refuses mail once it is hidden, as docs/health.md warns.
func (r *mailRig) testMXBackup(t *testing.T) {
	mx3 := startPostfix(t, "mx3.example.com", "mynetworks = 127.0.10.3/32",
		"smtpd_relay_restrictions = permit_mx_backup, reject_unauth_destination")
	for _, tc := range []struct{ exchanges, answered, want string }{
		{"10 mx1\n20 mx2 mx3", "mx1 mx2 mx3", "250"},
		{"10 mx1\n20 mx2 mx3\n}\ndrain mx3\nmail other {\n10 mx2", "mx1 mx2", "554"},
	} {
		r.declare(t, tc.exchanges, tc.answered)
		metric := r.metric(`drained{server="dns://127.0.0.1:53",target="mx3.example.com."}`)
		if want := map[bool]string{true: "1"}[strings.Contains(tc.exchanges, "drain mx3")]; metric != want {
			t.Errorf("the metric of drained hosts is %q, want %q", metric, want)
		}
		if got := offer(t, mx3.addr, "user@example.com"); !strings.HasPrefix(got, tc.want) {
			t.Errorf("while %s are answered, mx3 says %s, want %s", tc.answered, got, tc.want)
		}
	}
}

// offer returns the reply to RCPT of a mail from outside.
func offer(t *testing.T, addr, to string) string {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.20.25")}}
	conn, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(rig.Limit))
	c, err := smtp.NewClient(conn, addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Mail("user@example.net"); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt(to); err != nil {
		return err.Error()
	}
	return "250"
}
