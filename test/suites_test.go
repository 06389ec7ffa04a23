package test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/lint"
)

// A suite is a mail server that prints its admin the records to publish, which are a list in testdata. An example
// declares them.
type suite struct {
	list, example string
	differing     []string // records whose data is that of the list but for what means nothing, by their owners
	findings      string   // what is to be said of the set in a signed zone, if nothing is ignored
}

var suites = []suite{
	// mox splits strings after 100 octets, where files of DKIM keys become strings of 255, and has no blanks in DMARC.
	{"mox", "suite-mox", []string{"2026a._domainkey.example.com.", "2026b._domainkey.example.com.", "_dmarc.example.com."},
		"mail-single-host"}, // it is one machine
	{"stalwart", "suite-stalwart", nil, ""},
}

// TestSuites: what is rendered of an example has all records of the list, octet by octet. What differs by the lines of
// the example is the same in meaning, and octet by octet too once record lines declare it.
func TestSuites(t *testing.T) {
	tool := buildTool(t)
	for _, s := range suites {
		t.Run(s.list, func(t *testing.T) {
			corefile := filepath.Join("../examples", s.example, "Corefile")
			list := recordsOf(t, read(t, filepath.Join("testdata/suites", s.list+".txt")))
			if len(list) < 20 {
				t.Errorf("%d records, want at least 20", len(list))
			}
			missing := without(list, recordsOf(t, output(t, tool, "render", corefile)), octets)
			if got := owners(missing); !slices.Equal(got, s.differing) {
				t.Errorf("not in the example octet by octet: %q, want %q", got, s.differing)
			}
			if other := without(missing, recordsOf(t, output(t, tool, "render", corefile)), meaning); len(other) > 0 {
				t.Errorf("not in the example:\n%v", other)
			}
			declared := s.declare(t, missing)
			if other := without(list, recordsOf(t, output(t, tool, "render", declared)), octets); len(other) > 0 {
				t.Errorf("not in the example with records:\n%v", other)
			}
			if out, err := exec.Command(tool, "check", "--strict", declared).Output(); err != nil {
				t.Errorf("with records: %v\n%s", err, out)
			}
		})
	}
}

// declare writes the example with record lines for some records, instead of those in the block of the mail domain, and
// returns the path of its Corefile.
func (s suite) declare(t *testing.T, records []dns.RR) string {
	t.Helper()
	return s.edited(t, func(corefile string) string {
		for _, rr := range records {
			line, _, _ := strings.Cut(rr.Header().Name, ".")
			line = map[bool]string{true: "dmarc ", false: "dkim " + line}[line == "_dmarc"]
			_, data, _ := strings.Cut(rr.String(), "\tTXT\t")
			corefile = regexp.MustCompile(`(?m)^ *`+line+`.*\n`).ReplaceAllString(corefile, "")
			record := fmt.Sprintf("        record %s TXT %s\n", rr.Header().Name, data)
			corefile = strings.Replace(corefile, "        record ", record+"        record ", 1)
		}
		return corefile
	})
}

// edited writes a changed example, and returns the path of its Corefile.
func (s suite) edited(t *testing.T, edit func(string) string) string {
	t.Helper()
	dir, path := t.TempDir(), filepath.Join("../examples", s.example)
	if err := os.CopyFS(dir, os.DirFS(path)); err != nil {
		t.Fatal(err)
	}
	edited := edit(read(t, filepath.Join(path, "Corefile")))
	if err := os.WriteFile(filepath.Join(dir, "Corefile"), []byte(edited), 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "Corefile")
}

// TestSuitesAreRight: no rule takes what a suite prints for a mistake. In a zone that dnssec signs nothing needs to be
// ignored but what is true.
func TestSuitesAreRight(t *testing.T) {
	tool := buildTool(t)
	for _, s := range suites {
		signed := s.edited(t, func(corefile string) string {
			corefile = regexp.MustCompile(`(?m)^ *ignore .*\n`).ReplaceAllString(corefile, "")
			const dnssec = "    dnssec {\n        key file Kexample.com\n    }\n"
			return strings.Replace(corefile, "    mxsrv {\n", dnssec+"    mxsrv {\n", 1)
		})
		out, _ := exec.Command(tool, "check", "--strict", signed).Output()
		if strings.Join(rulesOf(string(out)), " ") != s.findings {
			t.Errorf("%s: %s\nwant %q", s.list, out, s.findings)
		}
	}
}

