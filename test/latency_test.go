package test

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// TestEtcdLatency: how soon a change is in an answer after etcdctl has returned.
func TestEtcdLatency(t *testing.T) {
	etcdctl := rig.Peer(t, "etcdctl")
	c := startCluster(t)
	c.do(put("counter", "host counter "+version(0)))
	s := start(t, t.TempDir(), fmt.Sprintf(registered, c.endpoints()))
	eventually(t, s, "the watch is there", func() bool { return len(transferHosts(s)) == 1 })
	conn, err := dns.Dial("udp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	took := make([]time.Duration, orLong(t, 30, 1000))
	for n := range took {
		text := "host counter " + version(uint32(n+1))
		if out, err := exec.Command(etcdctl, "--endpoints", c.Members[n%3].URL, "put", "/mxsrv/counter", text).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		began := time.Now()
		eventually(t, s, text, func() bool {
			res, _, err := new(dns.Client).ExchangeWithConn(new(dns.Msg).SetQuestion("counter.example.org.", dns.TypeAAAA), conn)
			return err == nil && len(res.Answer) == 1 && versionOf(res.Answer[0]) == uint32(n+1)
		})
		took[n] = time.Since(began)
	}
	slices.Sort(took)
	last := took[(len(took)*99-1)/100]
	t.Logf("%d changes: median %v, 99th percentile %v, longest %v", len(took), took[len(took)/2], last, took[len(took)-1])
	if *long && last > 50*time.Millisecond {
		t.Errorf("the 99th percentile is %v, want at most 50ms", last)
	}
}

// TestEtcdBurst: many hosts that register themselves at once are there soon, in a
// few loads.
func TestEtcdBurst(t *testing.T) {
	registrations := orLong(t, 2000, 10000)
	c := startCluster(t)
	c.do(put("stay", "host stay "+version(1)))
	s := start(t, t.TempDir(), fmt.Sprintf(registered, c.endpoints()))
	eventually(t, s, "the watch is there", func() bool { return len(transferHosts(s)) == 1 })
	loads := func() int {
		return len(regexp.MustCompile(`plugin/mxsrv: .*: (loaded|patched)`).FindAllString(s.String(), -1))
	}
	before, began := loads(), time.Now()
	var clients sync.WaitGroup
	const at = 100 // a time
	for i := range at {
		clients.Go(func() {
			for n := i; n < registrations; n += at {
				c.do(put(fmt.Sprint("r", n), fmt.Sprintf("host r%d %s", n, version(uint32(n)))))
			}
		})
	}
	clients.Wait()
	registered := time.Since(began)
	eventually(t, s, "all are there", func() bool { return len(transferHosts(s)) == registrations+1 })
	batches := loads() - before
	t.Logf("%d hosts registered in %v, and were there after %v, in %d loads", registrations, registered, time.Since(began), batches)
	if batches > registrations/4 {
		t.Errorf("%d loads", batches)
	}
}
