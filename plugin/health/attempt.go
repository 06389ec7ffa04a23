package health

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// An attempt is one probe that runs.
type attempt struct {
	config   *Config
	probe    Probe
	begun    time.Time
	deadline time.Time
	conn     *boundedConn
	expires  time.Time // of the certificate
}

// exchanges are what is done with a connection. What they return is judged by reasonOf.
var exchanges = map[definition.Protocol]func(*attempt) error{
	definition.CheckTLS:   (*attempt).tls,
	definition.CheckSMTP:  (*attempt).smtp,
	definition.CheckHTTP:  (*attempt).http,
	definition.CheckHTTPS: (*attempt).https,
}

// Attempt probes once. If ctx ends, the result is undecided.
func (c Config) Attempt(ctx context.Context, p Probe) Result {
	c.setDefaults()
	return c.attempt(ctx, p)
}

func (c *Config) attempt(ctx context.Context, p Probe) Result {
	a := &attempt{config: c, probe: p, begun: time.Now()}
	a.deadline = a.begun.Add(c.Timeout)
	err := a.run(ctx)
	r := Result{Took: time.Since(a.begun), Expires: a.expires}
	if ctx.Err() != nil {
		r.Why = "ended"
		return r
	}
	r.Outcome, r.Why = a.judge(err)
	return r
}

func (a *attempt) run(ctx context.Context) error {
	dialing, cancel := context.WithDeadline(ctx, a.deadline)
	defer cancel()
	conn, err := a.config.Dial(dialing, a.config.source(a.probe.Addr.Addr()), a.probe.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	exchange := exchanges[a.probe.Check.Protocol]
	if exchange == nil {
		return nil
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetDeadline(a.deadline)
	a.conn = &boundedConn{conn, mostRead}
	return exchange(a)
}

const mostRead = 64 << 10 // octets

// A boundedConn is a connection of which no more than some octets are read.
type boundedConn struct {
	net.Conn
	left int
}

func (c *boundedConn) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

func (a *attempt) tls() error {
	_, err := a.handshake(a.unverified(a.sni()))
	return err
}

// sni returns the host, if one is named: an address is not for the server name indication.
func (a *attempt) sni() string {
	if a.probe.Host == "" {
		return ""
	}
	return serverName(a.probe)
}

// unverified returns the configuration of a handshake that succeeds with whatever server there is: also one that speaks
// no later version than 1.0, or has only ciphers that are no longer offered by others. Nothing secret is sent.
func (a *attempt) unverified(name string) *tls.Config {
	c := &tls.Config{ServerName: name, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10}
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		c.CipherSuites = append(c.CipherSuites, suite.ID)
	}
	return c
}

// handshake returns the connection with TLS, and notes when the certificate expires.
func (a *attempt) handshake(config *tls.Config) (*tls.Conn, error) {
	conn := tls.Client(a.conn, config)
	if err := conn.Handshake(); err != nil {
		return nil, err
	}
	a.expires = conn.ConnectionState().PeerCertificates[0].NotAfter
	return conn, nil
}

func (a *attempt) https() error {
	config := &tls.Config{ServerName: serverName(a.probe), RootCAs: a.config.Roots}
	if a.probe.Check.Insecure {
		config = a.unverified(config.ServerName)
	}
	conn, err := a.handshake(config)
	if err != nil {
		return err
	}
	return a.get(conn)
}

func (a *attempt) http() error { return a.get(a.conn) }

// get asks for the path. The body of the response does not matter, and may be without end.
func (a *attempt) get(conn net.Conn) error {
	request, err := http.NewRequest("GET", a.url(), nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "mxsrv-health")
	request.Close = true
	if err := request.Write(conn); err != nil {
		return err
	}
	status, err := readStatus(bufio.NewReader(conn), request)
	if err != nil {
		return err
	}
	if want := a.probe.Check.Status; status != want && (want != 0 || status/100 != 2) {
		return reason(fmt.Sprintf("status %d", status))
	}
	return nil
}

// url returns that of the request, with the port where it is not the usual one.
func (a *attempt) url() string {
	protocol, host := string(a.probe.Check.Protocol), serverName(a.probe)
	usual := map[definition.Protocol]uint16{definition.CheckHTTP: 80, definition.CheckHTTPS: 443}
	if port := a.probe.Addr.Port(); port != usual[a.probe.Check.Protocol] {
		host = net.JoinHostPort(host, fmt.Sprint(port))
	} else if a.probe.Host == "" && a.probe.Addr.Addr().Is6() {
		host = "[" + host + "]"
	}
	return protocol + "://" + host + a.probe.Check.Path
}

// readStatus returns the status of the response. Those below 200 come before it.
func readStatus(r *bufio.Reader, request *http.Request) (int, error) {
	for {
		response, err := http.ReadResponse(r, request)
		if err != nil {
			return 0, err
		}
		if s := response.StatusCode; s >= 200 || s == http.StatusSwitchingProtocols {
			return s, nil
		}
	}
}
