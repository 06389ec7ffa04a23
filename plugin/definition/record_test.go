package definition

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// TestRecordData: words become the data that a master file with the same words has, and are printed as such.
func TestRecordData(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"words of TXT are strings", `TXT "v=spf1 -all" b`, `TXT "v=spf1 -all" "b"`},
		{"a semicolon in TXT", `TXT "v=DMARC1; p=none" a;b (`, `TXT "v=DMARC1; p=none" "a;b" "("`},
		{"a quote in TXT", `TXT "a\"b" c"d e\"f`, `TXT "a\"b" "c\"d" "e\"f"`},
		{"escapes in TXT", `TXT "a\\" \065\; \200`, `TXT "a\\" "A;" "\200"`},
		{"nothing in TXT", `TXT ""`, `TXT ""`},
		{"a long string", "TXT " + strings.Repeat("x", 300), `TXT "` + strings.Repeat("x", 255) + `" "` + strings.Repeat("x", 45) + `"`},
		{"letters beyond ASCII in TXT", `TXT "grün"`, `TXT "gr\195\188n"`},
		{"a type by its number", `TYPE16 x`, `TXT "x"`},
		{"CAA", `CAA 128 issue "ca.example; policy=ev"`, `CAA 128 issue "ca.example; policy=ev"`},
		{"escapes in CAA and URI", `CAA 0 issue "a\\b\"c\065"`, `CAA 0 issue "a\\b\"cA"`},
		{"CAA without quotes", `CAA 0 issue ca.example`, `CAA 0 issue "ca.example"`},
		{"URI", `URI 10 1 https://example.org/a`, `URI 10 1 "https://example.org/a"`},
		{"NAPTR", `NAPTR 100 10 "" "" "!^(.*)$!sip:\\1@x!" Y`, `NAPTR 100 10 "" "" "!^(.*)$!sip:\\1@x!" y.example.org.`},
		{"HINFO", `HINFO "PC x" Linux`, `HINFO "PC x" "Linux"`},
		{"HTTPS", `HTTPS 1 . alpn=h2,h3 port="8443" ipv4hint=192.0.2.1`, `HTTPS 1 . alpn="h2,h3" port="8443" ipv4hint="192.0.2.1"`},
		{"a blank in SVCB", `SVCB 1 Svc key65400="a b" `, `SVCB 1 svc.example.org. key65400="a\ b"`},
		{"an alias in SVCB", `SVCB 0 svc.example.net.`, `SVCB 0 svc.example.net.`},
		{"a relative name", `PTR Web1`, `PTR web1.example.org.`},
		{"several names in lower case", `RP Joe\.Doe @`, `RP joe\.doe.example.org. example.org.`},
		{"a name with an escape", `PTR a\059b`, `PTR "\#" 17 03613b62076578616d706c65036f726700`},
		{"upper case that is no name", `TLSA 3 1 1 AAAA0000aaaa0000AAAA0000aaaa0000AAAA0000aaaa0000AAAA0000aaaa0000`,
			`TLSA 3 1 1 aaaa0000aaaa0000aaaa0000aaaa0000aaaa0000aaaa0000aaaa0000aaaa0000`},
		{"data in several words", `SSHFP 4 2 01234567 89abcdef`, `SSHFP 4 2 0123456789ABCDEF`},
		{"no data", `APL`, ``},
		{"LOC", `LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m`, `LOC 52 22 23.000 N 04 53 32.000 E -2m 0.00m 10000m 10m`},
		{"a type that is not known", `TYPE65280 "\#" 4 0A00 0001`, `TYPE65280 "\#" 4 0a000001`},
		{"one without data", `TYPE65280 "\#" 0`, `TYPE65280 "\#" 0`},
		{"hexadecimal of a known type", `TXT "\#" 2 0161`, `TXT "a"`},
		{"semicolons within words", `TXT "v=DKIM1; k=rsa" "; p=x" y;`, `TXT "v=DKIM1; k=rsa" "; p=x" "y;"`},
		{"a semicolon alone", `TXT a \059`, `TXT "\#" 4 0161013b`},
		{"a name in hexadecimal", `PTR "\#" 3 014100`, `PTR a.`},
		{"a brace", `TXT "\123" x`, `TXT "\#" 4 017b0178`},
		{"a variable of the environment", `TXT "{\036HOME}"`, `TXT "\#" 8 077b24484f4d457d`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			set, errs := Read("x", "record a "+tc.text, Zones{"example.org."})
			if tc.want == "" {
				if len(errs) != 1 || len(set.Records) > 0 {
					t.Errorf("%v, want an error", errs)
				}
				return
			}
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			if got := printed(t, set, Zones{"example.org."}); got != "record a "+tc.want+"\n" {
				t.Errorf("%s\nwant\nrecord a %s", got, tc.want)
			}
			roundTrip(t, set, Zones{"example.org."})
		})
	}
}

