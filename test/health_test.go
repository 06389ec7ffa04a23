package test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// A fault is something that may be wrong with a server.
type fault struct {
	about, check string
	why          string // the reason in the log; "" if the server stays up
	addrs        string // of the host, first that of the server, which has port 25 then; "": any, with port 8000
	start        starter
}

// A starter starts a server at an address, which is up, perhaps with a talk, and returns how the fault comes and goes.
type starter func(t *testing.T, addr string, good talk) (comes, goes func())

// A talk is what a server does with a connection.
type talk func(net.Conn)

// swap starts a server of the test, that has another talk for the fault; nil: nobody listens.
func swap(bad talk) starter {
	return func(t *testing.T, addr string, good talk) (comes, goes func()) {
		s := serveTalk(t, addr, good)
		return func() { s.set(bad) }, func() { s.set(good) }
	}
}

// A talker is a server of the test.
type talker struct {
	t        *testing.T
	addr     string
	accepted atomic.Int32
	mu       sync.Mutex
	talk     talk
	listener net.Listener
}

func serveTalk(t *testing.T, addr string, good talk) *talker {
	t.Helper()
	s := &talker{t: t, addr: addr}
	s.set(good)
	t.Cleanup(func() { s.set(nil) })
	return s
}

// set has the server talk in another way from the next connection on.
func (s *talker) set(to talk) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.talk = to
	switch {
	case to == nil && s.listener != nil:
		s.listener.Close()
		s.listener = nil
	case to != nil && s.listener == nil:
		l, err := net.Listen("tcp", s.addr)
		if err != nil {
			s.t.Fatal(err)
		}
		s.listener = l
		go s.accept(l)
	}
}

func (s *talker) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		s.accepted.Add(1)
		s.mu.Lock()
		to := s.talk
		s.mu.Unlock()
		go func() {
			defer conn.Close()
			if to != nil {
				to(conn)
			}
		}()
	}
}

// hangUp closes the connection; hang waits until the client does.
func hangUp(net.Conn)    {}
func hang(conn net.Conn) { io.Copy(io.Discard, conn) }

// overTLS talks over TLS with a certificate.
func overTLS(c *certificate, over talk) talk {
	pair, err := tls.X509KeyPair([]byte(c.pem), []byte(c.private))
	if err != nil {
		panic(err)
	}
	return func(conn net.Conn) {
		secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}})
		if secure.Handshake() == nil {
			over(secure)
		}
	}
}

// page answers a request with some lines, and with more for as long as the client reads, if there are to be more.
func page(lines, more string) talk {
	return func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		_, err := io.WriteString(conn, lines)
		for more != "" && err == nil {
			_, err = io.WriteString(conn, more)
		}
	}
}

const (
	fine        = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	unavailable = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	endless     = "HTTP/1.1 200 OK\r\n\r\n"
	redirect    = "HTTP/1.1 301 Moved Permanently\r\nLocation: http://" + redirected + "/\r\nContent-Length: 0\r\n\r\n"
)

// redirected is where a redirect leads to.
const redirected = "127.0.32.1:8000"

// inTurns talks in one way after the other.
func inTurns(talks ...talk) talk {
	var n atomic.Int64
	return func(conn net.Conn) { talks[int(n.Add(1))%len(talks)](conn) }
}

// mailHost greets, and takes EHLO and QUIT.
func mailHost(greeting string) talk {
	return func(conn net.Conn) {
		fmt.Fprintf(conn, "%s\r\n", greeting)
		for scan := bufio.NewScanner(conn); scan.Scan(); {
			if strings.HasPrefix(scan.Text(), "QUIT") {
				fmt.Fprint(conn, "221 bye\r\n")
				return
			}
			fmt.Fprint(conn, "250-mx\r\n250 STARTTLS\r\n")
		}
	}
}

