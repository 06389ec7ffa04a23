package test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/miekg/dns"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/test/rig"
)

// upgradeFrom is an older build, which TestUpgrade starts in place of what stands for it, or whose files are recorded:
//
//	go test ./test -run TestUpgrade/02a2153 -from /tmp/coredns-of-02a2153 [-record]
var (
	upgradeFrom = flag.String("from", "", "a coredns of an older build, for TestUpgrade of that build")
	record      = flag.Bool("record", false, "TestUpgrade writes what the coredns of -from serves and keeps to testdata")
)

// An olderBuild has in testdata/upgrade, in the directory of its name, a Corefile and files of definitions, and
// what the build wrote while it served them: serials, snapshot, its zones as db.ZONE, its excluded fragments as
// PLACE RULE, the keys of etcd, as CREATED CHANGED KEY VALUE, and answers, if there are further questions.
type olderBuild struct {
	name   string
	same   []string          // zones of definitions below /mxsrv, whose content is as it was
	differ map[string]string // by "ZONE: +RECORD" or "excluded: KEY RULE": what CHANGELOG.md says of that
}

var olderBuilds = []olderBuild{
	{name: "3eab11b", same: []string{"example.org", "example.net"}},
	{name: "02a2153", same: []string{"example.org", "example.net"}, differ: map[string]string{
		"excluded: etcd:/shared/backup:2 fragment-younger":   "`fragment-younger`",
		"shared.example: -shared.example. MX 20 mx3":         "`fragment-younger`",
		"excluded: etcd:/shared/address:1 fragment-younger":  "where exchanges and addresses of all added up",
		"shared.example: -mx2.shared.example. A":             "where exchanges and addresses of all added up",
		"excluded: etcd:/shared/sip:2 fragment-closed":       "`fragment-closed`",
		"shared.example: -_sip._tcp.shared.example. SRV":     "`fragment-closed`",
		"excluded: etcd:/overlay/same:1 fragment-closed":     "`fragment-closed`",
		"shared.example: +_imap._tcp.shared.example. SRV":    "of TTLs that differ the oldest one counts",
		"shared.example: +dangling.shared.example. MX":       "A target that is not declared excludes nothing any more",
		"shared.example: +doubled.shared.example. MX":        "A target that is not declared excludes nothing any more",
		"shared.example: +late.shared.example. CNAME":        "the one that points to the other",
		"shared.example: -points.shared.example. MX 10 late": "the one that points to the other",
	}},
}

func (b olderBuild) path(file string) string {
	return filepath.Join("testdata", "upgrade", b.name, file)
}

// TestUpgrade: a start on what an older build has kept lets no serial fall, and excludes and serves nothing else, but
// for what CHANGELOG.md says. Secondaries follow.
func TestUpgrade(t *testing.T) {
	for _, b := range olderBuilds {
		t.Run(b.name, func(t *testing.T) {
			if *record {
				b.record(t)
				return
			}
			for name, tc := range map[string]struct {
				serials string
				lost    []string // files
			}{
				"a file of serials": {"serials serials", nil},
				"a snapshot":        {"", []string{"serials"}},
				"nothing":           {"serials serials", []string{"serials", "snapshot"}},
			} {
				t.Run(name, func(t *testing.T) { b.upgrade(t, tc.serials, tc.lost) })
			}
		})
	}
}

func (b olderBuild) upgrade(t *testing.T, serials string, lost []string) {
	c := rig.Etcd(t, 1)
	b.replay(t, c)
	s := b.start(t, c)
	zones := b.same
	if len(lost) == 0 { // where serials are lost, those of files are the time, and none tells what this build changes
		zones = b.zones(t)
	}
	u := newUpgrading(t, s, zones)
	before := u.serials()

	for _, file := range lost {
		os.Remove(filepath.Join(s.Dir, file))
	}
	s.Kill()
	b.write(t, s, c, serials)
	expected := foretell(t, s.Dir)
	s.run(t, s.Dir)
	u.awaitAll()
	if got := excluded(exclusion, s.String()); !slices.Equal(got, expected) {
		t.Errorf("excluded:\n%q\nmxsrv check foretold\n%q", got, expected)
	}
	if len(lost) == 0 {
		b.checkExcluded(t, s)
		if text, err := os.ReadFile(b.path("answers")); err == nil {
			check(t, s, string(text))
		}
	}
	for zone, serial := range u.serials() {
		changed := b.checkContent(t, s, zone)
		if rose := int32(serial - before[zone]); rose < 0 || len(lost) == 0 && (rose > 0) != changed {
			t.Errorf("%s: serial %d after the upgrade, before %d, other content: %v", zone, serial, before[zone], changed)
		}
	}
	b.change(t, c, u)
	checkFormats(t, s)
	if *upgradeFrom != "" {
		goBack(t, u)
	}
}

