package health_test

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
)

// serve has a server on loopback talk to each client, until the test ends.
func serve(t *testing.T, talk func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				defer context.AfterFunc(ctx, func() { conn.Close() })()
				talk(conn)
				conn.(*net.TCPConn).CloseWrite() // a close with unread data would be a reset
				hang(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		stop()
		running.Wait()
	})
	return netip.MustParseAddrPort(l.Addr().String())
}

// script returns a server that sends lines, and waits for one of the client where it says "<" and its start.
func script(lines ...string) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for _, l := range lines {
			if want, ok := strings.CutPrefix(l, "<"); ok {
				got, err := r.ReadString('\n')
				if err != nil || !strings.HasPrefix(got, want) {
					return
				}
				continue
			}
			io.WriteString(conn, strings.ReplaceAll(l, "\n", "\r\n")+"\r\n")
		}
	}
}

func check(t testing.TB, words string) definition.Check {
	t.Helper()
	c, err := definition.ParseCheck(strings.Fields(words), "example.org.")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// certificates are of an authority of the test, for www.example.org, 127.0.0.1 and one that has expired.
type certificates struct {
	roots          *x509.CertPool
	valid, expired tls.Certificate
	old            tls.Certificate // with an RSA key
}

var (
	until = time.Date(2100, 1, 2, 3, 4, 5, 0, time.UTC)
	past  = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
)

func newCertificates() (c certificates, err error) {
	var key crypto.Signer
	key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, err
	}
	sign := func(notAfter time.Time, parent *x509.Certificate) (*x509.Certificate, tls.Certificate) {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
			NotBefore: past.AddDate(-1, 0, 0), NotAfter: notAfter, BasicConstraintsValid: true, IsCA: parent == nil,
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign}
		if parent == nil {
			parent = template
		} else {
			template.DNSNames, template.IPAddresses = []string{"www.example.org"}, []net.IP{net.IPv4(127, 0, 0, 1)}
		}
		der, e := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		cert, e2 := x509.ParseCertificate(der)
		err = errors.Join(err, e, e2)
		return cert, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	ca, _ := sign(until, nil)
	if err != nil {
		return c, err
	}
	c.roots = x509.NewCertPool()
	c.roots.AddCert(ca)
	_, c.valid = sign(until, ca)
	_, c.expired = sign(past, ca)
	if key, err = rsa.GenerateKey(rand.Reader, 2048); err == nil {
		_, c.old = sign(until, nil)
	}
	return c, err
}

// overTLS returns a server that talks over TLS.
func overTLS(cert tls.Certificate, talk func(net.Conn)) func(net.Conn) {
	return over(&tls.Config{Certificates: []tls.Certificate{cert}}, talk)
}

// overOldTLS returns one that talks over TLS 1.0, with a cipher without forward secrecy.
func overOldTLS(cert tls.Certificate, talk func(net.Conn)) func(net.Conn) {
	return over(&tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10,
		CipherSuites: []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA},
	}, talk)
}

func over(config *tls.Config, talk func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		c := tls.Server(conn, config)
		if c.Handshake() == nil {
			talk(c)
		}
	}
}

func hang(conn net.Conn) { io.Copy(io.Discard, conn) }

// flood returns a server that sends a text without end.
func flood(first, text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, err := io.WriteString(conn, first)
		for err == nil {
			_, err = io.WriteString(conn, text)
		}
	}
}

// response returns a server that answers a request with a status line and further lines.
func response(lines ...string) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			if line == "\r\n" {
				break
			}
		}
		script(lines...)(conn)
	}
}

