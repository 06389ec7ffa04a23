package lint

import (
	"strings"
	"testing"
)

// suites are what mail suites tell an operator to publish, as lines for example.org, and the only rules that find
// something in them. KEY stands for one of 2048 bits.
var suites = []struct{ name, lines, rules string }{
	{"mox", `record mail TXT "v=spf1 a -all"
record @ TXT "v=spf1 ip4:192.0.2.10 ip6:2001:db8::10 mx ~all"
record 2026a._domainkey TXT "v=DKIM1;h=sha256;k=ed25519;p=TjOlVNTTsI4XnF8BkQJiKdMd/Ezl0aVzqvAVqVLYRfI="
record 2026b._domainkey TXT "v=DKIM1;h=sha256;p=KEY"
record _dmarc TXT "v=DMARC1;p=reject;rua=mailto:dmarcreports@example.org!10m"
record _mta-sts TXT "v=STSv1; id=20261126T120000"
record _smtp._tls TXT "v=TLSRPTv1; rua=mailto:tlsreports@example.org"
record _smtp._tls.mail TXT "v=TLSRPTv1; rua=mailto:tlsreports@mail.example.org"
record _25._tcp.mail TLSA 3 1 1 0000000000000000000000000000000000000000000000000000000000000000
record _25._tcp.mail TLSA 3 1 1 1111111111111111111111111111111111111111111111111111111111111111
record @ CAA 0 issue "letsencrypt.org;accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1;validationmethods=tls-alpn-01,http-01"`, ""},
	{"Stalwart", `record mail TXT "v=spf1 a -all"
record @ TXT "v=spf1 mx -all"
record 202611r._domainkey TXT "v=DKIM1; k=rsa; h=sha256; p=KEY"
record 202611e._domainkey TXT "v=DKIM1; k=ed25519; h=sha256; p=TjOlVNTTsI4XnF8BkQJiKdMd/Ezl0aVzqvAVqVLYRfI="
record _dmarc TXT "v=DMARC1; p=reject; rua=mailto:postmaster@example.org; ruf=mailto:postmaster@example.org"
record _mta-sts TXT "v=STSv1; id=14567283746512345678"
record _smtp._tls TXT "v=TLSRPTv1; rua=mailto:postmaster@example.org"
record _25._tcp.mail _465._tcp.mail TLSA 3 1 1 0000000000000000000000000000000000000000000000000000000000000000
record _25._tcp.mail _465._tcp.mail TLSA 2 1 1 1111111111111111111111111111111111111111111111111111111111111111
record _ua-auto-config TXT "v=UAAC1; a=sha256; d=3q2+7w=="
record @ CAA 0 issue "letsencrypt.org"
record @ CAA 0 iodef "mailto:postmaster@example.org"`, ""},
	{"Mailu", `record @ TXT "v=spf1 mx a:mail.example.org ~all"
record dkim._domainkey TXT "v=DKIM1; k=rsa; p=KEY"
record _dmarc TXT "v=DMARC1; p=reject; rua=mailto:admin@example.org; ruf=mailto:admin@example.org; adkim=s; aspf=s"
record example.org._report._dmarc TXT "v=DMARC1;"
record _25._tcp.mail TLSA 2 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3
record _25._tcp.mail TLSA 2 1 1 762195c225586ee6c0237456e2107dc54f1efc21f61a792ebd515913cce68332`, ""},
	{"mxsrv", `mail @ a.example.com. {
10 mx1.example.net. mx2.example.net.
spf mx include:_spf.example.net -all
dkim s2026a rsa:KEY
dkim s2025a revoked
dmarc reject sp=quarantine rua=postmaster@example.org,dmarc@example.net adkim=s
mta-sts id=20261126 mta-sts.example.net.
tls-rpt postmaster@example.org https://example.net/tls
clients mail.example.net. imaps submissions caldavs=/dav autoconfig autodiscover
}
mail b none {
spf -all
dmarc reject
}`, ""},
	{"mailcow", `record @ TXT "v=spf1 mx a -all"
record dkim._domainkey TXT "v=DKIM1;k=rsa;t=s;s=email;p=KEY"
record _dmarc TXT "v=DMARC1; p=reject; rua=mailto:mailauth-reports@example.org"
record _mta-sts TXT "v=STSv1; id=20261126120000;"
record _smtp._tls TXT "v=TLSRPTv1; rua=mailto:mailauth-reports@example.org"
record _25._tcp.mail TLSA 3 1 1 0000000000000000000000000000000000000000000000000000000000000000`, "tlsa-one-key"},
	{"Mail-in-a-Box", `record @ TXT "v=spf1 mx -all"
record mail._domainkey TXT "v=DKIM1; h=sha256; k=rsa; s=email; " "p=KEY"
record _dmarc TXT "v=DMARC1; p=quarantine;"
record www mta-sts TXT "v=spf1 -all"
record _dmarc.www _dmarc.mta-sts TXT "v=DMARC1; p=reject;"
record *._domainkey.www TXT "v=DKIM1; p="
record _mta-sts TXT "v=STSv1; id=NGVkZjMxYjA5MzQ2"
record _smtp._tls TXT "v=TLSRPTv1; rua=mailto:postmaster@example.org"
record _25._tcp.mail _443._tcp.mail TLSA 3 1 1 0000000000000000000000000000000000000000000000000000000000000000`, "tlsa-one-key"},
}

