package test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/table"
	"github.com/mxsrv/mxsrv/test/rig"
)

// A checker is a program that judges a master file.
type checker struct {
	program string
	args    func(zone, file string) []string
	quiet   *regexp.Regexp // a line that it prints when all is well
}

// checkers look at what is in the file alone: names elsewhere are not looked up. Addresses of name servers below another
// delegation are optional (RFC 9471 §3.2), and a zone within has them.
var checkers = []checker{
	{"named-checkzone", func(zone, file string) []string { return []string{"-k", "fail", "-i", "local", zone, file} },
		regexp.MustCompile(`: loaded serial \d+$|^OK$|has no SIBLING GLUE address records`)},
	{"kzonecheck", func(zone, file string) []string { return []string{"-o", zone, file} },
		regexp.MustCompile(`^$`)},
	{"nsd-checkzone", func(zone, file string) []string { return []string{zone, file} },
		regexp.MustCompile(` is ok$`)},
}

// judge runs a checker, and returns what it prints beyond that all is well.
func (c checker) judge(t *testing.T, zone, file string) (verdict, said string) {
	t.Helper()
	out, err := exec.Command(rig.Peer(t, c.program), c.args(zone, file)...).CombinedOutput()
	var lines []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); !c.quiet.MatchString(line) {
			lines = append(lines, line)
		}
	}
	said = strings.ReplaceAll(strings.Join(lines, "; "), file, filepath.Base(file))
	switch {
	case err != nil:
		return "refuses", said
	case said != "":
		return "warns", said
	}
	return "is silent", ""
}

// TestCheckers: those who check zone files have nothing to say about what is
// rendered of random sets and of the examples that are authoritative.
func TestCheckers(t *testing.T) {
	var all []*generated
	for _, seed := range sets() {
		all = append(all, generate(seed))
	}
	for _, z := range masterFiles(t, all, func(string) uint32 { return 7 }) {
		for _, c := range checkers {
			if verdict, said := c.judge(t, z.zone, z.file); verdict != "is silent" {
				t.Errorf("%s %s %s: %s", c.program, verdict, z.zone, said)
			}
		}
	}
	for _, z := range renderedExamples(t) {
		for _, c := range checkers {
			if verdict, said := c.judge(t, z.zone, z.file); verdict != "is silent" {
				t.Errorf("%s %s %s: %s", c.program, verdict, z.file, said)
			}
		}
	}
}

