package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/test/rig"
)

// ofBoth has a tree of the etcd plugin beside fragments.
const ofBoth = `example.org:1053 {
    bind 127.0.0.1
    mxsrv {
        host own 192.0.2.100
        mail @ 10 www
        authoritative {
            ns ns1.example.net.
        }
        etcd %s {
            prefix /mxsrv
            skydns /skydns
            snapshot snapshot
            timeout 1s
        }
    }
    transfer {
        to *
    }
    prometheus 127.0.0.1:1054
}
`

func putTree(name, value string) clientv3.Op {
	return clientv3.OpPut(keyOf(name+".example.org"), value)
}

// TestSkyDNSBesideOthers: names that others declare are theirs for as long as they do; a key that is wrong, or an alias
// to which the Corefile points, holds up nothing; and answers go on while etcd is away, at a start too.
func TestSkyDNSBesideOthers(t *testing.T) {
	c := &cluster{Cluster: rig.Etcd(t, 1), t: t}
	c.do(put("f", "host shared 192.0.2.50"),
		putTree("own", `{"host":"192.0.2.1"}`),
		putTree("shared.a", `{"host":"192.0.2.2"}`),
		putTree("shared", `{"host":"192.0.2.3"}`),
		putTree("x1.db", `{"host":"192.0.2.4","port":5432}`),
		putTree("www", `{"host":"x1.db.example.org"}`),
		putTree("broken", `no JSON`))
	s := start(t, t.TempDir(), fmt.Sprintf(ofBoth, c.URLs()[0]))
	servers := []*server{s}
	same(t, servers, "own.example.org A", "own.example.org. 3600 in a 192.0.2.100")
	same(t, servers, "shared.example.org A", "shared.example.org. 3600 in a 192.0.2.50")
	same(t, servers, "db.example.org SRV", "db.example.org. 300 in srv 10 100 5432 x1.db.example.org.")
	same(t, servers, "www.example.org A", "www.example.org. 300 in cname x1.db.example.org.")
	for _, line := range []string{
		"read 1 fragment at revision 2, of which 0 excluded", "read 6 keys at revision 2, of which 1 excluded",
		"excluded: etcd:/skydns/org/example/broken:1: error: the value is not what the etcd plugin of CoreDNS reads",
	} {
		if !strings.Contains(s.String(), line) {
			t.Errorf("no line %q in\n%s", line, s)
		}
	}
	series := `fragments{server="dns://127.0.0.1:` + s.addr[strings.LastIndex(s.addr, ":")+1:] + `",state="left_out"}`
	if n := s.metric(series); n != "1" {
		t.Errorf("%s is %q, want 1", series, n)
	}
	axfr := treeRecords(t, s)
	for _, line := range []string{"www.example.org. CNAME x1.db.example.org.", "db.example.org. SRV 10 100 5432 x1.db.example.org."} {
		if !slices.Contains(axfr, line) {
			t.Errorf("no %q in the transfer %q", line, axfr)
		}
	}

	c.do(del("f"))
	same(t, servers, "shared.example.org A", "shared.example.org. 300 in a 192.0.2.3")
	c.do(put("f", "host shared 192.0.2.51"))
	same(t, servers, "shared.example.org A", "shared.example.org. 3600 in a 192.0.2.51")
	c.do(putTree("broken", `{"host":"192.0.2.5"}`), clientv3.OpDelete(keyOf("x1.db.example.org")))
	same(t, servers, "broken.example.org A", "192.0.2.5")
	if got := answers(s, "db.example.org SRV"); !strings.HasPrefix(got, "NXDOMAIN") {
		t.Errorf("db has %s, though its key is gone", got)
	}
	same(t, servers, "www.example.org A", "www.example.org. 300 in cname x1.db.example.org.")

	before := treeRecords(t, s)
	eventually(t, s, "the last changes are in the snapshots", func() bool {
		fragments, _ := os.ReadFile(filepath.Join(s.Dir, "snapshot"))
		tree, _ := os.ReadFile(filepath.Join(s.Dir, "snapshot.skydns"))
		return strings.Contains(string(fragments), "192.0.2.51") && strings.Contains(string(tree), "192.0.2.5")
	})
	c.Members[0].Kill()
	if after := treeRecords(t, s); !slices.Equal(before, after) {
		t.Errorf("without etcd there is %q, want %q", after, before)
	}
	s.restart(t)
	if after := treeRecords(t, s); !slices.Equal(before, after) {
		t.Errorf("after a start without etcd there is %q, want %q", after, before)
	}
}

// treeRecords returns the records of the zone, sorted, without TTLs.
func treeRecords(t *testing.T, s *server) (lines []string) {
	t.Helper()
	all, err := transfer(s.addr, new(dns.Msg).SetAxfr("example.org."))
	if err != nil {
		t.Fatal(err)
	}
	for _, rr := range all {
		fields := strings.Fields(rr.String())
		lines = append(lines, strings.Join(slices.Delete(fields, 1, 3), " "))
	}
	slices.Sort(lines)
	return lines
}
