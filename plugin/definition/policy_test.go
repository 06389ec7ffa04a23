package definition

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// hung has all lines that say what hangs on names.
const hung = `mail @ sub a.example.net. {
    10 mx1
    spf mx exists:%{i}._spf.%{d} -all
    dkim s1 ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
    dkim old revoked
    dmarc reject rua=postmaster@example.com,https://r.example/x ruf=a@example.com
    mta-sts id=20261126 web1
    tls-rpt postmaster@example.org https://r.example/x
    clients mail imaps submissions=10465 caldavs=8443/dav autodiscover
    ttl 60
}
host mx1 192.0.2.1 {
    spf a -all
    tlsa 25 sha256:000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F
}
`

// declared returns what is declared of names of example.org, as lines: NAME TYPE DATA, relative to it.
func declared(t *testing.T, set *Set) string {
	t.Helper()
	relative := strings.NewReplacer(".example.org.", "", "example.org.", "@")
	var lines []string
	for o := range set.Index().Owners() {
		line := func(format string, args ...any) {
			lines = append(lines, relative.Replace(fmt.Sprintf("%s "+format, append([]any{o.Name()}, args...)...)))
		}
		for _, s := range o.RRsets() {
			for _, d := range s.Records {
				text := d.RR(o.Name(), s.TTL()).String()
				line("%s", strings.Join(strings.Split(text, "\t")[3:], " "))
			}
		}
		for _, v := range o.Targets() {
			line("SRV %d %d %d %s", v.Priority, v.Weight, v.Port, v.Host)
		}
		if hasNone(o.Services()) {
			line("SRV 0 0 0 .")
		}
		for _, a := range o.Aliases() {
			line("CNAME %s", a.Host)
		}
	}
	return strings.Join(lines, "\n")
}

// readWith reads a text in example.org with some files.
func readWith(text string, files map[string]string) (*Set, Errors) {
	r := NewReader(Zones{"example.org."})
	r.SetFiles(func(path string) (string, error) {
		content, ok := files[path]
		if !ok {
			return "", errors.New("no such file: create it")
		}
		return content, nil
	})
	r = r.Into(new(Set))
	r.Text(Pos{"x", 1}, text, nil)
	return r.Set()
}

// TestLines: which records each line means.
func TestLines(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"spf mx ip4:203.0.113.7 -all", `m TXT "v=spf1 mx ip4:203.0.113.7 -all"`},
		{"spf exists:%{i}._spf.%{d2} redirect=_spf.example.net", `m TXT "v=spf1 exists:%{i}._spf.%{d2} redirect=_spf.example.net"`},
		{"dkim S1.Eu revoked", `s1.eu._domainkey.m TXT "v=DKIM1; p="`},
		{"dkim s ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
			`s._domainkey.m TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="`},
		{"dmarc none", `_dmarc.m TXT "v=DMARC1; p=none"`},
		{"dmarc reject NP=reject RUA=a@example.net!10m,mailto:b@x.m.example.org,https://r.example/x ruf=c@example.net",
			`_dmarc.m TXT "v=DMARC1; p=reject; np=reject; rua=mailto:a@example.net!10m,mailto:b@x.m.example.org,https://r.example/x; ruf=mailto:c@example.net"`},
		{"mta-sts id=2026a", `_mta-sts.m TXT "v=STSv1; id=2026a"`},
		{"mta-sts id=2026a web1", "_mta-sts.m TXT \"v=STSv1; id=2026a\"\nmta-sts.m CNAME web1"},
		{"tls-rpt a@example.org b@example.net,https://r.example/x",
			`_smtp._tls.m TXT "v=TLSRPTv1; rua=mailto:a@example.org,mailto:b@example.net,https://r.example/x"`},
		{"clients mail imap imaps pop3 pop3s submission submissions", "_imap._tcp.m SRV 0 1 143 mail\n_imaps._tcp.m SRV 0 1 993 mail\n" +
			"_pop3._tcp.m SRV 0 1 110 mail\n_pop3s._tcp.m SRV 0 1 995 mail\n_submission._tcp.m SRV 0 1 587 mail\n_submissions._tcp.m SRV 0 1 465 mail"},
		{"clients mail submissions=10465 sieve jmap carddavs caldavs=/dav/ autodiscover autoconfig",
			"_submissions._tcp.m SRV 0 1 10465 mail\n_sieve._tcp.m SRV 0 1 4190 mail\n_jmap._tcp.m SRV 0 1 443 mail\n" +
				"_carddavs._tcp.m SRV 0 1 443 mail\n_caldavs._tcp.m TXT \"path=/dav/\"\n_caldavs._tcp.m SRV 0 1 443 mail\n" +
				"_autodiscover._tcp.m SRV 0 1 443 mail\n_imap._tcp.m SRV 0 0 0 .\n_imaps._tcp.m SRV 0 0 0 .\n" +
				"_pop3._tcp.m SRV 0 0 0 .\n_pop3s._tcp.m SRV 0 0 0 .\n_submission._tcp.m SRV 0 0 0 .\nautodiscover.m CNAME mail\nautoconfig.m CNAME mail"},
		{"clients mail. imaps caldavs=8443/dav", "_imaps._tcp.m SRV 0 1 993 mail.\n_caldavs._tcp.m TXT \"path=/dav\"\n_caldavs._tcp.m SRV 0 1 8443 mail.\n" +
			"_imap._tcp.m SRV 0 0 0 .\n_pop3._tcp.m SRV 0 0 0 .\n_pop3s._tcp.m SRV 0 0 0 .\n_submission._tcp.m SRV 0 0 0 .\n_submissions._tcp.m SRV 0 0 0 ."},
	} {
		set, errs := readWith("mail m 10 mx1 {\n"+tc.line+"\n}", nil)
		got := strings.Split(declared(t, set), "\n")
		want := strings.Split(tc.want, "\n")
		slices.Sort(got)
		slices.Sort(want)
		if got = slices.DeleteFunc(got, func(line string) bool { return line == "" }); len(errs) > 0 || !slices.Equal(got, want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", tc.line, errs, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		roundTrip(t, set, Zones{"example.org."})
	}
}

