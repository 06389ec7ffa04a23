package etcd

import (
	"context"
	"sync/atomic"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// A login adds tokens to the requests of a user, and gets another when one has expired.
//
// The client of etcd does so too, but asks for a token with the expired one. etcd 3.4 refuses that, and the client
// asks again until the deadline of the request, and so with every request from then on.
type login struct {
	user, password string
	timeout        time.Duration          // of getting a token
	token          atomic.Pointer[string] // nil: none was asked for
}

func (l *login) options() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(l.unary), grpc.WithChainStreamInterceptor(l.stream)}
}

func (l *login) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn,
	invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if method == pb.Auth_Authenticate_FullMethodName {
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	if token := l.token.Load(); token != nil {
		err := invoke(withToken(ctx, *token), method, req, reply, cc, opts...)
		if e := rpctypes.Error(err); e != rpctypes.ErrInvalidAuthToken && e != rpctypes.ErrAuthOldRevision {
			return err
		}
	}
	ctx, err := l.renew(ctx, cc)
	if err != nil {
		return err
	}
	return invoke(ctx, method, req, reply, cc, opts...)
}

// stream gets a token for each stream: it would be late to do so when one has failed.
func (l *login) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
	open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	ctx, err := l.renew(ctx, cc)
	if err != nil {
		return nil, err
	}
	return open(ctx, desc, cc, method, opts...)
}

// renew gets a token and adds it to a context. There is none if etcd asks for no user.
func (l *login) renew(ctx context.Context, cc *grpc.ClientConn) (context.Context, error) {
	asking, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	user := &pb.AuthenticateRequest{Name: l.user, Password: l.password}
	r, err := pb.NewAuthClient(cc).Authenticate(asking, user, grpc.WaitForReady(true))
	if rpctypes.Error(err) == rpctypes.ErrAuthNotEnabled {
		r, err = new(pb.AuthenticateResponse), nil
	}
	if err != nil {
		return nil, err
	}
	l.token.Store(&r.Token)
	return withToken(ctx, r.Token), nil
}

func withToken(ctx context.Context, token string) context.Context {
	if token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, rpctypes.TokenFieldNameGRPC, token)
}
