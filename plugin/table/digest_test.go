package table_test

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// TestDigest: a serial is asked for with a digest that changes with every record of the zone, and with nothing else.
func TestDigest(t *testing.T) {
	digest := func(text string) (of [2]table.Digest) {
		authoritative(text, table.Options{Serials: func(zone definition.Name, d table.Digest) uint32 {
			of[slices.Index(zones, zone)] = d
			return 1
		}})
		return of
	}
	const text = "host ns1 192.0.2.53\nhost mx1 192.0.2.10 {\n ttl 60\n}\nmail @ 10 mx1\n"
	first := digest(text)
	for _, tc := range []struct {
		name, text string
		changes    bool
	}{
		{"another order", "mail @ 10 mx1\nhost mx1 192.0.2.10 {\n ttl 60\n}\nhost ns1 192.0.2.53", false},
		{"said twice", text + text, false},
		{"the fixed order", "order fixed\n" + text, false},
		{"the zone within", text + "host a.deep.sub 192.0.2.1", false},
		{"its name server's address, which the zone has too", text + "host ns1.deep.sub 192.0.2.54", true},
		{"another name", text + "host a 192.0.2.1", true},
		{"another address", strings.Replace(text, "2.10", "2.11", 1), true},
		{"another ttl", strings.Replace(text, "60", "61", 1), true},
		{"another preference", strings.Replace(text, "10 mx1", "11 mx1", 1), true},
		{"one less", "host ns1 192.0.2.53", true},
	} {
		got := digest(tc.text)
		if changed := got[0] != first[0]; changed != tc.changes {
			t.Errorf("%s: changes: %v, want %v", tc.name, changed, tc.changes)
		}
		if again, err := table.ParseDigest(got[0].String()); err != nil || again != got[0] {
			t.Errorf("%s: %v is read back as %v, %v", tc.name, got[0], again, err)
		}
	}
}

// TestDigestOfTexts: a digest is the sum of those of the texts of records, as in files of serials of other versions.
func TestDigestOfTexts(t *testing.T) {
	var got, want table.Digest
	names := func(prefix string) string { return strings.Join(numbered(prefix, 70), " ") }
	tbl := authoritative("host ns1 192.0.2.53 2001:db8::53 2001:db8:0:1::\nmail @ 10 ns1\nservice _a-b._tcp 1 2 3 ns1\nalias w_w ns1\n"+
		"host 1/2 192.0.2.1\nrecord @ TXT a\nrecord x TYPE65280 \"\\#\" 1 00\nmail no none {\n ttl 0\n}\n"+
		"record @ DS 1 13 2 00\n"+
		"mail "+names("m")+" 10 ns1\nrecord "+names("t")+" TXT \"a\\\"b\" c\nalias "+names("a_/")+" ns1",
		table.Options{Serials: func(zone definition.Name, d table.Digest) uint32 {
			if zone == zones[0] {
				got = d
			}
			return 0
		}})
	for rrset := range tbl.All(zones[0]) {
		for _, rr := range rrset {
			sum := sha256.Sum256([]byte(rr.String()))
			want[0] += binary.BigEndian.Uint64(sum[:])
			want[1] += binary.BigEndian.Uint64(sum[8:])
		}
	}
	if got != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestDigestOutside: names outside all zones, of which lint wants none, are not in the digest of the only zone.
func TestDigestOutside(t *testing.T) {
	var digests []table.Digest
	for _, text := range []string{"host a 192.0.2.1\n", "host a 192.0.2.1\nhost a.example.net. 192.0.2.1\n"} {
		set, _ := definition.Read("x", text, zones[:1])
		set.Apexes = apexes(zones[:1]...)
		note := func(_ definition.Name, d table.Digest) uint32 {
			digests = append(digests, d)
			return 1
		}
		table.Compile(set.Index(), table.Options{Zones: zones[:1], Serials: note})
	}
	if len(digests) != 2 || digests[0] != digests[1] {
		t.Errorf("%v", digests)
	}
}

// TestDigestAfterPatch: the digest of a zone changes with the glue that it has of a zone within, too; for a zone whose
// digest stays no serial is asked.
func TestDigestAfterPatch(t *testing.T) {
	const hosts = "host ns1 192.0.2.53\nhost ns1.deep.sub 192.0.2.54\nhost a 192.0.2.1\nhost a.deep.sub 192.0.2.2\n"
	both := definition.Names{zones[0]: true, zones[1]: true}
	for _, tc := range []struct {
		name, from, to string
		host           definition.Name
		changed        definition.Names
	}{
		{"a host", "2.1\n", "2.9\n", "a.example.org.", definition.Names{zones[0]: true}},
		{"its TTL", "2.1\n", "2.1 {\n ttl 60\n}\n", "a.example.org.", definition.Names{zones[0]: true}},
		{"a host of the zone within", "2.2\n", "2.9\n", "a.deep.sub.example.org.", definition.Names{zones[1]: true}},
		{"a name server", "2.53\n", "2.9\n", "ns1.example.org.", definition.Names{zones[0]: true}},
		{"a name server of the zone within", "2.54\n", "2.9\n", "ns1.deep.sub.example.org.", both},
		{"its second family", "2.54\n", "2.54 2001:db8::54\n", "ns1.deep.sub.example.org.", both},
		{"that it is gone", "host ns1.deep.sub 192.0.2.54\n", "", "ns1.deep.sub.example.org.", both},
		{"nothing", "", "", "a.example.org.", definition.Names{}},
	} {
		text := strings.Replace(hosts, tc.from, tc.to, 1)
		before, asked, want := digestsOf{}, digestsOf{}, digestsOf{}
		tbl := authoritative(hosts, table.Options{Serials: before.note})
		authoritative(text, table.Options{Serials: want.note})
		set, _ := definition.Read("x", text, zones[:1])
		set.Apexes = apexes(zones...)
		tbl.Patch(set.Index(), dependents(set, definition.Names{tc.host: true}), table.Options{Serials: asked.note})
		for _, zone := range zones {
			after, changed := asked[zone]
			if !changed {
				after = before[zone]
			}
			if after != want[zone] || changed != tc.changed[zone] {
				t.Errorf("%s: digest of %s %v, changed: %v; want %v, %v",
					tc.name, zone, after, changed, want[zone], tc.changed[zone])
			}
		}
	}
}

func TestParseDigest(t *testing.T) {
	for _, s := range []string{"", "00", strings.Repeat("0", 31), strings.Repeat("0", 33), strings.Repeat("g", 32)} {
		if d, err := table.ParseDigest(s); err == nil || err.Error() != "no digest: write 32 hexadecimal digits" {
			t.Errorf("%q: %v, %v", s, d, err)
		}
	}
}