// talks are those of servers without faults, by check.
func talks(c *certificate) map[string]talk {
	web := page(fine, "")
	return map[string]talk{
		"tcp": hangUp, "tls": overTLS(c, hang), "smtp": mailHost("220 mx"), "smtp starttls": startTLSHost(c),
		"http /": web, "https /": overTLS(c, web),
	}
}

// faults are those of servers of the test, and of nginx.
func faults(t *testing.T, authority *certificate) []fault {
	web, odd := page(fine, ""), page(strings.Replace(unavailable, "503", "500", 1), "")
	return []fault{
		{"killed", "tcp", "refused", "", swap(nil)},
		{"killed, and no route to another address", "tcp", "refused", "127.0.30.99 2001:db8::1", swap(nil)},
		{"no TLS", "tls", "no TLS", "", swap(mailHost("220 mx"))},
		{"hangs before TLS", "tls", "timeout", "", swap(hang)},
		{"greets with 554", "smtp", "greeting 554", "", swap(mailHost("554 no"))},
		{"greets with 421", "smtp", "greeting 421", "", swap(mailHost("421 closing"))},
		{"does not greet", "smtp", "timeout", "", swap(hang)},
		{"speaks no SMTP", "smtp", "no SMTP", "", swap(mailHost("SSH-2.0-x"))},
		{"STARTTLS is gone", "smtp starttls", "STARTTLS 250", "", swap(mailHost("220 mx"))},
		{"a certificate of another host", "https /", "certificate of another name", "",
			swap(overTLS(authority.issue(t, "www.example.net"), web))},
		{"a certificate of an unknown authority", "https /", "certificate of unknown authority", "",
			swap(overTLS(newCertificate(t, "*.example.com"), web))},
		{"a redirect", "http /", "status 301", "", swap(page(redirect, ""))},
		{"another status", "http /", "status 503", "", swap(page(unavailable, ""))},
		{"a header without end", "http /", "too long", "", swap(page("HTTP/1.1 200 OK\r\n", "X-More: more\r\n"))},
		{"a body without end", "http /", "", "", swap(page(endless, "more"))},
		{"one failure in three", "http /", "", "", swap(inTurns(odd, web, web))},
		{"two failures in three", "http /", "", "", swap(inTurns(odd, odd, web))},
		{"killed, and another address is not probed", "tcp", "", "127.0.30.98 169.254.169.254", swap(nil)},
		{"nginx is stopped", "http /", "timeout", "", stoppedNginx},
		{"nginx is killed", "http /", "refused", "", killedNginx},
	}
}

// startTLSHost is an SMTP server with TLS.
func startTLSHost(c *certificate) talk {
	return func(conn net.Conn) {
		fmt.Fprint(conn, "220 mx\r\n")
		r := bufio.NewReader(conn)
		for _, reply := range []string{"250-mx\r\n250 STARTTLS\r\n", "220 go\r\n"} {
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
			io.WriteString(conn, reply)
		}
		overTLS(c, hang)(conn)
	}
}

// startWeb starts an nginx at an address.
func startWeb(t *testing.T, addr string) *rig.Process {
	t.Helper()
	conf := fmt.Sprintf("daemon off;\npid nginx.pid;\nerror_log stderr notice;\nevents {}\nhttp {\naccess_log off;\n"+
		"server {\nlisten %s;\nlocation / {\nreturn 204;\n}\n}\n}\n", addr)
	dir := publicDir(t)
	write(t, filepath.Join(dir, "nginx.conf"), conf)
	nginx := exec.Command("nginx", "-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf"))
	return runProcess(t, nginx, "start worker process ")
}

func stoppedNginx(t *testing.T, addr string, _ talk) (comes, goes func()) {
	return stopping(t, startWeb(t, addr).Process.Pid)
}

// stopping returns how a group of processes is stopped, and how it goes on.
func stopping(t *testing.T, group int) (stop, resume func()) {
	send := func(s syscall.Signal) func() {
		return func() {
			if err := syscall.Kill(-group, s); err != nil {
				t.Error(err)
			}
		}
	}
	return send(syscall.SIGSTOP), send(syscall.SIGCONT)
}

