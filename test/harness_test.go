// Package test runs whole servers: the coredns of this repository as a process
// on loopback, asked by real clients.
package test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

var (
	coredns    string // path of the binary
	buildFlags []string
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if coredns = os.Getenv("MXSRV_COREDNS"); coredns != "" { // a binary that is there already
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "mxsrv")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	coredns = filepath.Join(dir, "coredns")
	args := append([]string{"build", "-o", coredns}, buildFlags...)
	if out, err := exec.Command("go", append(args, "../cmd/coredns")...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build ../cmd/coredns: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// peer returns the path of a program that the machine may not have. Without it
// the test is skipped, or fails where peers are required.
func peer(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("MXSRV_REQUIRE_PEERS") != "" {
		t.Fatalf("%s is not installed", name)
	}
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return path
}

// freePort returns a port that is free for UDP and TCP on 127.0.0.1.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		p, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		l.Close()
		if err == nil {
			p.Close()
			return port
		}
	}
	t.Fatal("no port is free for both UDP and TCP")
	return ""
}

// A server is a running coredns.
type server struct {
	addr    string            // of what the Corefile has on port 1053
	at      map[string]string // the address of each port in the Corefile
	dir     string            // working directory
	log     *lines
	process *os.Process
}

// lines collects what a process prints.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(line + "\n")
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start runs coredns with a Corefile in a copy of a directory, its ports 1050 to
// 1059 replaced by free ones, until the test ends.
func start(t *testing.T, dir, corefile string) *server {
	t.Helper()
	at := map[string]string{}
	corefile = regexp.MustCompile(`:105\d\b`).ReplaceAllStringFunc(corefile, func(port string) string {
		if at[port] == "" {
			at[port] = "127.0.0.1:" + freePort(t)
		}
		return strings.TrimPrefix(at[port], "127.0.0.1")
	})
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(copied, "Corefile"), corefile)
	cmd := exec.Command(coredns)
	cmd.Dir = copied
	log := await(t, cmd, "CoreDNS-")
	return &server{at[":1053"], at, copied, log, cmd.Process}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// await starts a process, and returns once it has printed a line that holds
// mark. The process is stopped when the test ends; a data race in it fails the
// test.
func await(t *testing.T, cmd *exec.Cmd, mark string) *lines {
	t.Helper()
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log, ready, done := new(lines), make(chan bool, 1), make(chan bool)
	go func() {
		defer close(done)
		scan := bufio.NewScanner(r)
		for scan.Scan() {
			log.add(scan.Text())
			if strings.Contains(scan.Text(), mark) {
				select {
				case ready <- true:
				default:
				}
			}
		}
	}()
	exited := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		w.Close()
		<-done
		exited <- err
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-done
		if s := log.String(); strings.Contains(s, "DATA RACE") || strings.Contains(s, "Recovered from panic") {
			t.Errorf("%s: %s", cmd.Path, s)
		}
	})
	select {
	case <-ready:
	case err := <-exited:
		t.Fatalf("%s ended before it printed %q: %v\n%s", cmd.Path, mark, err, log)
	}
	return log
}

// ask sends a question over a network and returns the answer.
func (s *server) ask(t *testing.T, network string, m *dns.Msg) *dns.Msg {
	t.Helper()
	c := dns.Client{Net: network, UDPSize: dns.MaxMsgSize}
	res, _, err := c.Exchange(m, s.addr)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", m.Question[0].Name, network, err, s.log)
	}
	return res
}

// query makes a question from "NAME TYPE".
func query(t *testing.T, text string) *dns.Msg {
	t.Helper()
	name, qtype, _ := strings.Cut(text, " ")
	number, ok := dns.StringToType[qtype]
	if !ok {
		n, err := strconv.ParseUint(strings.TrimPrefix(qtype, "TYPE"), 10, 16)
		if err != nil {
			t.Fatalf("question %q: write NAME TYPE", text)
		}
		number = uint16(n)
	}
	return new(dns.Msg).SetQuestion(dns.Fqdn(name), number)
}

// format writes a message as the tests hold it: status if it is not NOERROR,
// then the sections in order, OPT left out and SOA without its numbers.
func format(m *dns.Msg) string {
	var b strings.Builder
	if m.Rcode != dns.RcodeSuccess {
		fmt.Fprintf(&b, "; %s\n", dns.RcodeToString[m.Rcode])
	}
	if m.Truncated {
		b.WriteString("; TC\n")
	}
	section := func(title string, rrs []dns.RR) {
		for _, rr := range rrs {
			if rr.Header().Rrtype == dns.TypeOPT {
				continue
			}
			b.WriteString(title)
			title = ""
			if rr.Header().Rrtype == dns.TypeSOA {
				fmt.Fprintf(&b, "%s SOA\n", rr.Header().Name)
				continue
			}
			b.WriteString(strings.ReplaceAll(rr.String(), "\t", " ") + "\n")
		}
	}
	section("", m.Answer)
	section("; authority\n", m.Ns)
	section("; additional\n", m.Extra)
	return b.String()
}

// check asks questions and compares the answers, each a block of lines: "> NAME
// TYPE", then what format writes. Each is asked over UDP and TCP, and in mixed
// case.
func check(t *testing.T, s *server, answers string) {
	t.Helper()
	asked := 0
	for block := range strings.SplitSeq(uncomment(answers), "\n> ") {
		question, want, _ := strings.Cut(strings.TrimSpace(block), "\n")
		if question == "" {
			continue
		}
		asked++
		want = strings.TrimSpace(want)
		for _, network := range []string{"udp", "tcp"} {
			for _, text := range []string{question, mixCase(question)} {
				m := query(t, text)
				m.SetEdns0(4096, false)
				if got := strings.TrimSpace(format(s.ask(t, network, m))); got != want {
					t.Errorf("> %s (%s)\n%s\nwant\n%s", text, network, got, want)
				}
			}
		}
	}
	if asked == 0 {
		t.Error("no question")
	}
}

// uncomment drops comments and blank lines, and starts with a line end.
func uncomment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			b.WriteString("\n" + line)
		}
	}
	return b.String()
}

// mixCase writes every second letter of the name in a question as a capital.
func mixCase(question string) string {
	name, qtype, _ := strings.Cut(question, " ")
	b := []byte(name)
	for i := 0; i < len(b); i += 2 {
		b[i] = []byte(strings.ToUpper(string(b[i])))[0]
	}
	return string(b) + " " + qtype
}