// TestLinesOfHosts: which records a line in the block of a host means, and that a wildcard has its own.
func TestLinesOfHosts(t *testing.T) {
	sum := strings.Repeat("0f", 32)
	for _, tc := range []struct{ text, want string }{
		{"host mx1 192.0.2.1 {\ntlsa 25 sha256:" + sum + "\n}", "_25._tcp.mx1 TLSA 3 1 1 " + sum},
		{"host mx1 192.0.2.1 {\ntlsa 25 sha256:" + sum + " sha256:" + strings.Repeat("A0", 32) + "\ntlsa 465 sha256:" + sum + "\n}",
			"_25._tcp.mx1 TLSA 3 1 1 " + sum + "\n_25._tcp.mx1 TLSA 3 1 1 " + strings.Repeat("a0", 32) + "\n_465._tcp.mx1 TLSA 3 1 1 " + sum},
		{"host mx1 192.0.2.1 {\nspf a -all\nptr\n}", `mx1 TXT "v=spf1 a -all"`},
		{"host *.apps 192.0.2.1 {\nspf -all\n}", `*.apps TXT "v=spf1 -all"`},
	} {
		set, errs := readWith(tc.text, nil)
		if got := declared(t, set); len(errs) > 0 || got != tc.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tc.text, errs, got, tc.want)
		}
	}
}