func killedNginx(t *testing.T, addr string, _ talk) (comes, goes func()) {
	return startWeb(t, addr).Kill, func() { startWeb(t, addr) }
}

// healthCorefile is a signed zone with a secondary.
const healthCorefile = `example.com:1053 {
    bind 127.0.0.1
    prometheus 127.0.0.1:1054
    transfer {
        to * SECONDARY
    }
    dnssec {
        key file KEY
    }
    mxsrv {
        authoritative {
            ns ns
        }
        ignore address-special check-ttl-long
        host ns 127.0.0.1
SERVICES
        checks {
            CHECKS
            timeout 2s
            helo ns
            probe 127.0.0.0/8
        }
    }
}
`

// What the block checks says. Who probes once an hour probes nothing during the test, and nothing that it has from
// before is too old.
const (
	often       = "every 500ms\nstate verdicts"
	hourly      = "every 1h"
	hourlyState = "every 1h\nstate verdicts"
)

// A healthRig is a server, and for each fault a service with two targets: b has the fault, g has none.
type healthRig struct {
	*server
	t          *testing.T // of all parts
	tool       string
	secondary  *notified
	corefile   string // without CHECKS
	talks      map[string]talk
	faults     []faultyServer
	redirected *talker
}

// A faultyServer is the target that has a fault, and the one that has none.
type faultyServer struct {
	fault
	service     string // NAME of the service
	addr, other string // of the targets
	comes, goes func()
	good        *talker
}

// startHealth starts the server. The servers that it is about do not listen yet.
func startHealth(t *testing.T, all []fault, c *certificate) *healthRig {
	t.Helper()
	r := &healthRig{t: t, secondary: startNotified(t), talks: talks(c)}
	var services strings.Builder
	for i, f := range all {
		port := "25"
		if f.addrs == "" {
			f.addrs, port = fmt.Sprint("127.0.30.", i+1), "8000"
		}
		s := faultyServer{fault: f, service: fmt.Sprintf("_s%d._tcp", i), other: fmt.Sprintf("127.0.31.%d:%s", i+1, port)}
		s.addr = strings.Fields(f.addrs)[0] + ":" + port
		r.faults = append(r.faults, s)
		fmt.Fprintf(&services, "host b%d %s\nhost g%[1]d 127.0.31.%[3]d\n", i, f.addrs, i+1)
		fmt.Fprintf(&services, "service %s 0 0 %s b%d g%[3]d {\ncheck %[4]s\n}\n", s.service, port, i, f.check)
	}
	services.WriteString(otherServices)
	dir := t.TempDir()
	r.corefile = strings.NewReplacer("SERVICES", services.String(), "KEY", writeKey(t, dir, "example.com."),
		"SECONDARY", r.secondary.addr).Replace(healthCorefile)
	r.server = start(t, dir, strings.ReplaceAll(r.corefile, "CHECKS", hourly))
	r.corefile = r.replaced(r.corefile)
	return r
}

// otherServices are one of which all targets are down, and two with a target to which there is no route, which is neither
// hidden beside one that is up, nor why one is hidden that is down.
const otherServices = `host all1 127.0.30.3
host all2 127.0.30.4
host away 2001:db8::2 192.0.2.2
host lives 127.0.31.1
host dies 127.0.30.1
service _all._tcp 0 0 8000 all1 all2 {
check tls
}
service _away._tcp 0 0 8000 away lives {
check tcp
}
service _gone._tcp 0 0 8000 away dies {
check tcp
}
`

func hostOf(addr string) string {
	host, _, _ := net.SplitHostPort(addr)
	return host
}

// checks has the server read its Corefile again, with another block of checks.
func (r *healthRig) checks(t *testing.T, lines string) {
	t.Helper()
	r.reload(t, strings.ReplaceAll(r.corefile, "CHECKS", lines), reloaded)
}

