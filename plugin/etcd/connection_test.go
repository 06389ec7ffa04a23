package etcd

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestLossLogged: an outage is logged once, however its reasons alternate, and once more for a reason of another kind.
func TestLossLogged(t *testing.T) {
	silent := context.DeadlineExceeded
	ended := status.Error(codes.Unavailable, "error reading server preface: EOF")
	refused := status.Error(codes.Unavailable, "connection refused")
	for _, test := range []struct {
		name   string
		errs   []error // nil: it is back
		logged []string
	}{
		{"silent, then ended", []error{silent, ended, silent, ended}, []string{"no answer within 10s"}},
		{"ended, then silent", []error{ended, silent, refused, io.EOF}, []string{"error reading server preface: EOF"}},
		{"the stream ends, then the list fails", []error{io.EOF, refused, rpctypes.ErrNoLeader, errors.New("x"),
			status.Error(codes.Internal, "stream terminated by RST_STREAM")}, []string{"the member has ended it"}},
		{"the user is refused after an outage", []error{refused, rpctypes.ErrAuthFailed, refused, rpctypes.ErrAuthFailed},
			[]string{"connection refused", "etcdserver: authentication failed, invalid user ID or password"}},
		{"what the user may do, then who it is", []error{rpctypes.ErrPermissionDenied, rpctypes.ErrInvalidAuthToken},
			[]string{"etcdserver: permission denied", "etcdserver: invalid auth token"}},
		{"two outages", []error{silent, ended, nil, ended, silent},
			[]string{"no answer within 10s", "back after ", "error reading server preface: EOF"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := sourceIn(t, "127.0.0.1:1")
			for _, err := range test.errs {
				if err == nil {
					f.connected()
				} else {
					f.lost(err)
				}
			}
			ok := slices.EqualFunc(f.said.lines, test.logged, func(line, want string) bool {
				return strings.HasPrefix(line, "etcd 127.0.0.1:1/mxsrv/: "+want)
			})
			if !ok {
				t.Errorf("logged %q, want %q", f.said.lines, test.logged)
			}
		})
	}
}