// shortKey is the RSA key of RFC 8463 §A.2.
const shortKey = "rsa:MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4j" +
	"YfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"

// broken are mistakes in the example mail-domain: a text of it, what stands there instead, and the rules that this
// breaks, the first one at the line where that begins, or that at has.
var broken = []struct{ rules, old, text, at string }{
	{"bimi-needs-dmarc dmarc-none", "dmarc reject np=reject rua", "dmarc none rua", "default._bimi"},
	{"caa-value", `0 issue "letsencrypt.org"`, `0 issue "https://letsencrypt.org"`, ""},
	{"dkim-key", "keys/s2026a.pem", "rsa:MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALTIrdz23i79200Fkylth7u3KoeQ8ijsv1dzZAoXXXhOcoznAtSxG8OVy2XlJBj8q7nr8y/KgUtwwsBl+xKZPC0CAwEAAQ==", ""},
	{"dkim-key", "keys/s2026a.pem", "Corefile", ""},
	{"dkim-key-short", "keys/s2026a.pem", shortKey, ""},
	{"dmarc-historic-tag", "np=reject", "pct=50", ""},
	{"dmarc-none bimi-needs-dmarc", "dmarc reject np", "dmarc none np", ""},
	{"dmarc-report-unauthorised", "rua=postmaster@example.com", "rua=postmaster@example.org", ""},
	{"dmarc-tag", "np=reject", "np=rejct", ""},
	{"dmarc-tag-unknown", "np=reject", "adkm=s", ""},
	{"file-unreadable", "keys/s2026a.pem", "keys/gone.pem", ""},
	{"mta-sts-age", "mta-sts policy.txt", "mta-sts short.txt", "mail @ shop"},
	{"mta-sts-id", "record @ CAA", `record _mta-sts TXT "v=STSv1; id=1"` + "\nrecord @ CAA", ""},
	{"mta-sts-mx", "10 mx1", "10 mx1 mail", ""},
	{"mta-sts-policy", "mta-sts policy.txt", "mta-sts broken.txt", ""},
	{"spf-after-all", "spf mx -all", "spf -all mx", ""},
	{"spf-long", "spf mx -all", "spf mx" + strings.Repeat(" ip4:192.0.2.0/24", 30) + " -all", ""},
	{"spf-lookups", "spf mx -all", "spf" + strings.Repeat(" include:_spf.example.net", 11) + " -all", ""},
	{"spf-mx-many mta-sts-mx", "10 mx1", "10 a. b. c. d. e. f. g. h. i. j. k.", "spf mx -all"},
	{"spf-plus-all", "spf mx -all", "spf mx +all", ""},
	{"spf-ptr", "spf mx -all", "spf mx ptr -all", ""},
	{"spf-term", "spf mx -all", "spf mx ip4:192.0.2 -all", ""},
	{"spf-two", "record @ CAA", `record @ TXT "v=spf1 a -all"` + "\nrecord @ CAA", ""},
	{"tls-rpt-uri", "tls-rpt postmaster@example.com", "tls-rpt ftp://example.com", ""},
	{"tlsa-form", "record @ CAA", "record _25._tcp.mx1 TLSA 1 1 1 " + strings.Repeat("00", 32) + "\nrecord @ CAA", ""},
	{"tlsa-key", "certs/mx1.pem", "policy.txt", ""},
	{"tlsa-one-key", " certs/mx1-next.pem", "", ""},
	{"tlsa-unsigned", "ignore tlsa-unsigned", "", "tlsa 25 certs/mx1.pem"},
}

// moreOfExample is what some mistakes are about: a record, and another zone.
var moreOfExample = strings.NewReplacer(
	"record @ CAA", "record default._bimi TXT \"v=BIMI1; l=https://example.com/a.svg\"\n        record @ CAA",
	"example.com:1053 {", "example.com:1053 example.org:1053 {",
	"    mxsrv {", "    mxsrv example.org {\n        authoritative {\n            ns ns.example.net.\n        }\n    }\n"+
		"    mxsrv example.com {")

