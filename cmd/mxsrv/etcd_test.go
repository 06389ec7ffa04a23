package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// longEnough is how long a script waits for what must come.
const longEnough = time.Minute

// peers is the condition "peer:NAME": a program that the machine may not have, and
// must have where peers are required.
func peers(condition string) (bool, error) {
	name, ok := strings.CutPrefix(condition, "peer:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", condition)
	}
	_, err := exec.LookPath(name)
	if err != nil && os.Getenv("MXSRV_REQUIRE_PEERS") != "" {
		return false, fmt.Errorf("%s is not installed", name)
	}
	return err == nil, nil
}

// processes are those of a script, by the names that it gives them.
type processes map[string]*process

// A process is one that is awaited only once.
type process struct {
	*exec.Cmd
	exited chan error
}

func setProcesses(env *testscript.Env) error {
	env.Values["processes"] = processes{}
	return nil
}

func of(ts *testscript.TestScript) processes { return ts.Value("processes").(processes) }

// spawn runs a program whose output goes to NAME.log, until the script ends.
func spawn(ts *testscript.TestScript, name, program string, args ...string) {
	path, err := exec.LookPath(program)
	ts.Check(err)
	log, err := os.OpenFile(ts.MkAbs(name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	p := &process{exec.Command(path, args...), make(chan error, 1)}
	p.Dir, p.Stdout, p.Stderr = ts.Getenv("WORK"), log, log
	p.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + ts.Getenv("WORK")}
	for _, name := range []string{passwordVariable, "ETCD"} {
		p.Env = append(p.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(p.Start())
	log.Close()
	of(ts)[name] = p
	go func() { p.exited <- p.Wait() }()
	ts.Defer(func() { p.Process.Kill() })
}

// begin is the command "begin NAME PROGRAM WORD...": it runs a program beside the
// script, with its output in NAME.log.
func begin(ts *testscript.TestScript, _ bool, args []string) {
	spawn(ts, args[0], args[1], args[2:]...)
}

var signals = map[string]os.Signal{
	"CONT": syscall.SIGCONT, "HUP": syscall.SIGHUP, "INT": os.Interrupt, "KILL": os.Kill, "STOP": syscall.SIGSTOP, "TERM": syscall.SIGTERM,
}

// send is the command "signal NAME SIGNAL".
func send(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(of(ts)[args[0]].Process.Signal(signals[args[1]]))
}

// end is the command "end NAME SIGNAL CODE": it sends a signal, or none for "-", and
// wants that exit code; -1 is that of a process that a signal has ended.
func end(ts *testscript.TestScript, _ bool, args []string) {
	p := of(ts)[args[0]]
	if args[1] != "-" {
		ts.Check(p.Process.Signal(signals[args[1]]))
	}
	select {
	case <-p.exited:
	case <-time.After(longEnough):
		ts.Fatalf("%s does not end\n%s", args[0], ts.ReadFile(args[0]+".log"))
	}
	if got := strconv.Itoa(p.ProcessState.ExitCode()); got != args[2] {
		ts.Fatalf("exit code %s of %s, want %s\n%s", got, args[0], args[2], ts.ReadFile(args[0]+".log"))
	}
}

// await is the command "await FILE REGEXP": it waits until a file has that in it.
func await(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile("(?m)" + args[1])
	for until := time.Now().Add(longEnough); ; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(ts.MkAbs(args[0]))
		if pattern.Match(text) {
			return
		}
		if time.Now().After(until) {
			ts.Fatalf("%s does not come to have %s\n%s", args[0], args[1], text)
		}
	}
}

// etcdServer is the command "etcd start|kill": a member of its own, on $ETCD.
func etcdServer(ts *testscript.TestScript, _ bool, args []string) {
	if args[0] == "kill" {
		p := of(ts)["etcd"]
		ts.Check(p.Process.Kill())
		<-p.exited
		return
	}
	client, peer := ts.Getenv("ETCD"), ts.Getenv("ETCD_PEER")
	if client == "" {
		client, peer = freeAddr(ts), freeAddr(ts)
		ts.Setenv("ETCD", client)
		ts.Setenv("ETCD_PEER", peer)
	}
	spawn(ts, "etcd", "etcd", etcdFlags(filepath.Join(ts.Getenv("WORK"), "etcd"), client, peer)...)
	ts.Check(awaitEtcd(client))
}

func etcdFlags(dir, client, peer string) []string {
	client, peer = "http://"+client, "http://"+peer
	return []string{"--data-dir", dir, "--auth-token-ttl", "2",
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer}
}

func freeAddr(ts *testscript.TestScript) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	return l.Addr().String()
}

// awaitEtcd waits until etcd takes connections.
func awaitEtcd(addr string) error {
	for until := time.Now().Add(longEnough); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(until) {
			return err
		}
	}
}

// awaitKey is the command "[!] key KEY": it waits until etcd has a key, or not.
func awaitKey(ts *testscript.TestScript, neg bool, args []string) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{ts.Getenv("ETCD")}})
	ts.Check(err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), longEnough)
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
