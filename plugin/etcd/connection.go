package etcd

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

// A connection is how the source stands with etcd. Its zero value is one that was not
// tried yet. It is safe for concurrent use.
type connection struct {
	mu     sync.Mutex
	status Status
	logged map[codes.Code]bool // kinds of reasons of this outage that were logged; empty: there is no outage
}

// Status returns how the source stands now. Any goroutine may ask.
func (e *Source) Status() Status {
	e.connection.mu.Lock()
	defer e.connection.mu.Unlock()
	return e.connection.status
}

// delivered notes the revision of what is delivered, and returns the highest so far.
func (c *connection) delivered(revision int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Revision = max(c.status.Revision, revision)
	return c.status.Revision
}

func (c *connection) set(connected bool) {
	if c.status.Connected != connected || c.status.Since.IsZero() {
		c.status.Connected, c.status.Since = connected, time.Now()
	}
}

// connected notes that a watch is there, and logs it if it was logged that there was none.
func (e *Source) connected() {
	c := &e.connection
	c.mu.Lock()
	before, wasLost := c.status, len(c.logged) > 0
	c.logged = nil
	c.set(true)
	c.mu.Unlock()
	if wasLost {
		e.info("back after %v, at revision %d", time.Since(before.Since).Round(time.Millisecond), before.Revision)
	}
}

// lost notes that etcd is away, and logs why: once an outage, and once more for each reason of another kind.
func (e *Source) lost(err error) {
	c, kind := &e.connection, kindOf(err)
	c.mu.Lock()
	known, revision := c.logged[kind], c.status.Revision
	if c.logged == nil {
		c.logged = make(map[codes.Code]bool)
	}
	c.logged[kind] = true
	c.set(false)
	c.mu.Unlock()
	switch {
	case known:
	case revision == 0:
		e.warn("%s", e.reason(err))
	default:
		e.warn("watch lost: %s: answers go on as of revision %d", e.reason(err), revision)
	}
}

// kindOf tells errors apart by what an operator does about them. Whether a member that is away refuses connections,
// ends them or is silent changes from attempt to attempt, and is of one kind; that it refuses the user is of another.
func kindOf(err error) codes.Code {
	switch code := codeOf(err); code {
	case codes.Unknown, codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.Internal:
		return codes.Unavailable
	default:
		return code
	}
}

// codeOf returns the code of an error of etcd or of gRPC, or Unknown.
func codeOf(err error) codes.Code {
	if coded := (interface{ Code() codes.Code })(nil); errors.As(err, &coded) {
		return coded.Code()
	}
	return status.Code(err)
}

// reason writes an error of etcd or of the way to it.
func (e *Source) reason(err error) string {
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
