package corefile

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestRead: what several stanzas say together, and what is assumed where nothing is said.
func TestRead(t *testing.T) {
	b := read(`
mxsrv example.com example.net example.com {
	host a 192.0.2.1
	file /absolute.conf mail/*.conf
	file more.conf
	reload 1m30s
	fallthrough web.example.com example.net
	serials state/serials
}
mxsrv {
	mail @ 10 a.example.com.
	fallthrough
	serials /etc/coredns/state/serials
}
mxsrv example.com {
	file last.conf
	reload 0
}
mxsrv example.org {
	file default.conf
}`)
	if len(b.Errs) > 0 {
		t.Fatal(b.Errs)
	}
	if b.Pos.String() != "Corefile:2" || fmt.Sprint(b.Zones) != "[example.com. example.net. example.org.]" {
		t.Errorf("%v: zones %v", b.Pos, b.Zones)
	}
	if want := "[web.example.com. example.net. example.org.]"; fmt.Sprint(b.Fallthrough) != want {
		t.Errorf("fallthrough %v, want %s", b.Fallthrough, want)
	}
	if b.Serials != "/etc/coredns/state/serials" || b.SerialsPos.String() != "Corefile:13" {
		t.Errorf("serials %s at %v", b.Serials, b.SerialsPos)
	}
	if n, m := len(b.Inline.Hosts), len(b.Inline.Mails); n != 2 || m != 1 {
		t.Errorf("%d hosts, %d mails, want 2 and 1", n, m)
	}
	var files []string
	for _, f := range b.Files {
		for _, p := range f.Patterns {
			files = append(files, fmt.Sprint(p.Pos, " ", p.Path, " ", f.Interval, " ", f.Zones))
		}
	}
	want := []string{
		"Corefile:4 /absolute.conf 1m30s [example.com. example.net.]",
		"Corefile:4 /etc/coredns/mail/*.conf 1m30s [example.com. example.net.]",
		"Corefile:5 /etc/coredns/more.conf 1m30s [example.com. example.net.]",
		"Corefile:16 /etc/coredns/last.conf 0s [example.com.]",
		"Corefile:20 /etc/coredns/default.conf 2s [example.org.]",
	}
	if !slices.Equal(files, want) {
		t.Errorf("files\n%s\nwant\n%s", strings.Join(files, "\n"), strings.Join(want, "\n"))
	}
	var sources []string
	for _, s := range b.Sources() {
		sources = append(sources, s.String())
	}
	want = []string{
		"Corefile",
		"file /absolute.conf /etc/coredns/mail/*.conf /etc/coredns/more.conf",
		"file /etc/coredns/last.conf",
		"file /etc/coredns/default.conf",
	}
	if !slices.Equal(sources, want) {
		t.Errorf("sources\n%s\nwant\n%s", strings.Join(sources, "\n"), strings.Join(want, "\n"))
	}
	if b := read(""); b.Pos.Line != 0 || len(b.Zones) != 0 || len(b.Errs) != 0 {
		t.Errorf("%+v of nothing", b)
	}
}