// TestAttempt: what servers do, and what that counts as.
func TestAttempt(t *testing.T) {
	certs, err := newCertificates()
	if err != nil {
		t.Fatal(err)
	}
	page := response("HTTP/1.1 200 OK", "Content-Length: 0", "")
	const ehlo = "<EHLO ns1.example.org\r\n"
	for _, tc := range []struct {
		name, check, host string
		server            func(net.Conn)
		want              string
		expires           time.Time
	}{
		{name: "tcp", check: "tcp", server: hang, want: "success"},
		{name: "tcp that closes", check: "tcp", server: func(net.Conn) {}, want: "success"},

		{name: "tls", check: "tls", server: overTLS(certs.valid, hang), want: "success", expires: until},
		{name: "tls, expired", check: "tls", server: overTLS(certs.expired, hang), want: "success", expires: past},
		{name: "tls, other name", check: "tls", host: "x.example.", server: overTLS(certs.valid, hang),
			want: "success", expires: until},
		{name: "tls 1.0", check: "tls", server: overOldTLS(certs.old, hang), want: "success", expires: until},
		{name: "tls at a server without", check: "tls", server: script("220 hello"), want: "failure no TLS"},
		{name: "tls, closed", check: "tls", server: script(), want: "failure closed"},
		{name: "tls, hangs", check: "tls", server: hang, want: "failure timeout"},

		{name: "smtp", check: "smtp", server: script("220 mx", ehlo, "250-mx", "250 STARTTLS", "<QUIT\r\n", "221 bye"),
			want: "success"},
		{name: "greeting of lines", check: "smtp", server: script("220-mx\n220-no spam\n220 go", ehlo, "250 mx", "<QUIT"),
			want: "success"},
		{name: "greeting 554", check: "smtp", server: script("554 no service"), want: "failure greeting 554"},
		{name: "greeting 521", check: "smtp", server: script("521 no mail here"), want: "failure greeting 521"},
		{name: "greeting 421", check: "smtp", server: script("421 closing"), want: "failure greeting 421"},
		{name: "greeting of lines, 554", check: "smtp", server: script("554-no\n554 service"), want: "failure greeting 554"},
		{name: "EHLO 421", check: "smtp", server: script("220 mx", ehlo, "421 closing"), want: "failure EHLO 421"},
		{name: "EHLO 550", check: "smtp", server: script("220 mx", ehlo, "550 who?"), want: "failure EHLO 550"},
		{name: "greeting that is none", check: "smtp", server: script("SSH-2.0-OpenSSH"), want: "failure no SMTP"},
		{name: "closed without greeting", check: "smtp", server: script(), want: "failure closed"},
		{name: "closed after greeting", check: "smtp", server: script("220 mx"), want: "failure closed"},
		{name: "smtp hangs", check: "smtp", server: hang, want: "failure timeout"},
		{name: "smtp hangs after greeting", check: "smtp", server: func(c net.Conn) { script("220 mx")(c); hang(c) },
			want: "failure timeout"},
		{name: "smtp hangs in a line", check: "smtp", server: func(c net.Conn) { io.WriteString(c, "22"); hang(c) },
			want: "failure timeout"},
		{name: "line without end", check: "smtp", server: flood("220 ", "x"), want: "failure too long"},
		{name: "lines without end", check: "smtp", server: flood("", "220-mx\r\n"), want: "failure too long"},

		{name: "starttls", check: "smtp starttls", server: func(c net.Conn) {
			script("220 mx", ehlo, "250-mx", "250-SIZE 1", "250 STARTTLS", "<STARTTLS\r\n", "220 go")(c)
			overTLS(certs.expired, script("<QUIT\r\n", "221 bye"))(c)
		}, want: "success", expires: past},
		{name: "starttls 1.0", check: "smtp starttls", server: func(c net.Conn) {
			script("220 mx", ehlo, "250 STARTTLS", "<STARTTLS\r\n", "220 go")(c)
			overOldTLS(certs.old, script("<QUIT\r\n", "221 bye"))(c)
		}, want: "success", expires: until},
		{name: "no STARTTLS", check: "smtp starttls", server: script("220 mx", ehlo, "250 mx", "<QUIT"),
			want: "failure no STARTTLS"},
		{name: "STARTTLS 454", check: "smtp starttls",
			server: script("220 mx", ehlo, "250-mx", "250 starttls", "<STARTTLS\r\n", "454 later"),
			want:   "failure STARTTLS 454"},
		{name: "STARTTLS and no handshake", check: "smtp starttls",
			server: func(c net.Conn) {
				script("220 mx", ehlo, "250-mx", "250 STARTTLS", "<STARTTLS\r\n", "220 go")(c)
				c.Read(make([]byte, 1))
				io.WriteString(c, "220 what?\r\n")
			}, want: "failure no SMTP"},

		{name: "http", check: "http /", server: page, want: "success"},
		{name: "204", check: "http /", server: response("HTTP/1.0 204 Nothing", ""), want: "success"},
		{name: "after 103", check: "http /", server: response("HTTP/1.1 103 Early Hints", "", "HTTP/1.1 200 OK", ""),
			want: "success"},
		{name: "204, not 200", check: "http / 200", server: response("HTTP/1.0 204 Nothing", ""), want: "failure status 204"},
		{name: "503", check: "http /", server: response("HTTP/1.1 503 Busy", ""), want: "failure status 503"},
		{name: "503 as wanted", check: "http / 503", server: response("HTTP/1.1 503 Busy", ""), want: "success"},
		{name: "redirect", check: "http /", server: response("HTTP/1.1 302 Found", "Location: http://127.0.0.1:1/", ""),
			want: "failure status 302"},
		{name: "redirect as wanted", check: "http / 302", server: response("HTTP/1.1 302 Found", "Location: /", ""),
			want: "success"},
		{name: "101", check: "http /", server: response("HTTP/1.1 101 Switching", ""), want: "failure status 101"},
		{name: "body without end", check: "http /", server: func(c net.Conn) {
			response("HTTP/1.1 200 OK", "")(c)
			flood("", "x")(c)
		}, want: "success"},
		{name: "body that hangs", check: "http /", server: func(c net.Conn) {
			response("HTTP/1.1 200 OK", "Content-Length: 5", "")(c)
			hang(c)
		}, want: "success"},
		{name: "header without end", check: "http /", server: flood("HTTP/1.1 200 OK\r\n", "X: y\r\n"),
			want: "failure too long"},
		{name: "garbage without end", check: "http /", server: flood("", "x"), want: "failure too long"},
		{name: "no http", check: "http /", server: script("220 mx"), want: "failure no HTTP"},
		{name: "http closed", check: "http /", server: response(), want: "failure closed"},
		{name: "http hangs in a line", check: "http /", server: func(c net.Conn) { io.WriteString(c, "HTTP/1.1 2"); hang(c) },
			want: "failure timeout"},
		{name: "http hangs", check: "http /", server: hang, want: "failure timeout"},

		{name: "https", check: "https /", host: "www.example.org.", server: overTLS(certs.valid, page),
			want: "success", expires: until},
		{name: "https by NAME", check: "https / www", host: "x.example.", server: overTLS(certs.valid, page),
			want: "success", expires: until},
		{name: "https by address", check: "https /", server: overTLS(certs.valid, page), want: "success", expires: until},
		{name: "https, other name", check: "https /", host: "x.example.", server: overTLS(certs.valid, page),
			want: "failure certificate of another name"},
		{name: "https, other name, insecure", check: "https / insecure", host: "x.example.",
			server: overTLS(certs.valid, page), want: "success", expires: until},
		{name: "https, expired", check: "https /", host: "www.example.org.", server: overTLS(certs.expired, page),
			want: "failure certificate expired or not valid yet"},
		{name: "https, expired, insecure", check: "https / www insecure", server: overTLS(certs.expired, page),
			want: "success", expires: past},
		{name: "https, tls 1.0", check: "https / www", server: overOldTLS(certs.old, page), want: "failure no HTTPS"},
		{name: "https, tls 1.0, insecure", check: "https / www insecure", server: overOldTLS(certs.old, page),
			want: "success", expires: until},
		{name: "https, 500", check: "https / www", server: overTLS(certs.valid, response("HTTP/1.1 500 No", "")),
			want: "failure status 500", expires: until},
		{name: "https at http", check: "https / www", server: script("HTTP/1.1 400 Bad Request", ""),
			want: "failure no HTTPS"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			config := health.Config{Helo: "ns1.example.org", Roots: certs.roots, Timeout: time.Minute}
			if strings.HasSuffix(tc.want, "timeout") {
				config.Timeout = 50 * time.Millisecond
			}
			probe := definition.NewProbe(serve(t, tc.server), check(t, tc.check), definition.Name(tc.host))
			r := config.Attempt(t.Context(), probe)
			got := strings.TrimSpace(r.Outcome.String() + " " + r.Why)
			late := strings.HasSuffix(tc.want, "timeout") && r.Why == "late here" // on a machine that is busy
			if got != tc.want && !late || !r.Expires.Equal(tc.expires) || r.Took <= 0 {
				t.Errorf("%s, certificate until %v, after %v, want %s, %v", got, r.Expires, r.Took, tc.want, tc.expires)
			}
		})
	}
}

