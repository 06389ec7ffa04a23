// Package etcd is the source of definitions in etcd. Every key below a prefix is a
// fragment: definitions in the language of the Corefile. Or it is one of the tree of the etcd plugin of CoreDNS, see
// package skydns; there a lease bounds the TTL.
//
// A [Config] says where in etcd they are and how to get there, for the server and the command-line tool alike. A
// [Source] lists the keys and then watches them: connection (is etcd there), list, watch and lease (what is there),
// batch (several edits are one delivery), cache and snapshot (what was there, while etcd is away).
//
// While etcd is away: a source that has delivered delivers nothing more, so what is served
// stays. One that starts then delivers what another source of the process had, or else its
// snapshot. Without either it has delivered nothing, and package publish has no table until
// it does: package answer then gives SERVFAIL in the zones, and ready waits.
//
// # Limitations
//
// One source watches one cluster; what it wrote down of another is not comparable.
package etcd

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

const (
	DefaultPrefix  = "/mxsrv/"
	DefaultTimeout = 5 * time.Second
)

// A Config says how to reach the definitions. The zero value is no use: make one with [New].
type Config struct {
	Endpoints          []string // URLs
	Prefix             string   // of all keys; ends in "/"
	Username, Password string   // "" if etcd asks for none
	TLS                *tls.Config
	Timeout            time.Duration // of a request
}

// New returns the configuration of some endpoints, HOST:PORT or URLs, with all else as it is if nobody says anything.
func New(endpoints ...string) *Config {
	c := &Config{Prefix: DefaultPrefix, Timeout: DefaultTimeout}
	for _, e := range endpoints {
		if !strings.Contains(e, "://") {
			e = "http://" + e
		}
		c.Endpoints = append(c.Endpoints, e)
	}
	return c
}

// SetPrefix sets the prefix: "/mxsrv" is "/mxsrv/", and no "/mxsrv2/x" is below it.
func (c *Config) SetPrefix(prefix string) { c.Prefix = strings.TrimRight(prefix, "/") + "/" }

// SetTLS makes the connections use TLS, with these words: nothing, the file of the CA of the servers, the files of a
// certificate and its key, or all three in the order CERT KEY CA. Files of the certificate are read again for each
// connection. What is http:// becomes https://: the client would leave TLS out without a word.
func (c *Config) SetTLS(files ...string) (err error) {
	var info transport.TLSInfo
	n := len(files)
	if n > 3 {
		return fmt.Errorf("%d files: write [CERT KEY] [CACERT]", n)
	}
	if n >= 2 {
		info.CertFile, info.KeyFile = files[0], files[1]
	}
	if n%2 == 1 {
		info.TrustedCAFile = files[n-1]
	}
	for i, e := range c.Endpoints {
		if host, ok := strings.CutPrefix(e, "http://"); ok {
			c.Endpoints[i] = "https://" + host
		}
	}
	c.TLS, err = info.ClientConfig()
	return err
}

// Client returns what makes a client. It connects by and by, and to another endpoint if one is silent; with a
// username its first request logs in. The order of the endpoints is left to chance, lest all wait for the first one.
func (c *Config) Client() clientv3.Config {
	endpoints := slices.Clone(c.Endpoints)
	rand.Shuffle(len(endpoints), func(i, j int) { endpoints[i], endpoints[j] = endpoints[j], endpoints[i] })
	again := backoff.Config{BaseDelay: soonest, Multiplier: 1.6, Jitter: 0.2, MaxDelay: min(slowest, c.Timeout)}
	options := []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{Backoff: again, MinConnectTimeout: c.Timeout})}
	if c.Username != "" {
		l := &login{user: c.Username, password: c.Password, timeout: c.Timeout}
		options = append(options, l.options()...)
	}
	return clientv3.Config{
		Endpoints: endpoints, TLS: c.TLS, DialOptions: options,
		DialTimeout: c.Timeout, DialKeepAliveTime: c.Timeout, DialKeepAliveTimeout: c.Timeout,
		Logger: zap.NewNop(), // it writes to stderr in a form of its own
	}
}

// Impatient returns what makes a client that gives up soon, and says why: for those who try again themselves.
func (c *Config) Impatient() clientv3.Config {
	client := c.Client()
	client.MaxUnaryRetries = uint(2*len(c.Endpoints) + 1)
	client.DialOptions = append(client.DialOptions, grpc.WithChainUnaryInterceptor(failFast))
	return client
}

// failFast makes a request fail when no member can be reached, where the client would
// have it wait, and say then that time is over.
func failFast(
	ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker,
	opts ...grpc.CallOption,
) error {
	return invoke(ctx, method, req, reply, cc, append(opts, grpc.WaitForReady(false))...)
}

// How soon a client that could not connect tries again; gRPC takes a second and
// more, in which a member of etcd has long come back.
const (
	soonest = 50 * time.Millisecond
	slowest = time.Second
)

// Key returns the key of a name below the prefix.
func (c *Config) Key(name string) string { return c.Prefix + strings.TrimLeft(name, "/") }

// String names the place in logs.
func (c *Config) String() string {
	return strings.ReplaceAll(strings.Join(c.Endpoints, ","), "http://", "") + c.Prefix
}