// goBack starts the build on what this one has kept: no serial falls, and secondaries follow.
func goBack(t *testing.T, u *upgrading) {
	before := u.serials()
	u.primary.Kill()
	runOlder(t, u.primary)
	u.awaitAll()
	for zone, serial := range u.serials() {
		if int32(serial-before[zone]) < 0 {
			t.Errorf("%s: serial %d after going back, before %d", zone, serial, before[zone])
		}
	}
}

// change changes fragments below /mxsrv, of all zones and of one: secondaries follow, and serials are those of revisions.
func (b olderBuild) change(t *testing.T, c *rig.Cluster, u *upgrading) {
	r := c.Do(t, put("mail", "mail @ lists 20 mx2 30 mx1"))
	for _, zone := range b.same {
		eventually(t, u.primary, "the change is served", func() bool { return u.serial(zone) == uint32(3_000_000_000+r) })
	}
	u.awaitAll()
	only := c.Do(t, put("org", "host new.example.org. 192.0.2.40"))
	eventually(t, u.primary, "the change is served", func() bool {
		return u.serial("example.org") == uint32(3_000_000_000+only)
	})
	u.awaitAll()
	if got := u.serial("example.net"); got != uint32(3_000_000_000+r) {
		t.Errorf("example.net: serial %d after a change of example.org, want that of revision %d", got, r)
	}
}

// fillerKey is a key that no server follows.
const fillerKey = "/elsewhere"

// replay writes the keys that the build had in etcd, at the revisions that they had, and those of other keys between.
func (b olderBuild) replay(t *testing.T, c *rig.Cluster) {
	t.Helper()
	at := make(map[int64]clientv3.Op)
	last := int64(0)
	for line := range strings.Lines(read(t, b.path("etcd"))) {
		var created, changed int64
		var key, value string
		if _, err := fmt.Sscanf(line, "%d %d %q %q", &created, &changed, &key, &value); err != nil {
			t.Fatalf("%s: %q: %v", b.path("etcd"), line, err)
		}
		if *upgradeFrom != "" && strings.HasSuffix(key, "/.revision") {
			continue // the build writes it itself
		}
		at[created] = clientv3.OpPut(key, "# to be changed")
		at[changed] = clientv3.OpPut(key, value)
		last = max(last, changed)
	}
	for r := int64(2); r <= last; r++ { // a new etcd is at revision 1
		if _, ok := at[r]; !ok {
			at[r] = clientv3.OpPut(fillerKey, "")
		}
		c.Do(t, at[r])
	}
}

// zones returns the zones that the build had as authoritative, sorted.
func (b olderBuild) zones(t *testing.T) (zones []string) {
	t.Helper()
	for _, m := range authoritativeZones.FindAllStringSubmatch(read(t, b.path("Corefile")), -1) {
		for _, zone := range strings.Fields(m[1]) {
			zones = append(zones, strings.TrimSuffix(zone, ":1053"))
		}
	}
	slices.Sort(zones)
	return zones
}

var authoritativeZones = regexp.MustCompile(`(?m)^(.*) \{\n(?: .*\n)*        authoritative`)

// standIn serves a zone as the build did.
const standIn = `%s:1053 {
    bind 127.0.0.1
    file db.%[1]s
    transfer {
        to * 127.0.0.1:1055 127.0.0.1:1056
    }
}
`

// start starts the build, or what stands for it.
func (b olderBuild) start(t *testing.T, c *rig.Cluster) *server {
	t.Helper()
	var corefile strings.Builder
	for _, zone := range b.zones(t) {
		fmt.Fprintf(&corefile, standIn, zone)
	}
	s := start(t, b.path(""), corefile.String())
	if *upgradeFrom == "" {
		return s
	}
	s.Kill()
	for _, file := range []string{"serials", "snapshot"} {
		os.Remove(filepath.Join(s.Dir, file))
	}
	b.write(t, s, c, "serials serials")
	runOlder(t, s)
	return s
}

// runOlder starts the build in place of a server.
func runOlder(t *testing.T, s *server) {
	t.Helper()
	cmd := exec.Command(*upgradeFrom)
	cmd.Dir = s.Dir
	s.Process = runProcess(t, cmd, "CoreDNS-")
}

// write writes the Corefile of the build, with the ports that were chosen for the server.
func (b olderBuild) write(t *testing.T, s *server, c *rig.Cluster, serials string) {
	t.Helper()
	corefile := strings.ReplaceAll(read(t, b.path("Corefile")), "127.0.0.1:2379", c.Members[0].Addr())
	corefile = strings.ReplaceAll(corefile, "serials serials", serials)
	write(t, filepath.Join(s.Dir, "Corefile"), s.replaced(corefile))
}

