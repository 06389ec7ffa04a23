package store

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"github.com/mxsrv/mxsrv/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Tests{M: m}.Run()) }

// A member is an etcd with one member.
type member struct {
	*rig.Cluster
	*rig.Member
}

func newMember(t *testing.T) member {
	t.Helper()
	c := rig.Etcd(t, 1)
	return member{c, c.Members[0]}
}

func (m member) restart(t *testing.T) {
	t.Helper()
	m.Kill()
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	if err := m.Ready(); err != nil {
		t.Fatal(err)
	}
}

func (m member) store() *Store {
	s := &Store{Config: etcd.New(m.Addr()), Simulators: []*Simulator{NewSimulator(definition.Zones{"example.org."})}}
	s.Timeout = 2 * time.Second
	return s
}

// put and remove return the revision.
func (m member) put(t *testing.T, key, text string, options ...clientv3.OpOption) int64 {
	t.Helper()
	return m.Do(t, clientv3.OpPut(key, text, options...))
}

func (m member) remove(t *testing.T, key string) int64 {
	t.Helper()
	return m.Do(t, clientv3.OpDelete(key))
}

func (m member) wantText(t *testing.T, key, want string) {
	t.Helper()
	got := ""
	err := m.Call(func(ctx context.Context, c *clientv3.Client) error {
		r, err := c.Get(ctx, key)
		if err == nil && len(r.Kvs) > 0 {
			got = string(r.Kvs[0].Value)
		}
		return err
	})
	if err != nil || got != want {
		t.Errorf("etcd has %q (%v), want %q", got, err, want)
	}
}

// open returns a store in an etcd of its own.
func open(t *testing.T) (*Store, member) {
	t.Helper()
	m := newMember(t)
	s := m.store()
	if _, _, err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, m
}

// A journal is what was reported.
type journal chan string

// await waits until something is reported that starts and ends so.
func (j journal) await(t *testing.T, start, end string) {
	t.Helper()
	timeout := time.After(rig.Limit)
	var before []string
	for {
		select {
		case got := <-j:
			if strings.HasPrefix(got, start) && strings.HasSuffix(got, end) {
				return
			}
			before = append(before, got)
		case <-timeout:
			t.Fatalf("%s...%s is not reported after %q", start, end, before)
		}
	}
}