// TestOptions: each is read, and they are sorted.
func TestOptions(t *testing.T) {
	const want = "authoritative checks etcd fallthrough file ignore reload serials"
	if got := strings.Join(Options(), " "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestMistakes: the error of each, with its line.
func TestMistakes(t *testing.T) {
	const apex = "authoritative {\n ns ns1.example.net.\n}\n"
	for _, tc := range []struct {
		name, stanza string
		want         []string // without Corefile:
	}{
		{"unknown word", "hots a 192.0.2.1", []string{
			`2: unknown word "hots": write host [syntax]`}},
		{"all at once, in order", "file\nhost mx1\n\nreload 1\n", []string{
			"2: usage: file PATH... [syntax]",
			`5: duration "1": write one of at least 100ms, like 2s or 1m30s, or 0 for never [syntax]`,
			"3: usage: host NAME ADDRESS... [syntax]"}},
		{"file without a path", "file", []string{"2: usage: file PATH... [syntax]"}},
		{"file with a block", "file a {\n}", []string{"2: usage: file PATH... [syntax]"}},
		{"reload without a duration", "reload", []string{"2: usage: reload DURATION [syntax]"}},
		{"reload with two", "reload 1s 2s", []string{"2: usage: reload DURATION [syntax]"}},
		{"reload with a block", "reload 1s {\n}", []string{"2: usage: reload DURATION [syntax]"}},
		{"reload that is no duration", "reload soon", []string{`2: duration "soon": write one of at least 100ms, like 2s or 1m30s, or 0 for never [syntax]`}},
		{"reload too short", "\nreload 99ms", []string{`3: duration "99ms": write one of at least 100ms, like 2s or 1m30s, or 0 for never [syntax]`}},
		{"reload negative", "reload -1s", []string{`2: duration "-1s": write one of at least 100ms, like 2s or 1m30s, or 0 for never [syntax]`}},
		{"reload as short as may be", "reload 100ms", nil},
		{"fallthrough with a block", "fallthrough {\n}", []string{"2: usage: fallthrough [ZONES...] [syntax]"}},
		{"fallthrough to no zone", "fallthrough a..b", []string{`2: fallthrough "a..b": write a domain name like example.org, or a network like 192.0.2.0/24 [syntax]`}},
		{"fallthrough to another zone", "# so\n" + apex + "fallthrough web", []string{
			"6: fallthrough web.: it is not below example.org.: write a name that is, absolute [syntax]"}},
		{"fallthrough above the zone", "fallthrough org", nil},
		{"serials without a path", "serials", []string{"2: usage: serials PATH [syntax]"}},
		{"serials with two", "serials a b", []string{"2: usage: serials PATH [syntax]"}},
		{"two files for serials", "serials a\nserials b", []string{"3: a second file for serials: write one for the server block [syntax]"}},
		{"the same file for serials twice", "serials a\nserials ./a", nil},
		{"authoritative without a block", "\n\nauthoritative", []string{"4: usage: authoritative { ns NAME... } [syntax]"}},
		{"ignore without a rule", "ignore", []string{"2: usage: ignore RULE... [syntax]"}},
		{"ignore with a block", "ignore mail-single-host {\n}", []string{"2: usage: ignore RULE... [syntax]"}},
		{"far from all words", "frobnicate a", []string{
			`2: unknown word "frobnicate": write one of alias, authoritative, checks, drain, etcd, fallthrough, file, host, ignore, mail, order, record, reload, serials, service, ttl [syntax]`}},
		{"misspelled option", "authorative {\n}", []string{`2: unknown word "authorative": write authoritative [syntax]`}},
		{"misspelled in authoritative", "authoritative {\n ns ns1\n contcat a@b\n}", []string{`4: unknown word "contcat": write contact [syntax]`}},
		{"authoritative not closed", "authoritative {\n ns ns1\n host a 192.0.2.1\n}", []string{
			`4: "host" starts a statement: write "}" before it, to close the block [syntax]`}},
		{"what belongs in authoritative", "ns ns1", []string{`2: unknown word "ns": write authoritative { ns NAME... } into the Corefile [syntax]`}},
		{"what belongs in etcd", "prefix /x", []string{`2: unknown word "prefix": write it into the block of etcd [syntax]`}},
		{"comment of a zone file", "; why", []string{`2: ";": write "#" before a comment [syntax]`}},
		{"comment after an option", "reload 1s ; why", []string{`2: ";": write "#" before a comment [syntax]`}},
		{"comment in authoritative", "authoritative {\n ns ns1 ;first\n}", []string{`3: ";first": write "#" before a comment [syntax]`}},
		{"variable of an option that is not set", `file ""`, []string{
			`2: "" is no word: write one, or set the variable of the Corefile that it comes from [syntax]`}},
		{"variable of a name server that is not set", "authoritative {\n ns ns1\n ns \"\"\n}", []string{
			`4: "" is no word: write one, or set the variable of the Corefile that it comes from [syntax]`}},
		{"variable of several words", `host a "192.0.2.1 192.0.2.2"`, []string{
			`2: "192.0.2.1 192.0.2.2" is one word, as quotes and variables make it: write each word by itself [syntax]`}},
		{"path with a blank", `file "my hosts.conf"`, nil},
		{"not closed", "host a 192.0.2.1 {", []string{`1: this block is not closed: write "}" after its last line [syntax]`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			for _, e := range read("mxsrv {\n" + tc.stanza + "\n}").Errs {
				got = append(got, fmt.Sprintf("%v [%s]", strings.TrimPrefix(e.Error(), "Corefile:"), e.ID))
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// TestForRules: what package lint must know of the stanzas and of the server block.
func TestForRules(t *testing.T) {
	b := read("mxsrv {\n ignore a b\n ignore a\n}\nmxsrv example.org example.net {\n ignore c\n}")
	if want := "map[a:Corefile:2 b:Corefile:2 c:Corefile:6]"; fmt.Sprint(b.Ignore) != want {
		t.Errorf("ignored are %v, want %s", b.Ignore, want)
	}
	if want := "map[example.net.:Corefile:5 example.org.:Corefile:1]"; fmt.Sprint(b.ZonePos) != want {
		t.Errorf("zones at %v, want %s", b.ZonePos, want)
	}
	if fmt.Sprint(b.Keys) != "[example.org.]" {
		t.Errorf("keys %v, want example.org.", b.Keys)
	}
}

// TestZoneMistakes: a stanza whose zones are wrong is not read.
func TestZoneMistakes(t *testing.T) {
	for _, tc := range []struct{ name, stanza, id, want string }{
		{"two dots", "mxsrv example.org exa..mple {\n hots\n}", definition.Syntax,
			`Corefile:1: zone "exa..mple": write a domain name like example.org, or a network like 192.0.2.0/24`},
		{"variable that is not set", "mxsrv \"\" {\n}", definition.Syntax,
			`Corefile:1: zone "": write a domain name like example.org, or a network like 192.0.2.0/24, or set the variable`},
		{"escaped", "\nmxsrv a\\046b.example {\n}", definition.NameInvalid, "Corefile:2: zone "},
	} {
		b := read(tc.stanza)
		if len(b.Errs) != 1 || b.Errs[0].ID != tc.id || !strings.HasPrefix(b.Errs[0].Error(), tc.want) || len(b.Zones) > 0 {
			t.Errorf("%s: zones %v, %v\nwant %s", tc.name, b.Zones, b.Errs, tc.want)
		}
	}
}

// TestKeyFiles: a stanza that names key files is a source of its own, with what it declares and its mistakes, and the
// block has all.
func TestKeyFiles(t *testing.T) {
	const missing = `"/nosuch/x.pem": no such file or directory: create /nosuch/x.pem, or write the path of another file`
	b := read(`mxsrv {
 host a 192.0.2.1
 hots b 192.0.2.2
}
mxsrv example.net {
 ttl 300
 host c 192.0.2.3 {
  tlsa 25 /nosuch/x.pem
 }
 host d
 reload 1m
 serials
 authoritative {
  ns c
 }
}
mxsrv {
 host e 192.0.2.5 {
  tlsa 25 /nosuch/x.pem
 }
}`)
	var got []string
	for _, s := range b.Sources() {
		set, errs := s.Load().Read()
		got = append(got, s.String())
		for _, h := range set.Hosts {
			got = append(got, fmt.Sprint(h.Owner, " ", h.TTL.Seconds))
		}
		for i := range set.Apexes {
			got = append(got, fmt.Sprint("apex ", set.Apexes[i].Zone, " ", set.Apexes[i].TTL.Seconds))
		}
		for _, e := range errs {
			got = append(got, e.Error())
		}
	}
	want := []string{
		"Corefile", "a.example.org. 3600", "Corefile:12: usage: serials PATH",
		`Corefile:3: unknown word "hots": write host`,
		"key files of Corefile", "c.example.net. 300", "apex example.net. 300",
		"Corefile:8: " + missing, "Corefile:10: usage: host NAME ADDRESS...",
		"key files of Corefile", "e.example.org. 3600", "Corefile:19: " + missing,
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("sources\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(b.Inline.Hosts) != 3 || len(b.Inline.Apexes) != 1 || len(b.Errs) != 5 || b.Relative {
		t.Errorf("%d hosts, %d apexes, relative %v\n%v", len(b.Inline.Hosts), len(b.Inline.Apexes), b.Relative, b.Errs)
	}
}

// TestRelative: whether a path of definitions or key files is relative as it is written.
func TestRelative(t *testing.T) {
	for _, tc := range []struct {
		stanza string
		want   bool
	}{
		{"serials state/serials", false},
		{"file /a.conf", false},
		{"file /a.conf b.conf", true},
		{"host a 192.0.2.1 {\n tlsa 25 /x.pem\n}", false},
		{"host a 192.0.2.1 {\n tlsa 25 x.pem\n}", true},
	} {
		if got := read("mxsrv {\n" + tc.stanza + "\n}").Relative; got != tc.want {
			t.Errorf("%s: %v, want %v", tc.stanza, got, tc.want)
		}
	}
}

// TestDefaultReload: files are followed where nothing is said, and relative paths are of
// the root directory.
func TestDefaultReload(t *testing.T) {
	b := read("mxsrv {\n file a.conf\n}")
	if f := b.Files[0]; f.Interval != 2*time.Second || f.Patterns[0].Path != filepath.FromSlash("/etc/coredns/a.conf") {
		t.Errorf("%v, %s", f.Interval, f.Patterns[0].Path)
	}
}
