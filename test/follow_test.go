package test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// eventually asks again and again until what is said is so.
func eventually(t *testing.T, s *server, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(rig.Limit); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v: not so: %s\n%s", rig.Limit, what, s)
		}
	}
}

// get returns what a plugin says over HTTP, or nothing while it cannot be asked.
func (s *server) get(port, path string) string {
	res, err := http.Get("http://" + s.at[port] + path)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return string(text)
}

// metric returns the value of a metric with its labels, "" if there is none.
func (s *server) metric(series string) string {
	m := regexp.MustCompile(`(?m)^coredns_mxsrv_` + regexp.QuoteMeta(series) + ` (\S+)$`).FindStringSubmatch(s.get(":1054", "/metrics"))
	if m == nil {
		return ""
	}
	return m[1]
}

// load has dnsperf ask a question all the time until stop is called: every
// query must get the answer NOERROR.
func load(t *testing.T, s *server, question string) (stop func()) {
	t.Helper()
	questions := filepath.Join(t.TempDir(), "questions")
	write(t, questions, question+"\n")
	host, port, _ := strings.Cut(s.addr, ":")
	dnsperf := runProcess(t, exec.Command(rig.Peer(t, "dnsperf"), "-s", host, "-p", port, "-d", questions, "-Q", "1000", "-l", "86400"), "")
	return func() {
		t.Helper()
		dnsperf.Signal(os.Interrupt)
		if code, err := dnsperf.Wait(rig.Limit); err != nil || code != 0 {
			t.Fatalf("dnsperf: exit code %d, %v\n%s", code, err, dnsperf)
		}
		out := dnsperf.String()
		sent := regexp.MustCompile(`Queries sent: +([1-9]\d*)`).FindString(out)
		if sent == "" || !regexp.MustCompile(`Queries lost: +0 .*\n(.*\n)*.*NOERROR \d+ \(100\.00%\)`).MatchString(out) {
			t.Errorf("queries were lost or not answered\n%s\n%s", out, s)
		}
		t.Log(sent, "lost 0")
	}
}

// A watch asks a question all the time: the answer must always be one of two.
type watch struct {
	mu      sync.Mutex
	allowed [2]string
	stop    func()
}

func newWatch(t *testing.T, s *server, question, first string) *watch {
	w, done := &watch{allowed: [2]string{first, first}}, make(chan bool)
	ended := make(chan bool)
	go func() {
		defer close(ended)
		for c := new(dns.Client); ; {
			select {
			case <-done:
				return
			default:
			}
			before := w.now()
			res, _, err := c.Exchange(query(t, question), s.addr)
			if err != nil {
				t.Errorf("watching %s: %v", question, err)
				return
			}
			if got, after := format(res), w.now(); got != before[0] && got != before[1] && got != after[1] {
				t.Errorf("%s:\n%s\nwant\n%s\nor\n%s", question, got, before[0], before[1])
				return
			}
		}
	}()
	w.stop = sync.OnceFunc(func() { close(done); <-ended })
	t.Cleanup(w.stop)
	return w
}

func (w *watch) now() [2]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.allowed
}

// expect allows another answer beside the last.
func (w *watch) expect(answer string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.allowed = [2]string{w.allowed[1], answer}
}

const followed = `example.org:1053 {
    bind 127.0.0.1
    root defs
    prometheus 127.0.0.1:1054
    mxsrv {
        host stay 192.0.2.1
        mail stay 10 stay
        file *.conf
        reload 100ms
    }
}
`

// mx writes the answer for the MX of example.org with these exchanges.
func mx(hosts ...string) string {
	var b strings.Builder
	for _, h := range hosts {
		fmt.Fprintf(&b, "example.org. 3600 IN MX 10 %s.example.net.\n", h)
	}
	return b.String()
}