// TestBrokenExample: each mistake is found at its line, and only what it is.
func TestBrokenExample(t *testing.T) {
	tool, shown := buildTool(t), map[string]bool{}
	for _, b := range broken {
		path := suite{example: "mail-domain"}.edited(t, func(corefile string) string {
			return strings.Replace(moreOfExample.Replace(corefile), b.old, b.text, 1)
		})
		policy := strings.Replace(read(t, "../examples/mail-domain/policy.txt"), "604800", "3600", 1)
		write(t, filepath.Join(filepath.Dir(path), "short.txt"), policy)
		write(t, filepath.Join(filepath.Dir(path), "broken.txt"), strings.Replace(policy, "enforce", "enforced", 1))

		rule, _, _ := strings.Cut(b.rules, " ")
		shown[rule] = true
		before, _, _ := strings.Cut(read(t, path), cmp.Or(b.at, b.text, "tlsa 25 certs/mx1.pem"))
		place := fmt.Sprintf("%s:%d: ", path, 1+strings.Count(before, "\n"))
		out, _ := exec.Command(tool, "check", "--strict", path).Output()
		found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(place) + `.*\[` + rule + `\b`).Match(out)
		want := slices.Sorted(strings.FieldsSeq(b.rules))
		if got := rulesOf(string(out)); !found || !slices.Equal(got, want) {
			t.Errorf("%s: %q\n%s\nwant it at %s, and %q", rule, got, out, place, want)
		}
	}
	ofMail := regexp.MustCompile(`^(spf|dkim|dmarc|mta-sts|tls-rpt|tlsa|caa|bimi)-`)
	for _, r := range lint.Rules() {
		if ofMail.MatchString(r.ID) && !shown[r.ID] {
			t.Errorf("no mistake for %s", r.ID)
		}
	}
}

// rulesOf returns the rules of findings, in order.
func rulesOf(findings string) (rules []string) {
	for _, m := range regexp.MustCompile(`\[([a-z0-9-]+)(?:,[^\]]*)?\]\n`).FindAllStringSubmatch(findings, -1) {
		rules = append(rules, m[1])
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

// TestExamplesAreRight: mxsrv check has nothing to say about any example.
func TestExamplesAreRight(t *testing.T) {
	tool := buildTool(t)
	corefiles, err := filepath.Glob("../examples/*/Corefile")
	if err != nil || len(corefiles) < 10 {
		t.Fatalf("%d examples found, want at least 10 (%v)", len(corefiles), err)
	}
	for _, corefile := range corefiles {
		if out, err := exec.Command(tool, "check", "--strict", corefile).Output(); err != nil {
			t.Errorf("%s: %v\n%s", corefile, err, out)
		}
	}
}

// recordsOf returns the records of a master file.
func recordsOf(t *testing.T, text string) (records []dns.RR) {
	t.Helper()
	parser := dns.NewZoneParser(strings.NewReader(text), "", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		rr.Header().Ttl = 0 // suites leave it to the admin
		records = append(records, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	return records
}

// without returns the records that others lack, in some form.
func without(records, others []dns.RR, form func(dns.RR) string) (missing []dns.RR) {
	has := map[string]bool{}
	for _, rr := range others {
		has[form(rr)] = true
	}
	for _, rr := range records {
		if !has[form(rr)] {
			missing = append(missing, rr)
		}
	}
	return missing
}

// octets returns a record in wire form.
func octets(rr dns.RR) string {
	b := make([]byte, dns.MaxMsgSize)
	n, err := dns.PackRR(rr, b, 0, nil, false)
	if err != nil {
		panic(err)
	}
	return string(b[:n])
}

// meaning returns a record in a form that is the same for all that mean the same: the strings of TXT are joined
// (RFC 6376 §3.6.2.2), and there are no blanks about the semicolons between tags (RFC 6376 §3.2, RFC 9989 §4.8).
func meaning(rr dns.RR) string {
	txt, ok := rr.(*dns.TXT)
	if !ok {
		return octets(rr)
	}
	text := regexp.MustCompile(` *; *`).ReplaceAllString(strings.Join(txt.Txt, ""), ";")
	return txt.Hdr.Name + " " + strings.TrimSuffix(text, ";")
}

func owners(records []dns.RR) (names []string) {
	for _, rr := range records {
		names = append(names, rr.Header().Name)
	}
	slices.Sort(names)
	return names
}