// checkExcluded compares the fragments that are excluded with those that the build excluded.
func (b olderBuild) checkExcluded(t *testing.T, s *server) {
	t.Helper()
	before := strings.Split(read(t, b.path("excluded")), "\n")
	for _, line := range excluded(exclusion, s.String()) {
		if !slices.Contains(before, line) {
			b.checkAnnounced(t, "excluded: "+line)
		}
	}
}

// foretell returns the fragments that a server would exclude, as the tool says before it starts.
func foretell(t *testing.T, dir string) []string {
	t.Helper()
	cmd := exec.Command(buildTool(t), "check")
	cmd.Dir = dir
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
		t.Fatalf("mxsrv check: %v\n%s", err, out)
	}
	return excluded(foretold, string(out))
}

// checkFormats: the page of upgrades has the versions of the files that are written.
func checkFormats(t *testing.T, s *server) {
	t.Helper()
	for _, m := range formatTitles.FindAllStringSubmatch(read(t, "../docs/upgrade.md"), -1) {
		title, file := m[1], m[2]
		eventually(t, s, fmt.Sprintf("the file %s begins with %q", file, title), func() bool {
			text, err := os.ReadFile(filepath.Join(s.Dir, file))
			return err != nil || strings.HasPrefix(string(text), title)
		})
	}
}

var formatTitles = regexp.MustCompile("\\| `((?:# )?mxsrv (serials|snapshot) [0-9]+:?)` \\|")

