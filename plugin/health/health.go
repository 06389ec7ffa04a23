// Package health probes servers, and says which are up and which are down.
//
// A [Prober] probes each [Probe] that it is given once in an interval, at a moment that is a hash of the probe. Some
// failures in a row take a server down, some successes in a row bring it back; of a server without a verdict the first
// success makes one. What it says:
//
//   - A server that stops to answer is down after at most Every + (Down-1)·Every/5 + Timeout. After the first failure
//     probes follow each other by a fifth of the interval, and they overlap: one that has no answer after that time is
//     not waited for. To a server that is usually slower than that, the second goes after twice its usual time.
//   - Fewer failures in a row than Down change nothing, however often they occur.
//   - What fails here says nothing about the server: no free descriptor, a process that was stopped. Such a probe is
//     neither a failure nor a success. If there is no way from here, as no route to its family of addresses or no such
//     source address, Down times in a row, the server is unreachable, until a probe succeeds or Down of them fail.
//   - A verdict that could not be confirmed for ten intervals is given up.
//   - Verdicts last over restarts, in a file, and over a change of the configuration, by [Prober.Snapshot].
//   - Goroutines and descriptors are bounded by Limit. At most half of the probes that run are of servers that are
//     down, so that those that hang do not delay the others; what has to wait is probed late, and not counted as down.
//   - Of what a server sends, 64 KiB are read at most, and nothing of it is logged but numbers.
//
// The probes, by the protocol of the check:
//
//	tcp    the connection is made, and closed
//	tls    the handshake succeeds; the certificate is not verified
//	smtp   the greeting is 220 and the answer to EHLO is 250; with starttls the handshake succeeds, too. The certificate
//	       is not verified, as senders do not. Nothing is sent before the greeting, and QUIT ends it. A greeting that
//	       begins with 220- may take 10 s, as postscreen of Postfix waits 6 s after that.
//	http   the response has the status, or any 2xx. It ends with the header: the body is not waited for. No redirect is
//	       followed, no proxy used.
//	https  the same over TLS, with a certificate for the name
//
// # Limitations
//
// The kernel of a server accepts connections although the server hangs, which tcp does not see. A server that is silent
// for longer than Timeout before its greeting, as Postfix is with an empty postscreen_greet_banner, needs a longer
// one. If thousands of servers hang at once, it takes their number times Timeout / Limit to see that. On our side each
// connection is in TIME_WAIT afterwards. Who is MX for whom it relays must not be checked with smtp by others than
// itself; package definition says which servers are probed.
package health

import (
	"crypto/x509"
	"net/netip"
	"time"
)

// A State is what a verdict says.
type State uint8

const (
	Unknown     State = iota // not probed yet, or not for long
	Unreachable              // from here, whatever is there
	Up
	Down
)

func (s State) String() string { return [...]string{"unknown", "unreachable", "up", "down"}[s] }

// A Verdict is what is known of a probe.
type Verdict struct {
	State   State
	Since   time.Time // of the state
	Probed  time.Time // when there was the last result that counted
	Why     string    // down: reason of the last failure; else why it cannot be probed, if that is so
	Expires time.Time // of the certificate that was seen last
}

// A Change is a new verdict.
type Change struct {
	Probe Probe
	Was   State
	Verdict
}

// A Result is that of one probe.
type Result struct {
	Outcome Outcome
	Why     string        // of what is no success: one of few texts, like "refused" or "status 503"
	Took    time.Duration // from the start to the result
	Expires time.Time     // of the certificate, if there is one
}

// An Outcome is what a result counts as.
type Outcome uint8

const (
	Undecided Outcome = iota // it failed here
	NoRoute                  // so, and it will as long as nothing changes here
	Success
	Failure
)

func (o Outcome) String() string {
	return [...]string{"undecided", "no route", "success", "failure"}[o]
}

// An Observer logs and counts what a [Prober] does, and puts verdicts to use. Its methods must not wait for the prober.
type Observer interface {
	// Info, Warning and Error get a line for the log.
	Info(text string)
	Warning(text string)
	Error(text string)

	// Changed gets new verdicts, in order. While it runs, the next ones gather.
	Changed(changes []Change)

	// Probed gets the result of each probe. Several goroutines call it.
	Probed(p Probe, r Result)
}

// Config says how to probe. The zero value of each field is its default.
type Config struct {
	Every   time.Duration // from probe to probe; 10 s
	Timeout time.Duration // of a probe; 3 s
	Down    int           // failures in a row that take a server down; 3
	Up      int           // successes in a row that bring it back; 2
	Helo    string        // name of this host for EHLO; its address
	From    []netip.Addr  // source addresses, of which the first of the family is taken; what the system chooses
	Limit   int           // of probes that run at once; 256
	State   string        // path of the file that keeps verdicts; none

	Roots *x509.CertPool // that certificates for https are verified by; those of the system
	Dial  Dialer         // the network
}

func (c *Config) setDefaults() {
	c.Every = or(c.Every, 10*time.Second)
	c.Timeout = or(c.Timeout, 3*time.Second)
	c.Down, c.Up, c.Limit = or(c.Down, 3), or(c.Up, 2), or(c.Limit, 256)
	if c.Dial == nil {
		c.Dial = dial
	}
}

func or[T int | time.Duration](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}

// lifetime is how long a verdict holds that is not confirmed.
func (c *Config) lifetime() time.Duration { return staleAfter * c.Every }

const (
	staleAfter = 10 // intervals

	// fastPart of an interval is the time to the next probe after a failure.
	fastPart = 5
)
