package test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/test/rig"
)

// probedFragment is a service whose hosts are where whoever may write to etcd would like to have a look: an address of
// metadata in clouds, this host, a network of others, and one that may be probed.
const probedFragment = `host metadata 169.254.169.254
host here 127.0.40.1
host foreign 198.51.100.7
host ours 203.0.113.9
service _f._tcp 0 0 8000 metadata here foreign ours {
    check tcp
}
`

// TestProbeNetworks: addresses that only a fragment declares are probed inside the networks of probe alone.
func TestProbeNetworks(t *testing.T) {
	if os.Getenv(toolVar) == "" {
		inNamespaces(t, "etcd")
		return
	}
	ownNetwork(t, "169.254.169.254", "198.51.100.7", "203.0.113.9")
	var all []*talker
	for _, addr := range []string{"169.254.169.254", "127.0.40.1", "198.51.100.7", "203.0.113.9"} {
		all = append(all, serveTalk(t, addr+":8000", hangUp))
	}
	etcd := rig.Etcd(t, 1)
	etcd.Do(t, put("f", probedFragment))
	corefile := fmt.Sprintf("example.com:1053 {\nbind 127.0.0.1\nmxsrv {\netcd %s\nchecks {\nevery 100ms\nprobe NETWORKS\n}\n}\n}\n",
		etcd.Members[0].URL)
	s := start(t, t.TempDir(), strings.ReplaceAll(corefile, "NETWORKS", "203.0.113.0/24"))
	ours, others := all[len(all)-1], all[:len(all)-1]
	t.Run("others are not named", func(t *testing.T) {
		eventually(t, s, "20 probes of what may be probed", func() bool { return ours.accepted.Load() >= 20 })
		for _, other := range others {
			if n := other.accepted.Load(); n > 0 {
				t.Errorf("%d probes of %s\n%s", n, other.addr, s)
			}
		}
	})
	t.Run("others are named", func(t *testing.T) {
		named := strings.ReplaceAll(corefile, "NETWORKS", "198.51.100.7/32 127.0.40.0/24 169.254.169.254/32")
		s.reload(t, s.replaced(named), reloaded)
		for _, other := range others {
			eventually(t, s, "probes of "+other.addr, func() bool { return other.accepted.Load() > 0 })
		}
	})
}
