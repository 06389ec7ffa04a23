package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Status is how a source in etcd stands.
type Status struct {
	Connected bool  // a watch is there
	Revision  int64 // of what was delivered last; 0 if nothing was
	Since     time.Time
}

// A line is the connection to etcd. Its zero value is one that was not tried yet.
type line struct {
	mu     sync.Mutex
	status Status
	lost   bool       // and that was said
	why    codes.Code // likewise
}

// Status returns how the source stands now. Any goroutine may ask.
func (e *Etcd) Status() Status {
	e.line.mu.Lock()
	defer e.line.mu.Unlock()
	return e.line.status
}

// reach notes the revision of what is delivered, and returns the highest so far.
func (l *line) reach(revision int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.Revision = max(l.status.Revision, revision)
	return l.status.Revision
}

func (l *line) set(connected bool) {
	if l.status.Connected != connected || l.status.Since.IsZero() {
		l.status.Connected, l.status.Since = connected, time.Now()
	}
}

// hangUp notes that nobody listens any more.
func (l *line) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.set(false)
}

// connected notes and says that a watch is there.
func (e *Etcd) connected() {
	if away, revision, back := e.line.back(); back {
		e.info("back after %v, at revision %d", away.Round(time.Millisecond), revision)
	}
}

// back notes that there is a connection. It returns how long there was none, if that
// was said.
func (l *line) back() (away time.Duration, revision int64, said bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	away, said = time.Since(l.status.Since), l.lost
	l.lost = false
	l.set(true)
	return away, l.status.Revision, said
}

// lost notes that etcd is away, and says why: once, and again if it is for another
// reason.
func (e *Etcd) lost(err error) {
	revision, news := e.line.lose(codeOf(err))
	switch {
	case !news:
	case revision == 0:
		e.warn("%s", e.reason(err))
	default:
		e.warn("watch lost: %s: answers go on as of revision %d", e.reason(err), revision)
	}
}

// lose notes that there is no connection. It returns whether that is to be said.
func (l *line) lose(why codes.Code) (revision int64, news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	news = !l.lost || l.why != why
	l.lost, l.why = true, why
	l.set(false)
	return l.status.Revision, news
}

// codeOf tells errors apart by what is wrong, not by where.
func codeOf(err error) codes.Code {
	if coded := (interface{ Code() codes.Code })(nil); errors.As(err, &coded) {
		return coded.Code()
	}
	return status.Code(err)
}

// reason writes an error of etcd or of the way to it.
func (e *Etcd) reason(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded:
		return fmt.Sprintf("no answer within %v", e.Config.Timeout)
	case errors.Is(err, io.EOF):
		return "the member has ended it"
	}
	text := status.Convert(err).Message()
	for _, noise := range []string{`connection error: desc = "`, "transport: ", "Error while dialing: "} {
		text = strings.TrimPrefix(text, noise)
	}
	return strings.TrimSuffix(text, `"`)
}