// TestLinesOfNames: each name of a statement in each zone has its own, with the TTL of the statement and the place of the line;
// data and targets are shared.
func TestLinesOfNames(t *testing.T) {
	set, errs := Read("x", hung, zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	const eachName = 1 + 2 + 1 + 1 + 1 + 1 // spf, dkim, dmarc, mta-sts, tls-rpt, and the path of CalDAV
	owners, reports := set.Owners(), "_report._dmarc.example.com."
	for _, name := range []Name{"example.org.", "sub.example.org.", "example.com.", "sub.example.com."} {
		for _, label := range []Name{"s1._domainkey.", "old._domainkey.", "_dmarc.", "_mta-sts.", "_smtp._tls.", "mta-sts.", "_imaps._tcp.", "_pop3._tcp."} {
			if !owners[label+name] {
				t.Errorf("no %s%s", label, name)
			}
		}
		if want := !strings.HasSuffix(string(name), "example.com."); owners[name+Name(reports)] != want {
			t.Errorf("%s%s: %v, want %v", name, reports, !want, want)
		}
	}
	if n := len(set.Records); n != 4*eachName+2+4 { // reports of two names, and of the host in both zones
		t.Errorf("%d records", n)
	}
	for h := range set.Declaring(Names{"_dmarc.sub.example.org.": true, "_imaps._tcp.example.com.": true}).Heads {
		if h.TTL != (TTL{60, true}) || h.Line != map[bool]int{true: 6, false: 9}[strings.HasPrefix(string(h.Owner), "_dmarc")] {
			t.Errorf("%v", h)
		}
	}
	index := set.Index()
	a, b := index.At("_imaps._tcp.example.org.").Targets(), index.At("_imaps._tcp.sub.example.org.").Targets()
	if &a[0] != &b[0] || a[0].Host != "mail.example.org." {
		t.Errorf("targets %v and %v are not shared", a, b)
	}
	if c := index.At("_imaps._tcp.example.com.").Targets(); c[0].Host != "mail.example.com." {
		t.Errorf("%v in the other zone", c)
	}
}

// TestLineMistakes: what is wrong with a line, and what to write instead.
func TestLineMistakes(t *testing.T) {
	long, secret := strings.Repeat("a", 60), strings.Repeat("MIIEvA/+", 6)+"AA=="
	for _, tc := range []struct{ text, want string }{
		{"spf", "x:2: usage: spf TERM..."},
		{"spf mx {\n}", "x:2: usage: spf TERM..."},
		{"spf v=spf1 mx -all", `x:2: "v=spf1": write the terms alone, like spf mx -all`},
		{"spf \"mx -all\"", `x:2: "mx -all" is one word, as quotes and variables make it: write each word by itself`},
		{"spf {$TERMS}", `x:2: "{$TERMS}": only the Corefile has variables, written {$NAME}: write the value here`},
		{"spf mx\nspf a", `x:3: a second line "spf" in one block: write one`},
		{"spff mx", `x:2: unknown word "spff": write spf`},
		{"dkmi s revoked", `x:2: unknown word "dkmi": write dkim`},
		{"mtasts policy.txt", `x:2: unknown word "mtasts": write mta-sts`},
		{"tlsa 25 x", `x:2: "tlsa": write it into the block of host`},
		{"dkim s", "x:2: usage: dkim SELECTOR KEY"},
		{"dkim s revoked\ndkim S revoked", `x:3: a second line "dkim s" in one block: write one`},
		{"dkim a..b revoked", `x:2: selector "a..b" has an empty label: write one dot between labels`},
		{"dkim @ revoked", `x:2: selector "@": write a name like s2026a, without a final dot`},
		{"dkim s. revoked", `x:2: selector "s.": write a name like s2026a, without a final dot`},
		{"dkim s1._DomainKey.example.org revoked", `x:2: selector "s1._DomainKey.example.org": write what stands before _domainkey`},
		{"dkim _domainkey revoked", `x:2: selector "_domainkey": write what stands before _domainkey`},
		{"dkim s " + secret, "x:2: dkim: no such file, and no such kind of key: write the key out, as rsa:BASE64 or ed25519:BASE64"},
		{"dkim s RSA:" + secret, "x:2: dkim: no such file, and no such kind of key: write the key out, as rsa:BASE64 or ed25519:BASE64"},
		{"dkim s ed25519:AAAA", "x:2: ed25519: the base64 is of no Ed25519 key: write that of the 32 octets of one, which openssl pkey -in FILE -pubout -outform DER | tail -c 32 | base64 prints"},
		{"dkim s rsa:secret", "x:2: rsa: the base64 is of no RSA key: write what stands between the first and the last line of its PEM file, as one word"},
		{"dkim s key.pem", `x:2: "key.pem": files are only read for a Corefile and its definitions files: write the key out, as rsa:BASE64 or ed25519:BASE64`},
		{"dmarc rejct", `x:2: dmarc: unknown word "rejct": write reject`},
		{"dmarc p=reject", `x:2: dmarc: unknown word "p=reject": write reject`},
		{"dmarc reject sp", `x:2: "sp": write TAG=VALUE, like rua=postmaster@example.org`},
		{"dmarc reject sp=none;", `x:2: "sp=none;": write blanks, and no semicolons, between tags`},
		{"dmarc reject P=none", `x:2: "P=none": dmarc and the policy after it say so: delete it`},
		{"dmarc reject rua=postmaster", `x:2: "postmaster" is no address: write one like postmaster@example.org`},
		{"dmarc reject rua=a@b@", `x:2: "a@b@" is no address: write one like postmaster@example.org`},
		{"dmarc reject rua=a@example.org,,", "x:2: a comma without an address: write one comma, and no blank, between addresses"},
		{"dmarc reject rua=a@example.org, b@example.org", "x:2: a comma without an address: write one comma, and no blank, between addresses"},
		{"mta-sts", "x:2: usage: mta-sts FILE [HOST], or mta-sts id=ID [HOST]"},
		{"mta-sts id=", `x:2: id "": write 1 to 32 letters and digits (RFC 8461 §3.1)`},
		{"mta-sts id=2026-11", `x:2: id "2026-11": write 1 to 32 letters and digits (RFC 8461 §3.1)`},
		{"mta-sts id=" + long, `x:2: id "` + long + `": write 1 to 32 letters and digits (RFC 8461 §3.1)`},
		{"mta-sts policy.txt", `x:2: "policy.txt": files are only read for a Corefile and its definitions files: write mta-sts id=ID [HOST]`},
		{"mta-sts id=a .", `x:2: "." is no host: write the name of one`},
		{"mta-sts id=a 192.0.2.1", `x:2: "192.0.2.1" is an address: declare it with "host NAME 192.0.2.1" and write the name`},
		{"tls-rpt postmaster", `x:2: "postmaster" is no address: write one like postmaster@example.org`},
		{"tls-rpt https://r.example/a;b", `x:2: "https://r.example/a;b": write %3B for a semicolon`},
		{"clients mail", "x:2: usage: clients HOST WORD..."},
		{"clients . imap", `x:2: "." is no host: write the name of one`},
		{"clients 192.0.2.1 imap", `x:2: "192.0.2.1" is an address: declare it with "host NAME 192.0.2.1" and write the name`},
		{"clients mail imps", `x:2: clients: unknown word "imps": write imaps`},
		{"clients mail imap imap=144", `x:2: clients: "imap" a second time: write it once`},
		{"clients mail imaps=/x", `x:2: clients: "imaps=/x": imaps has no path: write imaps=PORT`},
		{"clients mail imaps=0", `x:2: clients: port "0": write a number from 1 to 65535`},
		{"clients mail imaps=", `x:2: clients: port "": write a number from 1 to 65535`},
		{"clients mail caldavs=65536/x", `x:2: clients: port "65536": write a number from 1 to 65535`},
		{"clients mail autoconfig=1", `x:2: clients: "autoconfig=1": write autoconfig alone`},
		{"none\nmta-sts id=a\nclients mail imap\ntls-rpt a@example.org\nspf -all", "x:3: mta-sts is for domains that take mail: delete it, or write exchanges instead of none\n" +
			"x:4: clients is for domains that take mail: delete it, or write exchanges instead of none\n" +
			"x:5: tls-rpt is for domains that take mail: delete it, or write exchanges instead of none"},
		{"mail *.apps\nspf mx\ndmarc reject", "x:2: spf of *.apps.example.org.: no wildcard has this record: write the names that have it, or delete the line\n" +
			"x:3: dmarc of *.apps.example.org.: no wildcard has this record: write the names that have it, or delete the line"},
		{"host *.apps\ntlsa 25 sha256:" + strings.Repeat("00", 32), "x:2: tlsa of *.apps.example.org.: no wildcard has this record: write the names that have it, or delete the line"},
		{"host a\ntlsa 25", "x:2: usage: tlsa PORT KEY..."},
		{"host a\ntlsa 0 k.pem", `x:2: tlsa: port "0": write a number from 1 to 65535`},
		{"host a\ntlsa smtp k.pem", `x:2: tlsa: port "smtp": write a number from 1 to 65535`},
		{"host a\ntlsa 25 sha256:00", `x:2: "sha256:00": write sha256: and 64 hexadecimal digits`},
		{"host a\ntlsa 25 k.pem", `x:2: "k.pem": files are only read for a Corefile and its definitions files: write sha256: and the SHA-256 of the public key in DER, in hexadecimal`},
		{"host a\ntlas 25 k.pem", `x:2: unknown word "tlas": write tlsa`},
		{"host a\ndmarc reject", `x:2: "dmarc": write it into the block of mail`},
		{"mail " + strings.Repeat(long+".", 3) + strings.Repeat("a", 55) + ".example.org.\nmta-sts id=a", `x:2: mta-sts: "_mta-sts.` + long + "." + long[:10] + `..." has 261 octets: write a name of at most 255`},
		{"spf" + strings.Repeat(" "+strings.Repeat("a", 999), 66), "x:2: spf of 66006 octets: write at most 65279"},
	} {
		head, lines, ok := strings.Cut(tc.text, "\n")
		switch {
		case strings.HasPrefix(tc.text, "none\n"):
			head, lines = "mail m", tc.text
		case ok && strings.HasPrefix(head, "mail "):
			head += " 10 mx1"
		case ok && strings.HasPrefix(head, "host "):
			head += " 192.0.2.1"
		default:
			head, lines = "mail m 10 mx1", tc.text
		}
		if _, errs := Read("x", head+" {\n"+lines+"\n}", Zones{"example.org."}); errs.Error() != tc.want {
			t.Errorf("%s\n%v\nwant\n%s", tc.text, errs, tc.want)
		}
	}
}

// TestLinesAreCounted: before anything is made of them.
func TestLinesAreCounted(t *testing.T) {
	words := strings.Repeat(" a.b", 5000)
	set, errs := Read("x", "mail"+words+" {\n10 mx1\nspf mx\nclients mail imaps\n}", slices.Repeat(zones, 10))
	if got, want := errs.Error(), "x:1: 800000 records of one statement, 100000 names with 8 records each: write at most 321792, and the others in further statements"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if len(set.Records)+len(set.Services) > 0 {
		t.Errorf("%d records were made", len(set.Records))
	}
	r := NewReader(zones[:1])
	r.LimitRecords(3)
	r = r.Into(new(Set))
	r.Text(Pos{"x", 1}, "host a 192.0.2.1 {\nspf -all\n}\nhost b 192.0.2.1 {\nspf -all\n}", nil)
	if _, errs := r.Set(); !strings.HasPrefix(errs.Error(), "x:4: 4 records in one fragment up to here: write at most 3") {
		t.Error(errs)
	}
}

// TestLongestNames: what is derived has names as long as there are, and no longer ones.
func TestLongestNames(t *testing.T) {
	const label63 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
	domain := strings.Repeat("b", 46) + "." + strings.Repeat(label63, 3) + "example." // 248 octets
	read := func(domain, line string) (*Set, Errors) {
		return Read("x", "mail "+domain+" 10 mx1.example. {\n"+line+"\n}", Zones{Name(domain), "b.example.", "c.example."})
	}
	if set, errs := read(domain, "dmarc none"); len(errs) > 0 || len(set.Records) != 1 || len(set.Records[0].Owner) != maxName-1 {
		t.Errorf("%v, %v", errs, set.Records)
	}
	if _, errs := read("b"+domain, "dmarc none"); !strings.HasSuffix(errs.Error(), "has 256 octets: write a name of at most 255") {
		t.Error(errs)
	}
	if _, errs := read(domain[10:], "dmarc none rua=a@b.example"); !strings.HasPrefix(errs.Error(), "x:2: dmarc: ") || !strings.HasSuffix(errs.Error(), "write a name of at most 255") {
		t.Error(errs)
	}
}

// TestLinesOfTheRoot: names below the root have one dot at their end.
func TestLinesOfTheRoot(t *testing.T) {
	set, errs := Read("x", "mail @ 10 mx {\nspf mx\ndmarc none rua=a@b.example\n}", Zones{"."})
	if owners := set.Owners(); len(errs) > 0 || len(owners) != 2 || !owners["."] || !owners["_dmarc."] {
		t.Errorf("%v, %v", errs, owners)
	}
}

// TestOutsideZones: what hangs on a name outside the zones is not made; that name is a mistake of its own.
func TestOutsideZones(t *testing.T) {
	set, _ := Read("x", "mail a.example.net. 10 mx1 {\nspf mx\n}", zones)
	if len(set.Records) > 0 {
		t.Errorf("%v", set.Records)
	}
}

// TestLinesAllocate: a further name of a statement costs a declaration and the text of its owner for each record, and
// nothing else.
func TestLinesAllocate(t *testing.T) {
	_, block, _ := strings.Cut(hung, "{")
	block, _, _ = strings.Cut(block, "\n}")
	var each int
	allocs := func(names int) float64 {
		var text strings.Builder
		text.WriteString("mail")
		for i := range names {
			fmt.Fprintf(&text, " d%d", i)
		}
		text.WriteString(" {" + block + "\n}")
		return testing.AllocsPerRun(3, func() {
			set, errs := Read("x", text.String(), Zones{"example.org."})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			each = (len(set.Mails) + len(set.Records) + len(set.Services) + len(set.Aliases)) / names
		})
	}
	if got := (allocs(3000) - allocs(1000)) / 2000; got > float64(each) || each < 15 {
		t.Errorf("%.1f allocations for the %d declarations of a name", got, each)
	}
}
