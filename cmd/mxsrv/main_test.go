package main

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/mxsrv/mxsrv/test/rig"
)

func TestMain(m *testing.M) {
	testscript.Main(rig.Tests{M: m}, map[string]func(){"mxsrv": func() {
		httpsPort = cmp.Or(os.Getenv("HTTPS_PORT"), httpsPort)
		if seconds, err := strconv.Atoi(os.Getenv("HTTPS_SECONDS")); err == nil {
			publishedTime = time.Duration(seconds) * time.Second
		}
		main()
	}})
}

// TestScripts runs the scripts of testdata: what a user types, and what comes.
// With UPDATE set, golden files are written anew.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("UPDATE") != "",
		Setup:               setRunning,
		Condition:           peers,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serveZone, "web": serveWeb, "code": exitCode, "listen": listen,
			"etcd": etcdServer, "key": awaitKey, "begin": begin, "end": end, "signal": send, "await": await,
		},
	})
}

// exitCode is the command "code N WORD...": it runs mxsrv and wants that exit code.
func exitCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("mxsrv", args[1:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// serveZone is the command "serve FILE": it answers from a zone file until the
// script ends, on $SERVER. Names below "refused." and "broken." get these rcodes,
// those below "delegated." a referral.
func serveZone(ts *testscript.TestScript, _ bool, args []string) {
	z := dns.NewZoneParser(strings.NewReader(ts.ReadFile(args[0])), "", "")
	z.SetDefaultTTL(300)
	var all zone
	for rr, ok := z.Next(); ok; rr, ok = z.Next() {
		all = append(all, rr)
	}
	ts.Check(z.Err())
	port, err := rig.FreePort()
	ts.Check(err)
	addr := fmt.Sprint("127.0.0.1:", port)
	udp, err := net.ListenPacket("udp", addr)
	ts.Check(err)
	tcp, err := net.Listen("tcp", addr)
	ts.Check(err)
	ts.Setenv("SERVER", addr)
	for _, server := range []*dns.Server{{PacketConn: udp, Handler: all}, {Listener: tcp, Handler: all}} {
		started := make(chan bool)
		server.NotifyStartedFunc = func() { close(started) }
		go server.ActivateAndServe()
		<-started
		ts.Defer(func() { server.Shutdown() })
	}
}

// listen is the command "listen NAME": until the script ends, something accepts connections on the port of 127.0.0.1
// that $NAME is set to, and closes them; or "listen NAME silent": nobody ever says anything. With "!" nothing does.
func listen(ts *testscript.TestScript, nobody bool, args []string) {
	port, err := rig.FreePort()
	ts.Check(err)
	ts.Setenv(args[0], fmt.Sprint(port))
	if nobody {
		return
	}
	l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	if len(args) == 2 {
		return // the kernel has the connections
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
}

// zone is a server of its records.
type zone []dns.RR

func (z zone) ServeDNS(w dns.ResponseWriter, r *dns.Msg) {
	m := new(dns.Msg).SetReply(r)
	q := r.Question[0]
	m.Rcode = dns.RcodeNameError
	switch {
	case strings.HasSuffix(q.Name, "refused."):
		m.Rcode = dns.RcodeRefused
	case strings.HasSuffix(q.Name, "broken."):
		m.Rcode = dns.RcodeServerFailure
	case strings.HasSuffix(q.Name, "delegated."):
		m.Rcode, m.Ns = dns.RcodeSuccess, []dns.RR{&dns.NS{Hdr: dns.RR_Header{Name: "delegated.", Rrtype: dns.TypeNS, Class: dns.ClassINET}, Ns: "ns.example.net."}}
	default:
		z.answer(m, q.Name, q.Qtype)
	}
	size := dns.MinMsgSize
	if o := r.IsEdns0(); o != nil {
		size = int(o.UDPSize())
	}
	if w.RemoteAddr().Network() == "udp" {
		m.Truncate(size)
	}
	w.WriteMsg(m)
}

func (z zone) answer(m *dns.Msg, name string, qtype uint16) {
	m.Rcode = dns.RcodeNameError
	for _, rr := range z {
		if rr.Header().Name != name {
			continue
		}
		m.Rcode = dns.RcodeSuccess
		if c, ok := rr.(*dns.CNAME); ok && qtype != dns.TypeCNAME {
			m.Answer = append(m.Answer, rr)
			z.answer(m, c.Target, qtype)
			return
		}
		if rr.Header().Rrtype == qtype {
			m.Answer = append(m.Answer, rr)
		}
	}
}
