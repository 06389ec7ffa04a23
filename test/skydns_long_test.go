package test

import (
	"fmt"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/test/rig"
)

// TestSkyDNSLarge: a tree of many services with some instances each is served soon after a start, a change of one key
// soon after that, and queries are answered many times as fast as by the etcd plugin.
func TestSkyDNSLarge(t *testing.T) {
	services, instances := orLong(t, 500, 25_000), 4
	c := &cluster{Cluster: rig.Etcd(t, 1), t: t}
	const perTransaction = 32 // of the 128 operations that etcd allows
	var ops []clientv3.Op
	for n := range services {
		for i := range instances {
			ops = append(ops, clientv3.OpPut(instanceKey(n, i), fmt.Sprintf(`{"host":"10.%d.%d.%d","port":80}`, n/250, n%250, i)))
		}
		if len(ops) >= perTransaction*instances || n == services-1 {
			c.do(ops...)
			ops = nil
		}
	}
	began := time.Now()
	s := start(t, t.TempDir(), fmt.Sprintf(besideEtcd, "example.org", c.URLs()[0]))
	ours := dialTCP(t, s.addr)
	if m, err := ours.ask("s7.example.org.", dns.TypeSRV); err != nil || len(m.Answer) != instances {
		t.Fatal(m, err)
	}
	took := time.Since(began)
	resident := regexp.MustCompile(`(?m)^process_resident_memory_bytes (\S+)`).FindStringSubmatch(s.get(":1054", "/metrics"))
	t.Logf("%d keys: first answer after %v, with %v octets of memory", services*instances, took, resident)
	var slowest, sum time.Duration
	const changes = 20
	for n := range changes {
		began := time.Now()
		c.do(clientv3.OpPut(instanceKey(n, instances), `{"host":"10.255.0.1","port":80}`))
		name := fmt.Sprintf("s%d.example.org.", n)
		eventually(t, s, "the change of "+name, func() bool {
			m, err := ours.ask(name, dns.TypeSRV)
			return err == nil && len(m.Answer) == instances+1
		})
		took := time.Since(began)
		slowest, sum = max(slowest, took), sum+took
	}
	t.Logf("a change is answered after %v, at most %v, with the time to write it", sum/changes, slowest)
	if *long {
		a, b := perSecond(t, s.addr), perSecond(t, s.at[":1055"])
		t.Logf("%.0f answers a second, and %.0f of the etcd plugin: %.1f times as many", a, b, a/b)
	}
}

func instanceKey(service, instance int) string {
	return keyOf(fmt.Sprintf("x%d.s%d.example.org", instance, service))
}

// perSecond returns how many SRV questions a server answers in a second, asked over several connections.
func perSecond(t *testing.T, addr string) float64 {
	const connections, during = 16, 5 * time.Second
	var answered atomic.Int64
	var asking sync.WaitGroup
	began := time.Now()
	for n := range connections {
		conn := dialTCP(t, addr)
		asking.Go(func() {
			for i := n; time.Since(began) < during; i += connections {
				m, err := conn.ask(fmt.Sprintf("s%d.example.org.", i%1000), dns.TypeSRV)
				if err != nil || len(m.Answer) < 4 {
					t.Error(m, err)
					return
				}
				answered.Add(1)
			}
		})
	}
	asking.Wait()
	return float64(answered.Load()) / time.Since(began).Seconds()
}