// TestAttemptUnknownAuthority: without its authority a certificate is not accepted.
func TestAttemptUnknownAuthority(t *testing.T) {
	certs, err := newCertificates()
	if err != nil {
		t.Fatal(err)
	}
	server := serve(t, overTLS(certs.valid, hang))
	config := health.Config{Roots: x509.NewCertPool(), Timeout: time.Minute}
	r := config.Attempt(t.Context(), definition.NewProbe(server, check(t, "https / www"), ""))
	if r.Outcome != health.Failure || r.Why != "certificate of unknown authority" {
		t.Errorf("%v, %s", r.Outcome, r.Why)
	}
}

// TestAttemptRequest: what servers are asked.
func TestAttemptRequest(t *testing.T) {
	const further = "User-Agent: mxsrv-health\r\nConnection: close\r\n\r\n"
	for _, tc := range []struct{ name, check, host, helo, want string }{
		{"http", "http /a?b=c", "www.example.org.", "",
			"GET /a?b=c HTTP/1.1\r\nHost: www.example.org:PORT\r\n" + further},
		{"http by address", "http //x", "", "", "GET //x HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n" + further},
		{"smtp", "smtp", "mx1.example.org.", "ns1.example.org", "EHLO ns1.example.org\r\nQUIT\r\n"},
		{"smtp without a name", "smtp", "", "", "EHLO [127.0.0.1]\r\nQUIT\r\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := make(chan string, 1)
			server := serve(t, func(c net.Conn) {
				text, r := "", bufio.NewReader(c)
				if strings.HasPrefix(tc.check, "smtp") {
					io.WriteString(c, "220 mx\r\n")
				}
				for {
					line, err := r.ReadString('\n')
					if text += line; err != nil || line == "\r\n" {
						break
					}
					if line != "QUIT\r\n" && strings.HasPrefix(tc.check, "smtp") {
						io.WriteString(c, "250 mx\r\n")
					} else if line == "QUIT\r\n" {
						io.WriteString(c, "221 bye\r\n")
					}
				}
				io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
				got <- text
			})
			config := health.Config{Helo: tc.helo, Timeout: time.Minute}
			r := config.Attempt(t.Context(), definition.NewProbe(server, check(t, tc.check), definition.Name(tc.host)))
			want := strings.ReplaceAll(tc.want, "PORT", fmt.Sprint(server.Port()))
			if text := <-got; text != want || r.Outcome != health.Success {
				t.Errorf("%q, %v %s, want %q", text, r.Outcome, r.Why, want)
			}
		})
	}
}