// excluded returns the fragments that a log, or findings of the tool, say to be excluded, each as PLACE RULE.
func excluded(as *regexp.Regexp, text string) (all []string) {
	for _, m := range as.FindAllStringSubmatch(text, -1) {
		all = append(all, m[1]+" "+m[2])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

var (
	exclusion = regexp.MustCompile(`(?m)\[ERROR\] .*(?:left out|excluded): (etcd:\S+): error: .* \[([a-z-]+)[],]`)
	foretold  = regexp.MustCompile(`(?m)^(etcd:\S+): error: .* \[([a-z-]+)[],]`)
)

// checkContent compares the content of a zone with what the build served, and reports whether it is another.
func (b olderBuild) checkContent(t *testing.T, s *server, zone string) (changed bool) {
	t.Helper()
	before, now := parsedZone(t, read(t, b.path("db."+zone))), content(zoneOf(t, s, zone+"."))
	for _, line := range slices.Concat(minus("+", now, before), minus("-", before, now)) {
		b.checkAnnounced(t, zone+": "+line)
		changed = true
	}
	return changed
}

// minus returns the lines of a that are not in b, after a sign.
func minus(sign string, a, b []string) (lines []string) {
	for _, line := range a {
		if !slices.Contains(b, line) {
			lines = append(lines, sign+line)
		}
	}
	return lines
}

// TestUpgradeRules: the page of upgrades and CHANGELOG.md name each rule that is an error now and was none in the
// oldest build of testdata.
func TestUpgradeRules(t *testing.T) {
	before := read(t, "testdata/upgrade/02a2153/errors")
	for _, r := range lint.Rules() {
		if r.Severity != lint.Error || strings.Contains(before, r.ID+"\n") {
			continue
		}
		for _, page := range []string{"../docs/upgrade.md", "../CHANGELOG.md"} {
			if !strings.Contains(read(t, page), "`"+r.ID+"`") {
				t.Errorf("%s does not speak of the error %s, which is new", page, r.ID)
			}
		}
	}
}

func parsedZone(t *testing.T, text string) []string {
	t.Helper()
	var all []dns.RR
	parser := dns.NewZoneParser(strings.NewReader(text), ".", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		all = append(all, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	return content(all)
}

// content returns the records but for the SOA, as OWNER TYPE DATA TTL.
func content(records []dns.RR) (lines []string) {
	for _, rr := range records {
		if h := rr.Header(); h.Rrtype != dns.TypeSOA {
			data := strings.TrimPrefix(rr.String(), h.String())
			lines = append(lines, fmt.Sprintf("%s %s %s ttl %d", h.Name, dns.TypeToString[h.Rrtype], data, h.Ttl))
		}
	}
	return lines
}

// checkAnnounced reports a difference that CHANGELOG.md does not speak of.
func (b olderBuild) checkAnnounced(t *testing.T, difference string) {
	t.Helper()
	for prefix, phrase := range b.differ {
		words := strings.Join(strings.Fields(read(t, "../CHANGELOG.md")), " ")
		if strings.HasPrefix(difference, prefix) && strings.Contains(words, phrase) {
			return
		}
	}
	t.Errorf("%s: CHANGELOG.md does not say so", difference)
}

// record runs the build and writes what it serves and keeps to testdata.
func (b olderBuild) record(t *testing.T) {
	c := rig.Etcd(t, 1)
	b.replay(t, c)
	s := b.start(t, c)
	for _, zone := range b.zones(t) {
		eventually(t, s, zone, func() bool { return strings.Contains(answers(s, zone+" SOA"), "aa true") })
		write(t, b.path("db."+zone), strings.Join(texts(zoneOf(t, s, zone+".")[1:]), "\n")+"\n")
	}
	write(t, b.path("excluded"), strings.Join(excluded(exclusion, s.String()), "\n")+"\n")
	if text, err := os.ReadFile(b.path("answers")); err == nil {
		write(t, b.path("answers"), answered(t, s, string(text)))
	}
	if err := s.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.Exited()
	for _, file := range []string{"serials", "snapshot"} {
		write(t, b.path(file), read(t, filepath.Join(s.Dir, file)))
	}
	b.recordKeys(t, c)
}

// answered returns questions, lines of "> NAME TYPE", with what a server answers.
func answered(t *testing.T, s *server, text string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(text) {
		if q, ok := strings.CutPrefix(strings.TrimSpace(line), "> "); ok {
			m := query(t, q)
			m.SetEdns0(4096, false)
			fmt.Fprintf(&b, "> %s\n%s", q, format(s.ask(t, "udp", m)))
		}
	}
	return b.String()
}

// recordKeys writes the keys of etcd, by revision.
func (b olderBuild) recordKeys(t *testing.T, c *rig.Cluster) {
	t.Helper()
	var r *clientv3.GetResponse
	err := c.Call(func(ctx context.Context, client *clientv3.Client) (err error) {
		r, err = client.Get(ctx, "", clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByModRevision, clientv3.SortAscend))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for _, kv := range r.Kvs {
		if string(kv.Key) != fillerKey {
			fmt.Fprintf(&lines, "%d %d %q %q\n", kv.CreateRevision, kv.ModRevision, kv.Key, kv.Value)
		}
	}
	write(t, b.path("etcd"), lines.String())
}

// upgrading is a primary and its secondaries, of which nobody may see a serial fall or used twice.
type upgrading struct {
	t         *testing.T
	primary   *server
	followers map[string]*server
	seen      map[string]*history // by zone: what was served by anybody
}

// newUpgrading starts NSD and Knot as secondaries of zones, and returns once they follow.
func newUpgrading(t *testing.T, s *server, zones []string) *upgrading {
	t.Helper()
	u := &upgrading{t: t, primary: s, seen: map[string]*history{}}
	var all []hosted
	for _, zone := range zones {
		all = append(all, hosted{zone: zone + ".", primary: s.addr})
		u.seen[zone] = newHistory(t, zone)
	}
	u.followers = map[string]*server{
		"NSD":  startNSD(t, rig.Peer(t, "nsd"), s.at[":1055"], all),
		"Knot": startKnot(t, rig.Peer(t, "knotd"), s.at[":1056"], all),
	}
	u.awaitAll()
	return u
}

func (u *upgrading) serial(zone string) uint32 {
	u.t.Helper()
	return serialOf(u.t, u.primary, zone)
}

// serials returns the serial of each zone.
func (u *upgrading) serials() map[string]uint32 {
	u.t.Helper()
	all := make(map[string]uint32)
	for zone := range u.seen {
		all[zone] = u.serial(zone)
	}
	return all
}

// awaitAll waits until all followers have the primary's serials, and compares the zones that they have.
func (u *upgrading) awaitAll() {
	u.t.Helper()
	for zone, seen := range u.seen {
		all := zoneOf(u.t, u.primary, zone+".")
		slices.SortFunc(all[1:len(all)-1], func(a, b dns.RR) int { // what stands for the build has any order
			return strings.Compare(a.String(), b.String())
		})
		seen.see(all)
		for _, name := range slices.Sorted(maps.Keys(u.followers)) {
			f := u.followers[name]
			eventually(u.t, f, name+" follows "+zone, func() bool {
				return answers(f, zone+" SOA") == answers(u.primary, zone+" SOA")
			})
			for _, rr := range all[1:] {
				q := rr.Header().Name + " " + dns.TypeToString[rr.Header().Rrtype]
				if got, want := answers(f, q), answers(u.primary, q); got != want {
					u.t.Errorf("%s: %s\n%s\nwant\n%s", q, name, got, want)
				}
			}
		}
	}
}
