package main

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/etcd"
)

// A store is an etcd that was started here, and a client of it.
type store struct {
	*process
	*etcd.Config
	client *clientv3.Client
}

// startTime is how long a server or etcd may take to start.
const startTime = 30 * time.Second

// etcd starts an empty etcd, on the core of dnsperf.
func (r *run) etcd() (*store, error) {
	client, err := freePort()
	if err != nil {
		return nil, err
	}
	peer, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := r.newDir()
	if err != nil {
		return nil, err
	}
	clients, peers := "http://127.0.0.1:"+strconv.Itoa(client), "http://127.0.0.1:"+strconv.Itoa(peer)
	p, err := launch(r, dir, dnsperfCore, "etcd", "--data-dir", dir, "--log-level", "error", "--unsafe-no-fsync",
		"--listen-client-urls", clients, "--advertise-client-urls", clients,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers)
	if err != nil {
		return nil, err
	}
	s := &store{process: p, Config: etcd.New(clients)}
	if s.client, err = s.Dial(); err == nil {
		ctx, cancel := context.WithTimeout(r, startTime)
		defer cancel()
		_, err = s.client.Get(ctx, s.Prefix)
	}
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("etcd: %w: %s", err, p.journal.last())
	}
	return s, nil
}

func (s *store) stop() {
	s.client.Close()
	s.process.stop()
}

// put puts a fragment.
func (s *store) put(ctx context.Context, i instance) error {
	_, err := s.client.Put(ctx, s.Key(i.host()), i.fragment())
	return err
}

// perTransaction is less than etcd takes if nobody says otherwise.
const perTransaction = 100

// fill puts many fragments, some in a transaction.
func (s *store) fill(ctx context.Context, all []instance) error {
	return each(8, chunks(all, perTransaction), func(some []instance) error {
		var puts []clientv3.Op
		for _, i := range some {
			puts = append(puts, clientv3.OpPut(s.Key(i.host()), i.fragment()))
		}
		_, err := s.client.Txn(ctx).Then(puts...).Commit()
		return err
	})
}

func chunks(all []instance, size int) [][]instance {
	var parts [][]instance
	for len(all) > size {
		parts, all = append(parts, all[:size]), all[size:]
	}
	return append(parts, all)
}

// each does something with all of some things, a few at a time. It returns the first
// error of each worker, which ends with it.
func each[T any](workers int, all []T, do func(T) error) error {
	next := make(chan T, len(all))
	for _, one := range all {
		next <- one
	}
	close(next)
	errs := make([]error, workers)
	var working sync.WaitGroup
	for w := range workers {
		working.Go(func() {
			for one := range next {
				if errs[w] = do(one); errs[w] != nil {
					return
				}
			}
		})
	}
	working.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
