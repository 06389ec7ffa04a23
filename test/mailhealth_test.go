package test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

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