// TestCheckersInFull: where all targets are in the zone they are looked for, too.
func TestCheckersInFull(t *testing.T) {
	compiled := compile(t, "mxsrv example.org {\nauthoritative {\nns ns1\n}\nhost ns1 192.0.2.53\n"+
		strings.ReplaceAll(strings.ReplaceAll(tenLines, "host ns1 192.0.2.53\n", ""), "alias shop shop.example.net.\n", "")+"}\n", nil)
	file := filepath.Join(t.TempDir(), "db")
	render(t, compiled, "example.org.", file)
	out, err := exec.Command(rig.Peer(t, "named-checkzone"), "-k", "fail", "-m", "fail", "-M", "fail", "-n", "fail", "-r", "fail", "-S", "fail", "-i", "full", "example.org", file).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func render(t *testing.T, compiled *table.Table, zone definition.Name, file string) {
	t.Helper()
	var b strings.Builder
	if err := compiled.Render(&b, zone); err != nil {
		t.Fatal(err)
	}
	write(t, file, b.String())
}

// renderedExamples transfers the zones of the examples that are authoritative.
func renderedExamples(t *testing.T) (zones []hosted) {
	t.Helper()
	paths, err := filepath.Glob("../examples/*/Corefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		corefile := read(t, path)
		if !strings.Contains(corefile, "authoritative {") {
			continue
		}
		corefile = regexp.MustCompile(`to [^\n]*`).ReplaceAllString(corefile, "to *")
		s := start(t, filepath.Dir(path), withEtcd(t, filepath.Dir(path), corefile))
		for _, m := range regexp.MustCompile(`(\S+):1053 `).FindAllStringSubmatch(corefile, -1) {
			zone := dns.Fqdn(m[1])
			var b strings.Builder
			for _, rr := range zoneOf(t, s, zone)[1:] {
				b.WriteString(rr.String() + "\n")
			}
			file := filepath.Join(t.TempDir(), filepath.Base(filepath.Dir(path))+"."+zone)
			write(t, file, b.String())
			zones = append(zones, hosted{zone: zone, file: file})
		}
	}
	if len(zones) < 5 {
		t.Errorf("%d zones of examples are authoritative, want at least 5", len(zones))
	}
	return zones
}

// asZones holds, for each rule that is an error, a zone with that mistake, to
// which a SOA, a name server and a host mx1 are added.
var asZones = map[string]string{
	"alias-loop":            "a CNAME b\nb CNAME a",
	"alias-with-other-data": "a CNAME mx1\na A 192.0.2.7",
	"answer-over-65535":     largeHost(4200),
	"below-delegation":      "sub NS mx1\nwww.sub TXT a",
	"caa-value":             "@ CAA 0 issue https://ca.example.net",
	"dkim-key":              `s._domainkey TXT "v=DKIM1; p=nonsense"`,
	"dmarc-tag":             `_dmarc TXT "v=DMARC1; p=rejct"`,
	"mail-wildcard":         "* MX 10 mx1",
	"mta-sts-id":            `_mta-sts TXT "v=STSv1"`,
	"mx-target-alias":       "a CNAME mx1\n@ MX 10 a",
	"name-invalid":          "-host A 192.0.2.7\n@ MX 10 -host",
	"ns-target-alias":       "a CNAME mx1\n@ NS a",
	"null-mx-not-alone":     "@ MX 0 .\n@ MX 10 mx1",
	"owner-outside-zone":    "www.example.net. A 192.0.2.7",
	"record-data":           "@ CAA 0 issue",
	"spf-after-all":         `@ TXT "v=spf1 -all mx"`,
	"spf-lookups":           `@ TXT "v=spf1 a mx a:a.a mx:a.a a:b.b mx:b.b a:c.c mx:c.c a:d.d mx:d.d a:e.e -all"`,
	"spf-mx-many":           "@ TXT \"v=spf1 mx -all\"\n" + manyExchanges(11),
	"spf-plus-all":          `@ TXT "v=spf1 +all"`,
	"spf-term":              `@ TXT "v=spf1 ip4:192.0.2 -all"`,
	"spf-two":               "@ TXT \"v=spf1 mx -all\"\n@ TXT \"v=spf1 a -all\"",
	"srv-dot-not-alone":     "_ldap._tcp SRV 0 0 0 .\n_ldap._tcp SRV 0 0 389 mx1",
	"srv-target-alias":      "a CNAME mx1\n_ldap._tcp SRV 0 0 389 a",
	"target-is-address":     "@ MX 10 192.0.2.7",
	"target-undefined":      "@ MX 10 gone",
	"tls-rpt-uri":           `_smtp._tls TXT "v=TLSRPTv1; rua=postmaster@example.org"`,
	"ttl-conflict":          "a 300 A 192.0.2.7\na 600 A 192.0.2.8",
	"value-out-of-range":    "@ MX 70000 mx1",
}

// notInZones are the errors that are not about records.
var notInZones = []string{"authoritative-twice", "check-conflict", "file-unreadable", "fragment-closed", "fragment-not-allowed",
	"fragment-younger", "mta-sts-mx", "mta-sts-policy", "nested-signed", "order-conflict", "record-type", "syntax", "tlsa-key",
	"wildcard-in-overlay", "zone-unreachable"}

// largeHost returns a host with n addresses.
func largeHost(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "big A 10.0.%d.%d\n", i/256, i%256)
	}
	return b.String()
}

// manyExchanges returns a mail domain with n exchanges.
func manyExchanges(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "@ MX 10 mx%d.example.net.\n", i)
	}
	return b.String()
}

const zoneTop = "$TTL 300\n@ SOA ns admin 7 7200 1800 1209600 60\n@ NS ns\nns A 192.0.2.1\nmx1 A 192.0.2.2\n"

// TestRefusedElsewhere records what the checkers say of what our rules refuse.
func TestRefusedElsewhere(t *testing.T) {
	dir := t.TempDir()
	var b strings.Builder
	b.WriteString("| what mxsrv refuses | named-checkzone | kzonecheck | nsd-checkzone |\n|---|---|---|---|\n")
	for _, r := range lint.Rules() {
		id := r.ID
		if r.Severity != lint.Error && id != "target-undefined" || slices.Contains(notInZones, id) {
			continue
		}
		text, ok := asZones[id]
		if !ok {
			t.Errorf("%s is not shown as a zone", id)
			continue
		}
		file := filepath.Join(dir, id)
		write(t, file, zoneTop+text+"\n")
		fmt.Fprintf(&b, "| `%s` |", id)
		for _, c := range checkers {
			verdict, said := c.judge(t, "example.org", file)
			t.Logf("%s: %s %s: %s", id, c.program, verdict, said)
			fmt.Fprintf(&b, " %s |", verdict)
		}
		b.WriteString("\n")
	}
	if !strings.Contains(read(t, "../docs/rules.md"), "\n\n"+b.String()+"\n") {
		t.Errorf("docs/rules.md should have\n%s", b.String())
	}
}
