package test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
	"github.com/mxsrv/mxsrv/test/rig"
)

// office is what dnsmasq is given: every option that is imported, with what its
// manual leaves open.
const office = `
no-resolv
no-hosts
domain=example.net
domain=example.com
domain=example.org,192.0.2.0/24
local-ttl=300
mx-target=mail.example.com
mx-host=example.com
mx-host=b.example.com,mx.example.com.
mx-host=c.example.com,mx.example.com,5
mx-host=c.example.com,MX2.example.com,6
  mx-host = d.example.com , mx.example.com , 7   # blanks
mx-host="e.example.com",mx.example.com
srv-host=_xmpp-client._tcp.example.com,chat.example.com
srv-host=_sip._udp.example.com,sip.example.com,5060,10,20
srv-host=_sip._udp.example.com,sip2.example.com,5060,10,30
srv-host=_ldap._tcp,ldap.example.com,389
host-record=h1.example.com,also.h1.example.com,192.0.2.1,2001:db8::1,60
host-record=h2.example.com,192.0.2.2,192.0.2.3
host-record=h3.example.com,192.0.2.4
host-record=h3.example.com,192.0.2.5
host-record=mail.example.com,192.0.2.6
host-record=both.example.com,192.0.2.10
address=/both.example.com/192.0.2.11
host-record=fam.example.com,2001:db8::9
address=/fam.example.com/192.0.2.9
address=/w.example.com/v.example.com/192.0.2.12
address=/w.example.com/192.0.2.13
address=/six.example.com/2001:db8::6
cname=c1.example.com,c2.example.com,h1.example.com,77
cname=c3.example.com,h1.example.com
cname=far.example.com,www.example.net
cname=c4.example.com,c3.example.com
address=/.dot.example.com/192.0.2.14
host-record=short,short.example.com,192.0.2.15
`

// TestImportDnsmasq: the imported definitions answer as dnsmasq itself does.
func TestImportDnsmasq(t *testing.T) {
	path := rig.Peer(t, "dnsmasq")
	conf := filepath.Join(t.TempDir(), "dnsmasq.conf")
	write(t, conf, office)
	port := freePort(t)
	cmd := exec.Command(path, "--keep-in-foreground", "--conf-file="+conf, "--port="+port, "--pid-file",
		"--listen-address=127.0.0.1", "--bind-interfaces", "--log-facility=-")
	there := run(t, "127.0.0.1:"+port, cmd, "started")

	zones := definition.Zones{"example.com."}
	set, errs := definition.Read("import", output(t, buildTool(t), "import", conf), zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	index := set.Index()
	var names []definition.Name
	for o := range index.Owners() {
		names = append(names, o.Name())
	}
	if len(names) < 20 {
		t.Errorf("%d names are imported", len(names))
	}
	here := table.Compile(index, table.Options{Zones: zones})
	for _, name := range names {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeSRV, dns.TypeCNAME} {
			_, a := here.Lookup(string(name), qtype)
			res := there.ask(t, "udp", new(dns.Msg).SetQuestion(string(name), qtype))
			if got, want := sorted(name, a.RRs), sorted(name, res.Answer); !slices.Equal(got, want) {
				t.Errorf("%s %s: %q, and dnsmasq says %q", name, dns.Type(qtype), got, want)
			}
		}
	}
}

// sorted returns the records of a name as text.
func sorted(name definition.Name, rrs []dns.RR) []string {
	var all []string
	for _, rr := range rrs {
		if strings.EqualFold(rr.Header().Name, string(name)) {
			all = append(all, strings.ToLower(rr.String()))
		}
	}
	slices.Sort(all)
	return all
}
