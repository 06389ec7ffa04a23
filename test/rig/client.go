package rig

import (
	"context"
	"fmt"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// A Client is a client of etcd whose calls have a deadline: those of clientv3 may take
// for ever, above all where a token has expired.
type Client struct{ *clientv3.Client }

// callLimit is how long one attempt of a call may take: etcd itself waits three times as
// long for a leader that has died.
const callLimit = 2 * time.Second

// Dial returns a client of the members at some URLs. It connects by and by.
func Dial(urls ...string) (*Client, error) { return dial("", "", urls...) }

func dial(user, password string, urls ...string) (*Client, error) {
	soon := backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.6, MaxDelay: 200 * time.Millisecond}
	c, err := clientv3.New(clientv3.Config{Endpoints: urls, Username: user, Password: password, DialTimeout: callLimit, Logger: zap.NewNop(),
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{Backoff: soon, MinConnectTimeout: time.Second})}})
	return &Client{c}, err
}

// Call makes a call until it succeeds, for as long as Limit. An attempt that was given up
// may have succeeded all the same.
func (c *Client) Call(what string, call func(context.Context, *clientv3.Client) error) error {
	return retry(what, func(ctx context.Context) error { return call(ctx, c.Client) })
}

// As makes a call as a user. Each attempt logs in anew: its token is as fresh as can be.
func (c *Client) As(user, password, what string, call func(context.Context, *clientv3.Client) error) error {
	return retry(what, func(ctx context.Context) error {
		client, err := dial(user, password, c.Endpoints()...)
		if err != nil {
			return err
		}
		defer client.Close()
		return call(ctx, client.Client)
	})
}

func retry(what string, request func(context.Context) error) error {
	for deadline := time.Now().Add(Limit); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), callLimit)
		err := request(ctx)
		cancel()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

// Do makes operations in one transaction, perhaps more than once, and returns its
// revision.
func (c *Client) Do(t testing.TB, ops ...clientv3.Op) (revision int64) {
	t.Helper()
	err := c.Call("transaction", func(ctx context.Context, client *clientv3.Client) error {
		r, err := client.Txn(ctx).Then(ops...).Commit()
		if err == nil {
			revision = r.Header.Revision
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return revision
}