// TestAttemptUsualPorts: the usual port is not written, and IPv6 addresses are in brackets.
func TestAttemptUsualPorts(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1:80":       "Host: 192.0.2.1\r\n",
		"[2001:db8::1]:80":   "Host: [2001:db8::1]\r\n",
		"[2001:db8::1]:8080": "Host: [2001:db8::1]:8080\r\n",
	} {
		got := make(chan string, 1)
		config := health.Config{Dial: func(context.Context, netip.Addr, netip.AddrPort) (net.Conn, error) {
			client, server := net.Pipe()
			go func() {
				r := bufio.NewReader(server)
				r.ReadString('\n')
				line, _ := r.ReadString('\n')
				got <- line
				server.Close()
			}()
			return client, nil
		}}
		config.Attempt(t.Context(), definition.NewProbe(netip.MustParseAddrPort(addr), check(t, "http /"), ""))
		if line := <-got; line != want {
			t.Errorf("%s: %q, want %q", addr, line, want)
		}
	}
}

// TestAttemptRefused: nobody listens.
func TestAttemptRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	addr := netip.MustParseAddrPort(l.Addr().String())
	r := health.Config{}.Attempt(t.Context(), definition.NewProbe(addr, check(t, "tcp"), ""))
	if r.Outcome != health.Failure || r.Why != "refused" {
		t.Errorf("%v, %s, want refused", r.Outcome, r.Why)
	}
}