// TestFollow: files are changed in the ways of editors, generators and
// Kubernetes, good and bad, while the server is asked without a pause. No query
// is lost, and no answer is one that was never declared.
func TestFollow(t *testing.T) {
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(filepath.Join(dir, "defs"), 0o700))
	write(t, filepath.Join(dir, "defs", "a.conf"), "mail @ 10 a.example.net.\n")
	s := start(t, dir, followed)
	at := func(name string) string { return filepath.Join(s.Dir, "defs", name) }
	link := func(to, name string) {
		t.Helper()
		must(os.Symlink(to, at(name+".new")))
		must(os.Rename(at(name+".new"), at(name)))
	}

	stop := load(t, s, "stay.example.org MX")
	w := newWatch(t, s, "example.org. MX", mx("a"))
	for _, step := range []struct {
		name   string
		change func()
		want   string // the answer
		log    string // or what is logged, where the answer does not change
	}{
		{"rewritten", func() { write(t, at("a.conf"), "mail @ 10 b.example.net.\n") }, mx("b"), ""},
		{"renamed over", func() {
			write(t, at("a.new"), "mail @ 10 c.example.net.\n")
			must(os.Rename(at("a.new"), at("a.conf")))
		}, mx("c"), ""},
		{"truncated, then written in two steps", func() {
			write(t, at("a.conf"), "")
			write(t, at("a.conf"), "mail @ {\n 10 d.example.net.\n")
			write(t, at("a.conf"), "mail @ {\n 10 d.example.net.\n 10 e.example.net.\n}\n")
		}, mx("d", "e"), ""},
		{"a glob gains a file", func() { write(t, at("b.conf"), "mail @ 10 f.example.net.\n") }, mx("d", "e", "f"), ""},
		{"a mistake", func() { write(t, at("b.conf"), "mail @ 10 192.0.2.1\n") }, "", "defs/b.conf:1: error: \"192.0.2.1\" is an address"},
		{"another", func() { write(t, at("b.conf"), "mail @ none\n") }, "", "defs/b.conf:1: error: mail domain example.org. has none, and exchanges at defs/a.conf:2"},
		{"corrected", func() { write(t, at("b.conf"), "mail @ 10 g.example.net.\n") }, mx("d", "e", "g"), ""},
		{"a glob loses a file", func() { must(os.Remove(at("b.conf"))) }, mx("d", "e"), ""},
		{"gone", func() { must(os.Remove(at("a.conf"))) }, "", "defs/*.conf matches no file"},
		{"back", func() { write(t, at("a.conf"), "mail @ 10 h.example.net.\n") }, mx("h"), ""},
		{"emptied", func() { write(t, at("a.conf"), "") }, "", "defs/a.conf is empty"},
		{"a ConfigMap in its place", func() {
			must(os.Mkdir(at("..1"), 0o700))
			write(t, at("..1/a.conf"), "mail @ 10 i.example.net.\n")
			must(os.Symlink("..1", at("..data")))
			link("..data/a.conf", "a.conf")
		}, mx("i"), ""},
		{"the ConfigMap is updated", func() {
			must(os.Mkdir(at("..2"), 0o700))
			write(t, at("..2/a.conf"), "mail @ 10 j.example.net.\n")
			link("..2", "..data")
			must(os.RemoveAll(at("..1")))
		}, mx("j"), ""},
	} {
		if step.want != "" {
			w.expect(step.want)
		}
		before := len(s.String())
		since := func() string { return s.String()[before:] }
		step.change()
		if step.want == "" {
			eventually(t, s, step.name+": it is rejected", func() bool {
				_, after, logged := strings.Cut(since(), step.log)
				return logged && strings.Contains(after, rejected)
			})
			if log := since(); strings.Count(log, step.log) != 1 {
				t.Errorf("%s: want once %q\n%s", step.name, step.log, log)
			}
			if got := s.metric(`last_load_failed{server="dns://` + s.addr + `"}`); got != "1" {
				t.Errorf("%s: last_load_failed is %q, want 1", step.name, got)
			}
			continue
		}
		eventually(t, s, step.name+": "+step.want, func() bool { return format(s.ask(t, "udp", query(t, "example.org. MX"))) == step.want })
		if got := s.metric(`last_load_failed{server="dns://` + s.addr + `"}`); got != "0" {
			t.Errorf("%s: last_load_failed is %q, want 0", step.name, got)
		}
	}
	w.stop()
	stop()
}

// rejected is in the log after each change that was rejected.
const rejected = ": rejected: the definitions loaded at "

// rejected counts the changes that the log says were rejected.
func (s *server) rejected() int { return strings.Count(s.String(), rejected) }

// awaitSignals waits until CoreDNS listens for signals: one that comes before is lost without a word. The Corefile has
// pprof on port 1057.
func (s *server) awaitSignals(t *testing.T) {
	t.Helper()
	listening := regexp.MustCompile(`\[chan receive.*\n.*trapSignalsPosix`)
	eventually(t, s, "listening for signals", func() bool { return listening.MatchString(s.get(":1057", "/debug/pprof/goroutine?debug=2")) })
}

