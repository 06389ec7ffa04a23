package health

import (
	"errors"
	"fmt"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

const (
	// longGreeting is how long a greeting of several lines may take. Postscreen of Postfix sends one, waits 6 s for
	// clients that talk too early, and only then gives the connection to a server.
	longGreeting = 10 * time.Second

	// mostSMTP octets are read of the dialogue: a reply of very many lines takes the square of the time.
	mostSMTP = 16 << 10

	// patienceWithQuit is how long to wait for the reply to QUIT, of which nothing depends.
	patienceWithQuit = time.Second
)

// smtp greets the server, and takes leave whatever it says.
func (a *attempt) smtp() error {
	a.conn.left = mostSMTP
	text := textproto.NewConn(a.conn)
	err := a.greet(text)
	if err == nil && a.probe.Check.StartTLS {
		text, err = a.startTLS(text)
	}
	if _, answered := err.(reason); err == nil || answered {
		a.conn.SetDeadline(earliest(a.deadline, time.Now().Add(patienceWithQuit)))
		text.PrintfLine("QUIT")
		text.ReadResponse(0)
	}
	return err
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// greet waits for the greeting, and sends EHLO.
func (a *attempt) greet(text *textproto.Conn) error {
	if first, _ := text.R.Peek(len("220-")); string(first) == "220-" && a.config.Timeout < longGreeting {
		a.deadline = a.begun.Add(longGreeting)
		a.conn.SetDeadline(a.deadline)
	}
	if _, err := reply(text, 220, "greeting"); err != nil {
		return err
	}
	text.PrintfLine("EHLO %s", a.helo()) // an error comes again when the reply is read
	lines, err := reply(text, 250, "EHLO")
	if err == nil && a.probe.Check.StartTLS && !slices.ContainsFunc(strings.Split(lines, "\n"), isStartTLS) {
		err = reason("no STARTTLS")
	}
	return err
}

func isStartTLS(line string) bool { return strings.EqualFold(strings.TrimSpace(line), "STARTTLS") }

// startTLS returns the connection with TLS.
func (a *attempt) startTLS(text *textproto.Conn) (*textproto.Conn, error) {
	text.PrintfLine("STARTTLS")
	if _, err := reply(text, 220, "STARTTLS"); err != nil {
		return text, err
	}
	a.conn.left = mostRead
	conn, err := a.handshake(a.unverified(""))
	if err != nil {
		return text, err
	}
	return textproto.NewConn(conn), nil
}

// reply returns the lines of a reply, which has to have a certain code.
func reply(text *textproto.Conn, want int, to string) (string, error) {
	if first, _ := text.R.Peek(1); len(first) > 0 && (first[0] < '2' || first[0] > '5') {
		return "", errors.New("no reply") // of which ReadResponse might wait for a second line
	}
	code, lines, err := text.ReadResponse(0)
	if err == nil && code != want {
		err = reason(fmt.Sprintf("%s %d", to, code))
	}
	return lines, err
}

// helo returns the name of this host, or its address as RFC 5321 §4.1.3 has it.
func (a *attempt) helo() string {
	if a.config.Helo != "" {
		return a.config.Helo
	}
	local, err := netip.ParseAddrPort(a.conn.LocalAddr().String())
	switch addr := local.Addr().Unmap(); {
	case err != nil:
		return "localhost"
	case addr.Is4():
		return "[" + addr.String() + "]"
	default:
		return "[IPv6:" + addr.WithZone("").String() + "]"
	}
}