// targets returns the first labels of the targets of a service, sorted.
func (s *server) targets(t *testing.T, name string) string {
	t.Helper()
	return targetsOf(s.ask(t, "tcp", query(t, name+".example.com SRV")))
}

func targetsOf(m *dns.Msg) string {
	var targets []string
	for _, rr := range m.Answer {
		switch rr := rr.(type) {
		case *dns.SRV:
			targets = append(targets, strings.SplitN(rr.Target, ".", 2)[0])
		case *dns.MX:
			targets = append(targets, strings.SplitN(rr.Mx, ".", 2)[0])
		}
	}
	slices.Sort(targets)
	return strings.Join(targets, " ")
}

// up returns the metric of a target, "" if there is none.
func (s *server) up(target string) string {
	host, port, _ := net.SplitHostPort(target)
	labels := fmt.Sprintf(`port="%s",server=".*",target="%s"`, port, regexp.QuoteMeta(host))
	line := regexp.MustCompile(`(?m)^coredns_mxsrv_target_up\{.*` + labels + `\} (\d)$`)
	found := line.FindStringSubmatch(s.get(":1054", "/metrics"))
	if found == nil {
		return ""
	}
	return found[1]
}

// A notified counts the NOTIFYs that it gets.
type notified struct {
	addr  string
	count atomic.Int32
}

func startNotified(t *testing.T) *notified {
	t.Helper()
	n := new(notified)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n.addr = conn.LocalAddr().String()
	s := &dns.Server{PacketConn: conn, MsgAcceptFunc: func(dns.Header) dns.MsgAcceptAction { return dns.MsgAccept },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
			n.count.Add(1)
			w.WriteMsg(new(dns.Msg).SetReply(m))
		})}
	go s.ActivateAndServe()
	t.Cleanup(func() { s.Shutdown() })
	return n
}

// declared returns what speaks of what is declared: a transfer with its serial, and the types in denials.
func (r *healthRig) declared(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, rr := range zoneOf(t, r.server, "example.com.") {
		fmt.Fprintln(&b, rr)
	}
	for _, name := range []string{"_s0._tcp", "_all._tcp", "b0", "no"} {
		m := query(t, name+".example.com TXT")
		m.SetEdns0(4096, true)
		for _, rr := range r.ask(t, "tcp", m).Ns {
			if rr.Header().Rrtype == dns.TypeNSEC {
				fmt.Fprintln(&b, rr)
			}
		}
	}
	fmt.Fprintln(&b, r.secondary.count.Load(), "NOTIFYs")
	return b.String()
}

// TestHealth: what is down leaves the answers, and comes back; what cannot be known for sure stays; transfers, serials
// and denials do not move. A reload and a restart keep the verdicts.
func TestHealth(t *testing.T) {
	tool := os.Getenv(toolVar)
	if tool == "" {
		inNamespaces(t, "nginx", "dig", "postfix")
		return
	}
	ownNetwork(t, "127.0.10.1", "127.0.10.2", "127.0.10.3", "127.0.10.80", "127.0.20.1")
	authority := newCertificate(t, "authority")
	roots := filepath.Join(t.TempDir(), "roots.pem")
	write(t, roots, authority.pem)
	t.Setenv("SSL_CERT_FILE", roots)
	r := startHealth(t, append(faults(t, authority), mailFaults...), authority.issue(t, "*.example.com"))
	r.tool, r.redirected = tool, serveTalk(t, redirected, page(fine, ""))
	for _, part := range []struct {
		about string
		test  func(*healthRig, *testing.T)
	}{
		{"first start", (*healthRig).testFirst},
		{"all are up", (*healthRig).testUp},
		{"faults come", (*healthRig).testFaults},
		{"reload", (*healthRig).testReload},
		{"restart", (*healthRig).testRestart},
		{"faults go", (*healthRig).testBack},
	} {
		if !t.Run(part.about, func(t *testing.T) { part.test(r, t) }) {
			t.Fatal(r.server)
		}
	}
}