// TestAttemptFrom: the source address is the first of the family, and one that is not here says nothing of the server.
func TestAttemptFrom(t *testing.T) {
	clients := make(chan string, 1)
	server := serve(t, func(c net.Conn) { clients <- c.RemoteAddr().(*net.TCPAddr).IP.String() })
	for _, tc := range []struct {
		from string
		want health.Outcome
	}{
		{"2001:db8::53 127.0.0.53 127.0.0.54", health.Success},
		{"192.0.2.53", health.NoRoute},
	} {
		var config health.Config
		for from := range strings.FieldsSeq(tc.from) {
			config.From = append(config.From, netip.MustParseAddr(from))
		}
		r := config.Attempt(t.Context(), definition.NewProbe(server, check(t, "tcp"), ""))
		if r.Outcome != tc.want {
			t.Errorf("from %s: %v %s, want %v", tc.from, r.Outcome, r.Why, tc.want)
		}
	}
	if from := <-clients; from != "127.0.0.53" {
		t.Errorf("probed from %s", from)
	}
}

// TestAttemptErrors: which errors are of the server, and which of this side.
func TestAttemptErrors(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{syscall.ECONNREFUSED, "failure refused"},
		{syscall.ECONNRESET, "failure reset"},
		{syscall.EHOSTUNREACH, "failure unreachable"},
		{syscall.ETIMEDOUT, "failure timeout"},
		{os.ErrDeadlineExceeded, "failure timeout"},
		{context.DeadlineExceeded, "failure timeout"},
		{syscall.ENETUNREACH, "no route network is unreachable"},
		{syscall.ENETDOWN, "no route network is down"},
		{syscall.EADDRNOTAVAIL, "no route cannot assign requested address"},
		{syscall.EADDRINUSE, "undecided address already in use"},
		{syscall.EAFNOSUPPORT, "no route address family not supported by protocol"},
		{syscall.EMFILE, "undecided too many open files"},
		{syscall.ENFILE, "undecided too many open files in system"},
		{syscall.ENOBUFS, "undecided no buffer space available"},
		{syscall.EACCES, "no route permission denied"},
		{syscall.EPERM, "no route operation not permitted"},
		{syscall.EAGAIN, "undecided resource temporarily unavailable"},
	} {
		config := health.Config{Dial: func(context.Context, netip.Addr, netip.AddrPort) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", tc.err)}
		}}
		r := config.Attempt(t.Context(), definition.NewProbe(netip.MustParseAddrPort("[2001:db8::1]:25"), check(t, "smtp"), ""))
		if got := r.Outcome.String() + " " + r.Why; got != tc.want {
			t.Errorf("%v: %s, want %s", tc.err, got, tc.want)
		}
	}
}

// TestAttemptNoRoute: an address of a family that has no route here.
func TestAttemptNoRoute(t *testing.T) {
	config := health.Config{Timeout: 100 * time.Millisecond}
	conn, err := net.DialTimeout("tcp", "[2001:db8::1]:25", config.Timeout)
	if err == nil {
		conn.Close()
	}
	if err == nil || !strings.Contains(err.Error(), syscall.ENETUNREACH.Error()) {
		t.Skipf("there is a route: %v", err)
	}
	r := config.Attempt(t.Context(), definition.NewProbe(netip.MustParseAddrPort("[2001:db8::1]:25"), check(t, "smtp"), ""))
	if r.Outcome != health.NoRoute {
		t.Errorf("%v, %s", r.Outcome, r.Why)
	}
}

