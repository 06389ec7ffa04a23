package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// A contender is a way to serve the records; plugins are the lines that its
// Corefile has for them.
type contender struct{ name, plugins string }

var contenders = []contender{
	{"mxsrv", `
	mxsrv {
		host mx1 192.0.2.10
		host mx2 192.0.2.20
		mail @ {
			10 mx1
			20 mx2
		}
	}`},
	{"file", `
	file ` + zoneFile},
	{"template", `
	template IN MX {
		answer "` + strings.Join(exchanges, "\"\n\t\tanswer \"") + `"
		additional "` + strings.Join(addresses, "\"\n\t\tadditional \"") + `"
	}`},
	{"fixed", `
	fixed`},
}

const (
	zoneFile  = "db.example.org"
	queryFile = "queries"
	question  = "example.org MX\n" // as dnsperf reads it
)

// The records, as zone file and template have them, and as all must answer.
var (
	exchanges = []string{"example.org. 3600 IN MX 10 mx1.example.org.", "example.org. 3600 IN MX 20 mx2.example.org."}
	addresses = []string{"mx1.example.org. 3600 IN A 192.0.2.10", "mx2.example.org. 3600 IN A 192.0.2.20"}
)

// zone is the zone of file, which wants a SOA and an NS on top.
func zone() string {
	lines := []string{
		"example.org. 3600 IN SOA ns.example.net. hostmaster.example.org. 1 7200 1800 86400 300",
		"example.org. 3600 IN NS ns.example.net.",
	}
	return strings.Join(slices.Concat(lines, exchanges, addresses), "\n") + "\n"
}

func (c contender) corefile(port int) string {
	return fmt.Sprintf("example.org:%d {\n\tbind 127.0.0.1%s\n}\n", port, c.plugins)
}

// write puts all files into dir, the Corefiles under the names of contenders.
func write(dir string, port int) error {
	files := map[string]string{zoneFile: zone(), queryFile: question}
	for _, c := range contenders {
		files[c.name] = c.corefile(port)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// check asks a server once and compares the records of the answer.
func check(port int) error {
	q := new(dns.Msg).SetQuestion("example.org.", dns.TypeMX)
	res, _, err := new(dns.Client).Exchange(q, address(port))
	if err != nil {
		return err
	}
	if !same(res.Answer, exchanges) || !same(res.Extra, addresses) {
		return fmt.Errorf("the answer is not the two exchanges and their addresses:\n%v", res)
	}
	return nil
}

// same compares records as they are written; their order is for plugins to choose.
func same(rrs []dns.RR, want []string) bool {
	var got []string
	for _, rr := range rrs {
		got = append(got, strings.Join(strings.Fields(rr.String()), " "))
	}
	slices.Sort(got)
	return slices.Equal(got, want)
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", fmt.Sprint(port)) }

// freePort returns a port that nobody has now: CoreDNS takes no port 0.
func freePort() (int, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).Port, nil
}
