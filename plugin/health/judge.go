package health

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"syscall"
	"time"
)

// A reason is what is wrong with a server that has answered.
type reason string

func (r reason) Error() string { return string(r) }

// localErrors are what fails on this side, before anything is asked of the server.
var localErrors = map[syscall.Errno]Outcome{
	syscall.EADDRINUSE: Undecided,
	syscall.EMFILE:     Undecided,
	syscall.ENFILE:     Undecided,
	syscall.ENOBUFS:    Undecided,
	syscall.ENOMEM:     Undecided,
	syscall.EAGAIN:     Undecided,

	syscall.ENETUNREACH:   NoRoute,
	syscall.ENETDOWN:      NoRoute,
	syscall.EADDRNOTAVAIL: NoRoute, // no source address, as where IPv6 is disabled; rarely no free port
	syscall.EAFNOSUPPORT:  NoRoute,
	syscall.EACCES:        NoRoute, // a route here that prohibits it; the next is a policy of the system, as for a service
	syscall.EPERM:         NoRoute,
	syscall.EINVAL:        NoRoute, // an address of a link, without the link
}

// remoteErrors are what a server, or a router near it, says.
var remoteErrors = map[syscall.Errno]string{
	syscall.ECONNREFUSED: "refused",
	syscall.ECONNRESET:   "reset",
	syscall.EPIPE:        "reset",
	syscall.EHOSTUNREACH: "unreachable",
}

// judge says what the end of the attempt counts as, and why.
func (a *attempt) judge(err error) (Outcome, string) {
	if err == nil {
		return Success, ""
	}
	no, _ := errors.AsType[syscall.Errno](err)
	if outcome, local := localErrors[no]; local {
		return outcome, no.Error()
	}
	if time.Since(a.deadline) > a.config.Timeout/2 {
		return Undecided, "late here" // as after a stop of this process, when an answer may have been there
	}
	return Failure, a.reasonOf(err)
}

// reasonOf returns one of few texts, of which none is the server's.
func (a *attempt) reasonOf(err error) string {
	if a.conn != nil && a.conn.left == 0 {
		return "too long" // whatever the half of it looks like
	}
	if r, ok := errors.AsType[reason](err); ok {
		return string(r)
	}
	if !time.Now().Before(a.deadline) {
		return "timeout" // whatever the half of a line looks like
	}
	if e, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && e.Timeout() {
		return "timeout"
	}
	if no, ok := errors.AsType[syscall.Errno](err); ok && remoteErrors[no] != "" {
		return remoteErrors[no]
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "closed"
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return certificateReason(e)
	}
	return "no " + strings.ToUpper(string(a.probe.Check.Protocol))
}

func certificateReason(err error) string {
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return "certificate expired or not valid yet"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "certificate of another name"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "certificate of unknown authority"
	}
	return "certificate invalid"
}