// TestSuites: what mail suites publish is fine, but for those that list one key.
func TestSuites(t *testing.T) {
	const apex = "authoritative {\nns ns.example.net.\n}\ndnssec example.org"
	for _, s := range suites {
		rules := map[string]bool{}
		for _, found := range find(strings.ReplaceAll(s.lines, "KEY", key(t)), "dnssec mxsrv", apex) {
			rules[found.Rule.ID] = true
			if found.Rule.ID != s.rules {
				t.Errorf("%s: %v", s.name, found)
			}
		}
		if s.rules != "" && !rules[s.rules] {
			t.Errorf("%s: no %s", s.name, s.rules)
		}
	}
}

// key returns the RSA key of 2048 bits that an example has.
func key(t testing.TB) string {
	_, key, _ := strings.Cut(readFixture(t, "dkim-key-short").fine, "p=")
	key, _, _ = strings.Cut(key, `"`)
	return key
}

// TestInPart: of names that are not read nothing is missed.
func TestInPart(t *testing.T) {
	for _, id := range []string{"bimi-needs-dmarc", "dmarc-report-unauthorised"} {
		x := authoritative(t, readFixture(t, id).definitions)
		for _, all := range []bool{true, false} {
			opt := Options{Zones: zones}
			if !all {
				opt.WarnAbout = x.Set.Owners()
			}
			found := false
			for _, f := range Check(x, nil, opt) {
				found = found || f.Rule.ID == id
			}
			if found != all {
				t.Errorf("%s: found %t where all names are read: %t", id, found, all)
			}
		}
	}
}

// TestUnknownPlugins: who does not know the server block cannot say that it does not sign.
func TestUnknownPlugins(t *testing.T) {
	x := index(t, readFixture(t, "tlsa-unsigned").definitions)
	for _, known := range []bool{true, false} {
		found := CheckPlugins(x, Options{Zones: zones, Plugins: Plugins{Known: known}})
		if len(found) > 0 != known {
			t.Errorf("known %t: %v", known, found)
		}
	}
	if !PluginsOf(nil).Known {
		t.Error("the plugins of a Corefile are not known")
	}
}

// TestShortData: no rule misses fields that data in hexadecimal lacks.
func TestShortData(t *testing.T) {
	for _, rrtype := range []string{"TXT", "CAA", "TLSA"} {
		for _, data := range []string{`"\#" 0`, `"\#" 1 00`, `"\#" 2 0000`, `"\#" 2 00ff`, `"\#" 3 030101`} {
			find("record _25._tcp.a _dmarc s._domainkey "+rrtype+" "+data, "", "")
		}
	}
}

// FuzzTags: any text is judged, at each name that has a meaning.
func FuzzTags(f *testing.F) {
	for _, seed := range []string{"v=DMARC1; p=none; rua=mailto:a@example.com!10m", "v=DKIM1; k=ed25519; p=AAAA", "v=DKIM1; p=",
		"v=TLSRPTv1; rua=https://a", "v=STSv1; id=1", "v=BIMI1; l=https://a", "ca.example; a=b", "v=spf1 include:example.org -all"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"_dmarc", "s._domainkey", "_smtp._tls", "_mta-sts", "default._bimi", "@"} {
			find(`record `+name+` TXT "`+text+`"`, "", "authoritative {\nns ns.example.net.\n}")
		}
		find(`record @ CAA 0 issue "`+text+`"`, "", "")
		if bits, ok := rsaBits(text); ok && wrongKey("p="+text) == "" && bits < leastBits {
			t.Errorf("a key of %d bits is fine", bits)
		}
	})
}