// ownNetwork gives namespaces a network with some addresses.
func ownNetwork(t *testing.T, addrs ...string) {
	t.Helper()
	command(t, "ip", "link", "set", "lo", "up")
	for _, addr := range addrs {
		command(t, "ip", "addr", "add", addr+"/32", "dev", "lo")
	}
}

// testFirst: of a server that knows nothing yet, all is answered, though nothing listens.
func (r *healthRig) testFirst(t *testing.T) {
	for i, f := range r.faults {
		if got, want := r.targets(t, f.service), fmt.Sprintf("b%d g%[1]d", i); got != want {
			t.Errorf("%s: %s, want %s", f.service, got, want)
		}
	}
	if up := r.up(r.faults[0].addr); up != "" {
		t.Errorf("target_up is %s before a probe", up)
	}
}

// testUp starts all servers. Verdicts that they are up change no answer.
func (r *healthRig) testUp(t *testing.T) {
	for i := range r.faults {
		f := &r.faults[i]
		f.comes, f.goes = f.start(r.t, f.addr, r.talks[f.check])
		f.good = serveTalk(r.t, f.other, r.talks[f.check])
	}
	r.checks(t, often)
	for i, f := range r.faults {
		eventually(t, r.server, "up: "+f.about, func() bool { return r.up(f.addr) == "1" && r.up(f.other) == "1" })
		if got, want := r.targets(t, f.service), fmt.Sprintf("b%d g%[1]d", i); got != want {
			t.Errorf("%s: %s, want %s", f.service, got, want)
		}
	}
}

// testFaults: each fault hides its target, for the reason that the log says, or hides nothing. Of two that are down
// none is hidden.
func (r *healthRig) testFaults(t *testing.T) {
	before := r.declared(t)
	began := make([]time.Time, len(r.faults))
	for i, f := range r.faults {
		f.comes()
		began[i] = time.Now()
	}
	hidden := map[string]time.Duration{}
	eventually(t, r.server, "all faults are seen", func() bool {
		for i, f := range r.faults {
			if hidden[f.about] == 0 && f.why != "" && r.targets(t, f.service) == fmt.Sprint("g", i) {
				hidden[f.about] = time.Since(began[i])
			}
		}
		return len(hidden) == r.hiding()
	})
	for _, f := range r.faults {
		r.testFault(t, f, hidden[f.about])
	}
	r.testStays(t)
	r.testHidden(t)
	r.testSeen(t)
	if after := r.declared(t); after != before {
		t.Errorf("%s\nand before\n%s", after, before)
	}
	if n := r.redirected.accepted.Load(); n > 0 {
		t.Errorf("%d connections to where a redirect leads", n)
	}
}

// hiding returns how many faults hide a target.
func (r *healthRig) hiding() (n int) {
	for _, f := range r.faults {
		if f.why != "" {
			n++
		}
	}
	return n
}

// testFault looks at what is said of a fault that hides its target.
func (r *healthRig) testFault(t *testing.T, f faultyServer, took time.Duration) {
	if f.why == "" {
		return
	}
	logged := regexp.MustCompile(regexp.QuoteMeta(f.addr) + `.* is down: (.*)`).FindStringSubmatch(r.String())
	if logged == nil || logged[1] != f.why || r.up(f.addr) != "0" {
		t.Errorf("%s: %q, want %q; target_up is %q", f.about, logged, f.why, r.up(f.addr))
	}
	t.Logf("%s: hidden after %v: %s", f.about, took.Round(time.Millisecond), f.why)
}

// testStays: some probes later, what stays is still answered.
func (r *healthRig) testStays(t *testing.T) {
	before := make([]int32, len(r.faults))
	for i, f := range r.faults {
		before[i] = f.good.accepted.Load()
	}
	eventually(t, r.server, "many probes have failed", func() bool {
		n, _ := strconv.Atoi(r.metric(`check_failures_total{check="http",reason="status 500",server="dns://` + r.addr + `"}`))
		return n >= 20
	})
	for i, f := range r.faults {
		if f.why == "" {
			eventually(t, r.server, "some more probes", func() bool { return f.good.accepted.Load() >= before[i]+4 })
			if got, want := r.targets(t, f.service), fmt.Sprintf("b%d g%[1]d", i); got != want {
				t.Errorf("%s: %s, want %s", f.about, got, want)
			}
		}
	}
}

