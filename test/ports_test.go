package test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestPorts: more targets than this host has ports are probed. A port that has been used is not free for a minute, but
// for other servers.
func TestPorts(t *testing.T) {
	if os.Getenv(toolVar) == "" {
		inNamespaces(t)
		return
	}
	ownNetwork(t)
	write(t, "/proc/sys/net/ipv4/ip_local_port_range", "40000 40019")
	const targets = 100
	var hosts, services strings.Builder
	for i := range targets {
		serveTalk(t, fmt.Sprintf("127.0.50.%d:8000", i+1), hang)
		fmt.Fprintf(&hosts, "host t%d 127.0.50.%d\n", i, i+1)
		fmt.Fprintf(&services, " t%d", i)
	}
	up := regexp.MustCompile(`(?m)^coredns_mxsrv_target_up\{.*\} 1$`)
	for _, from := range []string{"", "from 127.0.0.53\n"} {
		t.Run(from, func(t *testing.T) {
			s := start(t, t.TempDir(), "example.com:1053 {\nbind 127.0.0.1\nprometheus 127.0.0.1:1054\nmxsrv {\n"+hosts.String()+
				"service _x._tcp 0 0 8000"+services.String()+" {\ncheck tcp\n}\n"+
				"checks {\nevery 1s\nprobe 127.0.0.0/8\n"+from+"}\n}\n}\n")
			eventually(t, s, "all targets are up", func() bool {
				return len(up.FindAllString(s.get(":1054", "/metrics"), -1)) == targets
			})
			if strings.Contains(s.String(), "cannot be probed") {
				t.Error(s)
			}
		})
	}
}
