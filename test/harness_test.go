// Package test runs whole servers: the coredns of this repository as a process
// on loopback, asked by real clients.
package test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

var (
	coredns    string // path of the binary
	buildFlags []string
)

var long = flag.Bool("long", false, "tests that can take minutes do: as before a release")

// orLong returns what a test that can take minutes does: little, or all of it with -long.
func orLong[T any](t *testing.T, little, all T) T {
	if *long {
		return all
	}
	rig.Short(t, "-long")
	return little
}

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	if coredns = os.Getenv("MXSRV_COREDNS"); coredns != "" { // a binary that is there already
		return rig.Tests{M: m}.Run()
	}
	dir, err := os.MkdirTemp("", "mxsrv")
	if err == nil {
		defer os.RemoveAll(dir)
		coredns, err = rig.Build(dir, "../cmd/coredns", buildFlags...)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return rig.Tests{M: m}.Run()
}

// A server is what is asked: a coredns, or another server of DNS.
type server struct {
	*rig.Process
	addr string            // of what the Corefile has on port 1053
	at   map[string]string // the address of each port in the Corefile, as ":1053"
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
	s := &server{addr: at[":1053"], at: at}
	s.run(t, copied)
	return s
}

func (s *server) run(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command(coredns)
	cmd.Dir = dir
	s.Process = runProcess(t, cmd, "CoreDNS-")
}

// restart kills the coredns and starts it again where it was.
func (s *server) restart(t *testing.T) {
	t.Helper()
	s.Kill()
	s.run(t, s.Dir)
}

// run starts another server, and returns once it has printed a line that holds mark.
func run(t *testing.T, addr string, cmd *exec.Cmd, mark string) *server {
	t.Helper()
	return &server{Process: runProcess(t, cmd, mark), addr: addr}
}

// runProcess starts a command, and returns once it has printed a line that holds mark. It is
// killed when the test ends; a data race or a panic that it has printed fails the test.
func runProcess(t testing.TB, cmd *exec.Cmd, mark string) *rig.Process {
	t.Helper()
	p, err := rig.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		if s := p.String(); strings.Contains(s, "DATA RACE") || strings.Contains(s, "Recovered from panic") {
			t.Errorf("%s: %s", p.Args[0], s)
		}
	})
	if err := p.Await(mark, rig.Limit); err != nil {
		t.Fatal(err)
	}
	return p
}

// freePort returns a port that is free for UDP and TCP.
func freePort(t testing.TB) string {
	t.Helper()
	port, err := rig.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(port)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ask sends a question over a network and returns the answer.
func (s *server) ask(t *testing.T, network string, m *dns.Msg) *dns.Msg {
	t.Helper()
	c := dns.Client{Net: network, UDPSize: dns.MaxMsgSize}
	res, _, err := c.Exchange(m, s.addr)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", m.Question[0].Name, network, err, s)
	}
	return res
}

// serialOf returns the serial of a zone.
func serialOf(t *testing.T, s *server, zone string) uint32 {
	t.Helper()
	res := s.ask(t, "udp", query(t, zone+" SOA"))
	if len(res.Answer) != 1 {
		t.Fatalf("%s SOA: %v\n%s", zone, res, s)
	}
	return res.Answer[0].(*dns.SOA).Serial
}

// zoneOf returns the records of a zone, which it transfers.
func zoneOf(t *testing.T, s *server, zone string) []dns.RR {
	t.Helper()
	all, err := transfer(s.addr, new(dns.Msg).SetAxfr(zone))
	if err != nil {
		t.Fatalf("transfer of %s: %v\n%s", zone, err, s)
	}
	return all
}

// transfer returns the records of a whole zone transfer.
func transfer(addr string, m *dns.Msg) (all []dns.RR, err error) {
	envelopes, err := new(dns.Transfer).In(m, addr)
	if err != nil {
		return nil, err
	}
	for e := range envelopes {
		if e.Error != nil {
			return nil, e.Error
		}
		all = append(all, e.RR...)
	}
	return all, nil
}

// reload has CoreDNS read a Corefile, and returns once it has logged mark.
func (s *server) reload(t *testing.T, corefile, mark string) {
	t.Helper()
	write(t, filepath.Join(s.Dir, "Corefile"), corefile)
	before := strings.Count(s.String(), mark)
	if err := s.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	eventually(t, s, mark, func() bool { return strings.Count(s.String(), mark) > before })
}

// replaced returns a Corefile with the ports that were chosen for the server.
func (s *server) replaced(corefile string) string {
	for port, addr := range s.at {
		corefile = strings.ReplaceAll(corefile, port, strings.TrimPrefix(addr, "127.0.0.1"))
	}
	return corefile
}

// reloaded is what CoreDNS logs when it serves the Corefile that it has read again.
const reloaded = "Reloading complete"

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

// format writes a message as the tests hold it: status if it is not NOERROR, then the sections, OPT left out and SOA
// without its numbers. What may be in several orders is in the fixed one.
func format(m *dns.Msg) string {
	m = inFixedOrder(m)
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