// testOpen: two that are down are both answered, and a metric says so. What has no route from here is neither down nor
// in the metrics.
func (r *healthRig) testOpen(t *testing.T) {
	open := `failed_open{name="_all._tcp.example.com.",server="dns://` + r.addr + `"}`
	if got, metric := r.targets(t, "_all._tcp"), r.metric(open); got != "all1 all2" || metric != "1" {
		t.Errorf("all are down: %s, %s %s", got, open, metric)
	}
	for name, want := range map[string]string{"_away._tcp": "away lives", "_gone._tcp": "away dies"} {
		if got := r.targets(t, name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if ipv6, ipv4 := r.up("[2001:db8::2]:8000"), r.up("192.0.2.2:8000"); ipv6+ipv4 != "" {
		t.Errorf("target_up of what has no route: %q and %q", ipv6, ipv4)
	}
}

// testSeen: what dig and the tool say.
func (r *healthRig) testSeen(t *testing.T) {
	host, port, _ := net.SplitHostPort(r.addr)
	dig, _ := exec.Command(rig.Peer(t, "dig"), "@"+host, "-p", port, "+short", "_s0._tcp.example.com", "SRV").Output()
	if want := "0 0 8000 g0.example.com.\n"; string(dig) != want {
		t.Errorf("dig: %q, want %q", dig, want)
	}
	out, _ := exec.Command(r.tool, "status", "--metrics", "http://"+r.at[":1054"]).CombinedOutput()
	for _, want := range []string{` 127\.0\.30\.1:8000 +tcp +down`, ` 127\.0\.31\.1:8000 +tcp +up`, `\n  _all\._tcp\.example\.com\n`} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("mxsrv status: no %s in\n%s", want, out)
		}
	}
}

// hidden checks that the targets with faults that hide them are hidden.
func (r *healthRig) testHidden(t *testing.T) {
	t.Helper()
	for i, f := range r.faults {
		want := fmt.Sprintf("b%d g%[1]d", i)
		if f.why != "" {
			want = fmt.Sprint("g", i)
		}
		if got := r.targets(t, f.service); got != want {
			t.Errorf("%s: %s, want %s", f.about, got, want)
		}
	}
	r.testOpen(t)
}

// testReload: a reload keeps the verdicts, without a file. The new server does not probe.
func (r *healthRig) testReload(t *testing.T) {
	r.checks(t, hourly)
	r.testHidden(t)
}

// testRestart: a restart keeps the verdicts by the file, although nothing answers any more.
func (r *healthRig) testRestart(t *testing.T) {
	r.checks(t, often)
	eventually(t, r.server, "the verdicts are saved", func() bool {
		text, _ := os.ReadFile(filepath.Join(r.Dir, "verdicts"))
		return strings.Count(string(text), "\ndown\t") >= r.hiding()
	})
	write(t, filepath.Join(r.Dir, "Corefile"), strings.ReplaceAll(r.corefile, "CHECKS", hourlyState))
	r.Kill()
	for _, f := range r.faults {
		f.good.set(nil)
	}
	r.run(r.t, r.Dir)
	r.testHidden(t)
}

// testBack: what answers again is answered again.
func (r *healthRig) testBack(t *testing.T) {
	for _, f := range r.faults {
		f.goes()
		f.good.set(r.talks[f.check])
	}
	r.checks(t, often)
	for i, f := range r.faults {
		eventually(t, r.server, "back: "+f.about, func() bool {
			return r.up(f.addr) == "1" && r.targets(t, f.service) == fmt.Sprintf("b%d g%[1]d", i)
		})
	}
}