// TestReload: CoreDNS reads its Corefile a hundred times, with mistakes in
// between, and loses no query, and leaves neither goroutine nor descriptor
// behind.
func TestReload(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "defs"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "defs", "a.conf"), "mail @ 10 a.example.net.\n")
	s := start(t, dir, "example.net:1053 {\n bind 127.0.0.1\n pprof 127.0.0.1:1057\n}\n"+followed)
	good := read(t, filepath.Join(s.Dir, "Corefile"))
	stop := load(t, s, "stay.example.org MX")

	s.awaitSignals(t)
	goroutines := func(of string) int { return strings.Count(s.get(":1057", "/debug/pprof/goroutine?debug=2"), of) }
	descriptors := func() int {
		fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.Cmd.Process.Pid))
		return len(fds)
	}
	const all, ours = "goroutine ", "publish.(*Publisher).Follow."

	s.reload(t, good, reloaded)
	before, open := goroutines(all), descriptors()
	for range 50 {
		s.reload(t, good+"example.com:1053 {\n mxsrv {\n  oops\n }\n}\n", "Restart failed")
		s.reload(t, strings.Replace(good, "mail stay", "mail also stay", 1), reloaded)
		s.reload(t, good, reloaded)
	}
	eventually(t, s, fmt.Sprintf("%d goroutines and %d descriptors as before", before, open), func() bool {
		return goroutines(all) <= before && descriptors() <= open
	})
	// Of an instance that fails this late, other plugins leave something behind.
	for range 5 {
		s.reload(t, good+"example.com:1 {\n bind 192.0.2.1\n}\n", "Restart failed")
	}
	const kept = `the reload failed, and the Corefile is still served as it was before: run "mxsrv check", and `
	if !strings.Contains(s.String(), "[WARNING] plugin/mxsrv: "+kept) {
		t.Errorf("the log does not say what is served\n%s", s)
	}
	eventually(t, s, "one goroutine follows", func() bool { return goroutines(ours) == 1 })
	w := newWatch(t, s, "example.org. MX", mx("a"))
	w.expect(mx("b"))
	write(t, filepath.Join(s.Dir, "defs", "a.conf"), "mail @ 10 b.example.net.\n")
	eventually(t, s, "files are followed still", func() bool { return format(s.ask(t, "udp", query(t, "example.org. MX"))) == mx("b") })
	w.stop()
	stop()
}

// TestReloadBesideMistake: a Corefile is changed while a file has a mistake: the change is served, with the file as it
// was, and the log and a metric go on saying so until the file is corrected.
func TestReloadBesideMistake(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "defs"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "defs", "a.conf"), "mail @ 10 a.example.net.\n")
	s := start(t, dir, strings.Replace(followed, "root defs", "root defs\n    reload 2s 1s", 1))
	file, corefile := filepath.Join(s.Dir, "defs", "a.conf"), filepath.Join(s.Dir, "Corefile")
	answer := func(name string) string { return format(s.ask(t, "udp", query(t, name+" MX"))) }
	failed := func() string { return s.metric(`last_load_failed{server="dns://` + s.addr + `"}`) }
	logged := func(text string) int { return strings.Count(s.String(), text) }

	write(t, file, "mail @ 10 192.0.2.1\n")
	eventually(t, s, "it is rejected", func() bool { return s.rejected() == 1 })
	write(t, corefile, strings.Replace(read(t, corefile), "mail stay", "mail new none\n        mail stay", 1))
	eventually(t, s, "the Corefile is served", func() bool { return answer("new.example.org.") == "new.example.org. 3600 IN MX 0 .\n" })
	if got := answer("example.org."); got != mx("a") {
		t.Errorf("%s\nwant what was accepted of the file", got)
	}
	eventually(t, s, "the reload is over", func() bool { return logged(reloaded) == 1 })
	if n := logged("defs/a.conf:1: error: \"192.0.2.1\" is an address"); n != 2 || failed() != "1" ||
		logged("[ERROR] plugin/mxsrv: file defs/*.conf: rejected: what was loaded before is still served") != 1 {
		t.Errorf("the mistake is logged %d times, want once a load; last_load_failed is %q\n%s", n, failed(), s)
	}
	write(t, file, "mail @ 10 b.example.net.\n")
	eventually(t, s, "the file is corrected", func() bool { return answer("example.org.") == mx("b") })
	if failed() != "0" || answer("new.example.org.") != "new.example.org. 3600 IN MX 0 .\n" {
		t.Errorf("last_load_failed is %q\n%s", failed(), s)
	}
}
