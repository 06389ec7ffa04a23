package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain lets the test binary be a child that starts a child of its own and panics.
func TestMain(m *testing.M) {
	if os.Getenv("RIG_PANIC") != "" {
		p, err := Start(exec.Command("sleep", "3600"))
		if err != nil {
			panic(err)
		}
		fmt.Println(p.Process.Pid)
		panic("on purpose")
	}
	os.Exit(m.Run())
}

func sh(script string) *exec.Cmd { return exec.Command("sh", "-c", script) }

func TestFreePort(t *testing.T) {
	seen := map[int]bool{}
	for range 200 {
		port, err := FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] {
			t.Fatalf("port %d is given twice", port)
		}
		seen[port] = true
	}
	runtime.GC()
	runtime.GC()
	for port := range seen {
		if reserve(port) {
			t.Fatalf("port %d is not reserved", port)
		}
	}
}

func TestFreeNot(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		port, err := FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if !free(port) {
			t.Fatalf("port %d is not free", port)
		}
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		var c io.Closer
		if network == "udp" {
			c, err = net.ListenPacket(network, addr)
		} else {
			c, err = net.Listen(network, addr)
		}
		if err != nil {
			t.Fatal(err)
		}
		if free(port) {
			t.Errorf("port %d is free while somebody has it for %s", port, network)
		}
		c.Close()
	}
}

func TestInstalled(t *testing.T) {
	for _, tc := range []struct {
		program, require string
		there            bool
		err              string
	}{
		{"go", "", true, ""},
		{"go", "1", true, ""},
		{"nosuchprogram", "", false, ""},
		{"nosuchprogram", "1", false, "nosuchprogram is not installed"},
	} {
		t.Setenv("MXSRV_REQUIRE_PEERS", tc.require)
		there, err := Installed(tc.program)
		if there != tc.there || (err != nil || tc.err != "") && fmt.Sprint(err) != tc.err {
			t.Errorf("%s, required %q: %v, %v; want %v, %s", tc.program, tc.require, there, err, tc.there, tc.err)
		}
	}
}

func TestAwait(t *testing.T) {
	for _, tc := range []struct{ name, script, want string }{
		{"standard output", "echo it is ready; sleep 3600", ""},
		{"standard error", "echo it is ready >&2; sleep 3600", ""},
		{"and ends", "echo it is ready", ""},
		{"without a line end", "printf 'it is'; printf ' ready'; sleep 3600", ""},
		{"never", "echo no; exit 3", "no \"ready\": sh has ended: exit status 3\nno\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := Start(sh(tc.script))
			if err != nil {
				t.Fatal(err)
			}
			defer p.Kill()
			got := ""
			if err := p.Await("ready", Limit); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestDeadlines(t *testing.T) {
	p, err := Start(sh("echo begun; trap '' TERM; echo deaf; while :; do sleep 1; done"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Await("ready", time.Millisecond); err == nil || !strings.Contains(err.Error(), `sh does not print "ready" within 1ms`) {
		t.Error(err)
	}
	if _, err := p.Wait(time.Millisecond); err == nil || !strings.Contains(err.Error(), `sh does not end within 1ms`) {
		t.Error(err)
	}
	if err := p.Await("deaf", Limit); err != nil {
		t.Fatal(err)
	}
	p.Stop(time.Millisecond)
	if code, err := p.Wait(Limit); code != -1 || err != nil {
		t.Errorf("exit code %d, %v, want that a signal has ended it", code, err)
	}
	p.Kill() // again is fine
}

func TestStop(t *testing.T) {
	p, err := Start(sh("trap 'exit 7' TERM; echo ready; while :; do sleep 0.01; done"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Await("ready", Limit); err != nil {
		t.Fatal(err)
	}
	if p.Err() != nil {
		t.Error(p.Err())
	}
	p.Stop(Limit)
	if code, err := p.Wait(Limit); code != 7 || err != nil {
		t.Errorf("exit code %d, %v, want 7", code, err)
	}
}

// gone waits until a process is no more.
func gone(t *testing.T, pid int) {
	t.Helper()
	Eventually(t, fmt.Sprintf("process %d is gone", pid), func() bool {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return syscall.Kill(pid, 0) != nil || err == nil && strings.Contains(string(state), ") Z ")
	})
}

// TestGroup: what a process has started ends with it, however it ends.
func TestGroup(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		end          func(cancel func(), p *Process)
	}{
		{"killed", "sleep 3600 & echo $!; wait", func(_ func(), p *Process) { p.Kill() }},
		{"cancelled", "sleep 3600 & echo $!; wait", func(cancel func(), p *Process) { cancel() }},
		{"by itself", "sleep 3600 >/dev/null 2>&1 & echo $!", func(func(), *Process) {}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			p, err := Start(exec.CommandContext(ctx, "sh", "-c", tc.script))
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Await("\n", Limit); err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(p.String()))
			if err != nil {
				t.Fatal(err)
			}
			tc.end(cancel, p)
			if _, err := p.Wait(Limit); err != nil {
				t.Fatal(err)
			}
			gone(t, pid)
		})
	}
}

// TestPanic: children end with a test that panics.
func TestPanic(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RIG_PANIC=1")
	out, err := cmd.Output()
	if err == nil {
		t.Fatal("no panic")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	gone(t, pid)
}

func TestElsewhere(t *testing.T) {
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := sh("echo one; echo two >&2")
	cmd.Stdout = log
	p, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(Limit); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(log.Name())
	if err != nil || string(text) != "one\n" || p.String() != "two\n" {
		t.Errorf("%v: the file has %q, and %q is kept", err, text, p)
	}
}

func TestProxy(t *testing.T) {
	server := func(word string) net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for c, err := l.Accept(); err == nil; c, err = l.Accept() {
				go func() {
					b := make([]byte, 1)
					for _, err := c.Read(b); err == nil; _, err = c.Read(b) {
						io.WriteString(c, word)
					}
					c.Close()
				}()
			}
		}()
		return l
	}
	p := ProxyTo(t, server("a").Addr().String())
	dial := func() net.Conn {
		c, err := net.Dial("tcp", p.Address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	says := func(c net.Conn, want string) {
		t.Helper()
		b := make([]byte, 1)
		_, err := c.Write([]byte("?"))
		if err == nil {
			_, err = c.Read(b)
		}
		if got := string(b); err != nil && want != "" || err == nil && got != want {
			t.Errorf("it says %q, %v; want %q", got, err, want)
		}
	}
	c := dial()
	says(c, "a")
	p.Silence()
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := c.Write([]byte("?")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("it says %v while it is silent", err)
	}
	p.Restore()
	c.SetReadDeadline(time.Time{})
	says(c, "")
	c = dial()
	says(c, "a")
	p.Retarget(server("b").Addr().String())
	says(c, "a")
	p.Cut()
	says(c, "")
	says(dial(), "")
	p.Restore()
	says(dial(), "b")
}