// TestRecordEveryType: every type that miekg/dns knows is read in hexadecimal, or refused for what it is.
func TestRecordEveryType(t *testing.T) {
	read := 0
	for rrtype, newRR := range dns.TypeToRR {
		rr := newRR()
		rr.Header().Rrtype, rr.Header().Class = rrtype, dns.ClassINET
		name := dns.Type(rrtype).String()
		set, errs := Read("x", "record a "+name+` "\#" 30 `+strings.Repeat("01", 30), Zones{"example.org."})
		switch {
		case refusal(rrtype) != "" && (len(errs) != 1 || errs[0].ID != RecordType):
			t.Errorf("%s: %v, want an error %s", name, errs, RecordType)
		case len(errs) == 0:
			read++
			roundTrip(t, set, Zones{"example.org."})
		}
	}
	if read < 20 {
		t.Errorf("%d types were read, want 20 at least", read)
	}
}

// TestRecordOwners: data is shared by the owners of a statement, and made anew in a zone where it is other data.
func TestRecordOwners(t *testing.T) {
	set, errs := Read("x", "record a b c.example.com. PTR h\nrecord @ TXT x", zones)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var got []string
	for i := range set.Records {
		d := &set.Records[i]
		got = append(got, strings.ReplaceAll(d.RR(d.Owner, d.TTL.Seconds).String(), "\t", " "))
	}
	want := []string{
		"a.example.org. 3600 IN PTR h.example.org.", "a.example.com. 3600 IN PTR h.example.com.",
		"b.example.org. 3600 IN PTR h.example.org.", "b.example.com. 3600 IN PTR h.example.com.",
		"c.example.com. 3600 IN PTR h.example.com.",
		`example.org. 3600 IN TXT "x"`, `example.com. 3600 IN TXT "x"`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}

// TestRRsets: the records of a name come by type, each once, in canonical order.
func TestRRsets(t *testing.T) {
	set, errs := Read("x", "record a TXT b\nrecord a CAA 0 issue c\nrecord a TXT a {\n ttl 60\n}\nrecord a TXT b", Zones{"example.org."})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var got []string
	for _, s := range set.Index().At("a.example.org.").RRsets() {
		for _, d := range s.Records {
			got = append(got, strings.ReplaceAll(d.RR("a.", s.TTL()).String(), "\t", " "))
		}
		if len(s.Declared) == len(s.Records) == (s.Type == dns.TypeTXT) {
			t.Errorf("%v: %d declared", s, len(s.Declared))
		}
	}
	want := []string{`a. 60 IN TXT "a"`, `a. 60 IN TXT "b"`, `a. 3600 IN CAA 0 issue "c"`}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant\n%q", got, want)
	}
}

func TestRecordErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"record", "x:1: usage: record NAME... TYPE DATA..., with a type like TXT, CAA or TYPE65280"},
		{"record TXT x", "x:1: usage: record NAME... TYPE DATA..., with a type like TXT, CAA or TYPE65280"},
		{"record a TXT", "x:1: usage: record NAME... TYPE DATA..., with a type like TXT, CAA or TYPE65280"},
		{"record a txt x", `x:1: "txt": write types in capitals: TXT`},
		{"record a 3600 TXT x", `x:1: "3600" before TXT: write a TTL as "ttl TTL" in a block, and no class`},
		{"record a IN TXT x", `x:1: "IN" before TXT: write a TTL as "ttl TTL" in a block, and no class`},
		{"record a TYPE0 x", "x:1: usage: record NAME... TYPE DATA..., with a type like TXT, CAA or TYPE65280"},
		{"record a TYPE65536 x", "x:1: usage: record NAME... TYPE DATA..., with a type like TXT, CAA or TYPE65280"},
		{"record a TYPE250 x", "x:1: type TSIG is not for record: no name has records of this type: write another"},
		{"record a TXT a {\n bla\n}", `x:2: "bla": write ttl TTL, or nothing, in the block of record`},
		{"record a..b TXT a", `x:1: "a..b" has an empty label: write one dot between labels`},
		{"record a HTTPS 1 192.0.2.1", `x:1: "192.0.2.1" is an address: declare it with "host NAME 192.0.2.1" and write the name`},
		{`record a TXT "\#" 0`, `x:1: data of TXT: "\\# 0" is empty: write STRING...`},
		{"record a TYPE65280 x", `x:1: data of TYPE65280: bad RFC3597 Rdata: "x": write "\#" LENGTH HEX`},
		{"record a TYPE65280 \\# 1 00", `x:1: data of TYPE65280: a lone \: # starts a comment: write "\#" in quotes, or "\\" for a backslash`},
		{"record a LOC " + strings.Repeat("1", 200), `x:1: data of LOC: bad LOC Latitude: "` + strings.Repeat("1", 80) + `...": write DEGREES MINUTES SECONDS N|S DEGREES MINUTES SECONDS E|W ALTITUDE`},
	} {
		if _, errs := Read("x", tc.text, Zones{"example.org."}); len(errs) != 1 || errs[0].Error() != tc.want {
			t.Errorf("%s\n%v\nwant\n%s", tc.text, errs, tc.want)
		}
	}
}

// FuzzRecord: data that is read is printed, and read as the same again.
func FuzzRecord(f *testing.F) {
	for _, text := range []string{`TXT "a b" c;`, `HTTPS 1 . key65400="a\ b" alpn="h\\,2"`, `NAPTR 1 2 "a" "b" "!\\1!" .`, `TYPE65280 "\#" 1 00`,
		`LOC 1 N 2 E 3m`, `HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAQ== a b`, `IPSECKEY 10 1 2 192.0.2.1 AQNR`, `CAA 0 { x`, `APL 1:192.0.2.0/24`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, _ := Read("x", "record a "+text, Zones{"example.org."})
		roundTrip(t, set, Zones{"example.org."})
	})
}

// TestRecordPacks: a record packs as the data that it was made of.
func TestRecordPacks(t *testing.T) {
	for _, text := range []string{`TXT "a\\\"\200"`, `CAA 0 issue "a\\\"\200"`, `URI 1 2 "a\\\"\200"`, `HTTPS 1 . alpn="a\\,b" key65400="\\\"\200"`,
		`NAPTR 1 2 "u" "a\\" "!\\1!\"" .`, `HINFO "a\\" "\200"`} {
		set, errs := Read("x", "record a "+text, Zones{"example.org."})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		d := &set.Records[0]
		if again, err := packData(d.RR(".", 0), ""); err != nil || again != d.Data {
			t.Errorf("%s: %q, %v, want %q", text, again, err, d.Data)
		}
	}
}

// TestPlainTXT: strings without escapes are what the parser of miekg/dns makes of them.
func TestPlainTXT(t *testing.T) {
	for _, words := range [][]string{{""}, {"a"}, {"a b", "", `c"d;`}, {strings.Repeat("x", 255)}, {strings.Repeat("x", 256), "y"},
		{strings.Repeat("ü", 300)}, {"\x00\x7f\t"}, {"# {$A} (", "@"}} {
		data, ok := plainTXT(words)
		want, err := parseData(dns.TypeSPF, words, ".") // which has the same form
		if !ok || err != nil || data != want {
			t.Errorf("%q: %q, %v, want %q, %v", words, data, ok, want, err)
		}
	}
	if _, ok := plainTXT([]string{strings.Repeat("x", 70000)}); ok {
		t.Error("70,000 octets fit")
	}
}