// TestAttemptLate: what times out long after its time says that this side was stopped, not that one.
func TestAttemptLate(t *testing.T) {
	for late, want := range map[time.Duration]string{
		time.Second: "failure timeout", 2 * time.Second: "undecided late here",
	} {
		synctest.Test(t, func(t *testing.T) {
			config := health.Config{Dial: func(ctx context.Context, _ netip.Addr, _ netip.AddrPort) (net.Conn, error) {
				<-ctx.Done()
				time.Sleep(late)
				return nil, ctx.Err()
			}}
			r := config.Attempt(t.Context(), definition.NewProbe(netip.MustParseAddrPort("192.0.2.1:25"), check(t, "tcp"), ""))
			if got := r.Outcome.String() + " " + r.Why; got != want {
				t.Errorf("%v late: %s, want %s", late, got, want)
			}
		})
	}
}

// TestAttemptEnds: a probe ends with its context, whatever the server does, and says nothing of it.
func TestAttemptEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := serve(t, func(c net.Conn) {
		script("220 mx", "<EHLO")(c)
		cancel()
		hang(c)
	})
	config := health.Config{Timeout: time.Hour}
	if r := config.Attempt(ctx, definition.NewProbe(server, check(t, "smtp"), "")); r.Outcome != health.Undecided {
		t.Errorf("%v, %s", r.Outcome, r.Why)
	}
}

// piped returns a dialer that connects to a server without a network, for tests with a clock of their own.
func piped(talk func(net.Conn)) health.Dialer {
	return func(context.Context, netip.Addr, netip.AddrPort) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			talk(server)
		}()
		return client, nil
	}
}

// TestAttemptSlow: how long a server may take.
func TestAttemptSlow(t *testing.T) {
	after := func(d time.Duration, lines ...string) func(net.Conn) {
		return func(c net.Conn) {
			time.Sleep(d)
			script(append(lines, "<EHLO", "250 mx", "<QUIT", "221 bye")...)(c)
		}
	}
	begun := func(d time.Duration) func(net.Conn) {
		return func(c net.Conn) {
			io.WriteString(c, "220-mx\r\n")
			after(d, "220 mx")(c)
		}
	}
	for _, tc := range []struct {
		name    string
		timeout time.Duration
		server  func(net.Conn)
		want    string
		took    time.Duration
	}{
		{"silent for less", 3 * time.Second, after(2900*time.Millisecond, "220 mx"), "success", 2900 * time.Millisecond},
		{"silent for longer", 3 * time.Second, after(3100*time.Millisecond, "220 mx"), "failure timeout", 3 * time.Second},
		{"postscreen", 3 * time.Second, begun(6 * time.Second), "success", 6 * time.Second},
		{"begins and hangs", 3 * time.Second, begun(time.Hour), "failure timeout", 10 * time.Second},
		{"begins, longer timeout", 20 * time.Second, begun(15 * time.Second), "success", 15 * time.Second},
		{"hangs after QUIT", 3 * time.Second, func(c net.Conn) {
			script("220 mx", "<EHLO", "250 mx", "<QUIT")(c)
			hang(c)
		}, "success", time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := health.Config{Timeout: tc.timeout, Dial: piped(tc.server)}
				r := config.Attempt(t.Context(), definition.NewProbe(netip.MustParseAddrPort("192.0.2.1:25"), check(t, "smtp"), ""))
				if got := strings.TrimSpace(r.Outcome.String() + " " + r.Why); got != tc.want || r.Took != tc.took {
					t.Errorf("%s after %v, want %s after %v", got, r.Took, tc.want, tc.took)
				}
				time.Sleep(2 * time.Hour) // the server ends
			})
		})
	}
}

// TestNewProbe: names that use one server the same way are one probe.
func TestNewProbe(t *testing.T) {
	addr := netip.MustParseAddrPort("[::ffff:192.0.2.1]:443")
	for _, tc := range []struct{ check, want string }{
		{"tcp", "192.0.2.1:443 (tcp)"},
		{"smtp starttls", "192.0.2.1:443 (smtp starttls)"},
		{"tls", "192.0.2.1:443 (tls) of www.example.org."},
		{"http /", "192.0.2.1:443 (http /) of www.example.org."},
		{"https / 200", "192.0.2.1:443 (https / 200) of www.example.org."},
		{"https / api", "192.0.2.1:443 (https / api.example.org.)"},
	} {
		if got := definition.NewProbe(addr, check(t, tc.check), "www.example.org.").String(); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.check, got, tc.want)
		}
	}
}
