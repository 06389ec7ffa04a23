package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/test/rig"
)

// peers is the condition "peer:NAME": a program that the machine may not have, and
// must have where peers are required.
func peers(condition string) (bool, error) {
	name, ok := strings.CutPrefix(condition, "peer:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", condition)
	}
	return rig.Installed(name)
}

// A running is what runs beside a script, until it ends.
type running struct {
	processes map[string]*rig.Process // by the names that the script gives them
	etcd      *rig.Cluster            // nil before "etcd start"
}

func setRunning(env *testscript.Env) error {
	r := &running{processes: map[string]*rig.Process{}}
	env.Values["running"] = r
	env.Defer(r.stop)
	return nil
}

func (r *running) stop() {
	for _, p := range r.processes {
		p.Kill()
	}
	if r.etcd != nil {
		r.etcd.Stop()
	}
}

func of(ts *testscript.TestScript) *running { return ts.Value("running").(*running) }

// begin is the command "begin NAME PROGRAM WORD...": it runs a program beside the
// script, with its output in NAME.log.
func begin(ts *testscript.TestScript, _ bool, args []string) {
	path, err := exec.LookPath(args[1])
	ts.Check(err)
	log, err := os.OpenFile(ts.MkAbs(args[0]+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	defer log.Close()
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.Getenv("WORK"), log, log
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + ts.Getenv("WORK")}
	for _, name := range []string{passwordVariable, "ETCD"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	p, err := rig.Start(cmd)
	ts.Check(err)
	of(ts).processes[args[0]] = p
}

var signals = map[string]os.Signal{
	"CONT": syscall.SIGCONT, "HUP": syscall.SIGHUP, "INT": os.Interrupt,
	"KILL": os.Kill, "STOP": syscall.SIGSTOP, "TERM": syscall.SIGTERM,
}

// send is the command "signal NAME SIGNAL".
func send(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(of(ts).processes[args[0]].Signal(signals[args[1]]))
}

// end is the command "end NAME SIGNAL CODE": it sends a signal, or none for "-", and
// wants that exit code; -1 is that of a process that a signal has ended.
func end(ts *testscript.TestScript, _ bool, args []string) {
	p := of(ts).processes[args[0]]
	if args[1] != "-" {
		ts.Check(p.Signal(signals[args[1]]))
	}
	code, err := p.Wait(rig.Limit)
	if got := strconv.Itoa(code); err != nil || got != args[2] {
		ts.Fatalf("exit code %s of %s, want %s: %v\n%s", got, args[0], args[2], err, ts.ReadFile(args[0]+".log"))
	}
}

// await is the command "await FILE REGEXP": it waits until a file has that in it.
func await(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[1])
	for until := time.Now().Add(rig.Limit); ; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(ts.MkAbs(args[0]))
		if pattern.Match(text) {
			return
		}
		if time.Now().After(until) {
			ts.Fatalf("%s does not come to have %s\n%s", args[0], args[1], text)
		}
	}
}

// etcdServer is the command "etcd start|kill": a cluster of its own, on $ETCD, its data in
// the directory etcd.
func etcdServer(ts *testscript.TestScript, _ bool, args []string) {
	r := of(ts)
	switch {
	case args[0] == "kill":
		r.etcd.Members[0].Kill()
	case r.etcd == nil:
		c, err := rig.StartEtcd(ts.MkAbs("etcd"), 1, "--auth-token-ttl", "2")
		ts.Check(err)
		r.etcd = c
		ts.Setenv("ETCD", c.Members[0].Addr())
	default:
		ts.Check(r.etcd.Members[0].Start())
		ts.Check(r.etcd.Members[0].Ready())
	}
}

// awaitKey is the command "[!] key KEY": it waits until etcd has a key, or not.
func awaitKey(ts *testscript.TestScript, neg bool, args []string) {
	client := of(ts).etcd.Client
	ctx, cancel := context.WithTimeout(context.Background(), rig.Limit)
	defer cancel()
	r, err := client.Get(ctx, args[0])
	ts.Check(err)
	there := len(r.Kvs) > 0
	if there != neg {
		return
	}
	for w := range client.Watch(ctx, args[0], clientv3.WithRev(r.Header.Revision+1)) {
		for _, e := range w.Events {
			there = e.Type == clientv3.EventTypePut
		}
		if there != neg {
			return
		}
	}
	ts.Fatalf("%s stays as it is", args[0])
}

// TestPrintedForged: no key and no text makes another fragment of what get prints.
func TestPrintedForged(t *testing.T) {
	forged := "\n#: /mxsrv/evil, revision 1\nhost evil 192.0.2.66\n"
	for _, key := range []string{"/mxsrv/a", "/mxsrv/a" + forged, "/mxsrv/a b", `"/mxsrv/a"`, `/mxsrv/"`, "/mxsrv/\x1b\xff", "/mxsrv/a\u2028b"} {
		var out bytes.Buffer
		why := []lint.Finding{{Pos: definition.Pos{Source: key, Line: 1}, Text: "x"}}
		printed{Key: key, Text: "host a 192.0.2.1" + forged, why: why}.print(&ui{out: &out}, false)
		got := parsePrinted(out.String())
		if len(got) != 1 || got[0].Key != key || !strings.Contains(got[0].Text, "host a 192.0.2.1\n") {
			t.Errorf("%q is printed as\n%s\nand read as %+v", key, out.String(), got)
		}
	}
}

// TestParsePrinted: what get prints is read as the fragments that it was.
func TestParsePrinted(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a definitions file", "host mx1 192.0.2.1\n", ""},
		{"one", "#: /mxsrv/a, revision 2\nhost mx1 192.0.2.1\n", "/mxsrv/a=host mx1 192.0.2.1\n;"},
		{"several, with leases and reasons", "#: /mxsrv/a, revision 2, lease 1f with 9s left\n#: left out: x\n# mine\nttl 5\n\n\n#: /mxsrv/b/c, revision 30\n",
			"/mxsrv/a=# mine\nttl 5\n;/mxsrv/b/c=\n;"},
		{"a comment that looks alike", "# note\n#: /mxsrv/a, revision 2\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			for _, f := range parsePrinted(c.text) {
				got += f.Key + "=" + f.Text + ";"
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
