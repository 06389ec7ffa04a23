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
txt-record=example.com,"v=text1 mx -all, really",second
txt-record=nothing.example.com
txt-record=long.example.com,"012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
txt-record=quoted.example.com,"a \"b\" \\ c"
caa-record=example.com,0,issue,"ca.example.net; account=1"
naptr-record=example.com,10,20,s,SIP+D2U,"!^.*$!sip:a@example.com!",_sip._udp.example.com
naptr-record=example.com,20,20,s,SIP+D2T,,_sip._tcp.example.com
ptr-record=p.example.com,h1.example.com
dns-rr=rr.example.com,44,01:01:0123456789abcdef0123456789abcdef01234567
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
	if len(names) < 26 {
		t.Errorf("%d names are imported", len(names))
	}
	here := table.Compile(index, table.Options{Zones: zones})
	for _, name := range names {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeSRV, dns.TypeCNAME,
			dns.TypeTXT, dns.TypeCAA, dns.TypeNAPTR, dns.TypePTR, dns.TypeSSHFP} {
			_, a := here.Lookup(string(name), qtype)
			res := there.ask(t, "udp", new(dns.Msg).SetQuestion(string(name), qtype))
			if got, want := sorted(name, a.RRs), sorted(name, res.Answer); !slices.Equal(got, want) {
				t.Errorf("%s %s: %q, and dnsmasq says %q", name, dns.Type(qtype), got, want)
			}
		}
	}
}

// everything has a record, directive or notation of each kind that public zone files have.
const everything = `; a zone
$TTL 1h
@	900 IN SOA hidden.example.net. jane\.doe.example.org. ( 2026112401 3h 15m 4w 300 ) ; of denials
	2d NS ns1
	2d NS ns.example.net.
	MX 10 mx1
	MX 20 MX2.example.net.
	TXT ( "v=text1 mx -all"
	      "second; string" )
	CAA 128 issue "ca.example.net; account=1"
	NAPTR 1 2 s SIP+D2U "" _sip._udp
	HTTPS 1 . alpn="h2,h3" ipv4hint=192.0.2.1
	LOC 52 22 23.000 N 4 53 32.000 E -2.00m 1m 10000m 10m
ns1	A 192.0.2.53
mx1	300 IN A 192.0.2.10
	300 AAAA 2001:db8::10
	HINFO PC "Linux on it"
	SSHFP 1 1 0123456789abcdef0123456789abcdef01234567
$ORIGIN sub.example.org.
www	CNAME web
web	IN 5m CNAME mx1.example.org.
a	A 192.0.2.9
$ORIGIN example.org.
; wildcards
*	MX 10 mx1
*	TXT "wild"
*.apps	A 192.0.2.20
*.old	CNAME mx1
; delegations
eu	NS ns.eu
	NS ns.example.net.
	DS 12345 13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF
ns.eu	A 192.0.2.54
gc._msdcs	A 192.0.2.51
_ldap._tcp	SRV 0 6 389 mx1
	SRV 0 4 389 mx1.example.net.
_none._tcp	SRV 0 0 0 .
none	MX 0 .
_443._tcp.mx1	TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
x._keys	TXT "p=AB\"C\\\\D" "\195\164 { }"
any	TYPE65280 \# 4 0A 00 00 01
	URI 10 1 "https://example.org/a b"
	RP mx1 x._keys
	AFSDB 1 mx1.example.net.
	TYPE1 \# 4 c0000263
$INCLUDE part.db part
$GENERATE 9-11/2 pool${0,3} A 203.0.113.$
$GENERATE 1-2 ${0,7,n}.ip6 PTR host$.example.net.
mx1	NSEC ns1 A AAAA RRSIG NSEC
	RRSIG NSEC 13 3 300 20300101000000 20200101000000 1 example.org. AAAA
@	DNSKEY 257 3 13 AwEAAQ==
`

// TestImportZone: what a zone file says is the same after import and render, to named-compilezone.
func TestImportZone(t *testing.T) {
	rig.Peer(t, "named-compilezone")
	tool := buildTool(t)
	t.Chdir(t.TempDir())
	write(t, "zone.db", everything)
	write(t, "part.db", "@ A 192.0.2.77\nhere MX 10 @\n")
	write(t, "Corefile", output(t, tool, "import", "--corefile", "--zone", "example.org", "zone.db"))
	write(t, "rendered.db", output(t, tool, "render", "Corefile"))
	before, after := compiled(t, "zone.db"), compiled(t, "rendered.db")
	if len(before) < 44 {
		t.Errorf("the zone has %d records", len(before))
	}
	if !slices.Equal(before, after) {
		missing := slices.DeleteFunc(slices.Clone(before), func(s string) bool { return slices.Contains(after, s) })
		added := slices.DeleteFunc(after, func(s string) bool { return slices.Contains(before, s) })
		t.Errorf("missing\n%s\nadded\n%s", strings.Join(missing, "\n"), strings.Join(added, "\n"))
	}
}

// compiled returns the records of a zone file as named-compilezone reads them, without serial and signatures.
func compiled(t *testing.T, file string) (records []string) {
	t.Helper()
	out := file + ".compiled"
	text, err := exec.Command("named-compilezone", "-i", "none", "-k", "ignore", "-n", "ignore", "-s", "full", "-o", out, "example.org", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for line := range strings.Lines(read(t, out)) {
		words := strings.Fields(strings.ToLower(line))
		if strings.HasPrefix(line, ";") { // when to sign anew
			continue
		}
		switch words[3] {
		case "rrsig", "nsec", "dnskey":
			continue
		case "soa":
			words[6] = "SERIAL"
		}
		records = append(records, strings.Join(words, " "))
	}
	slices.Sort(records)
	return records
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
