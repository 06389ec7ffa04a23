package test

import (
	"context"
	"encoding/gob"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/test/rig"
)

// TestExternalDNS: ExternalDNS, the program, does with a provider what it should: creating, changing and deleting
// records of each type takes one loop, a second one changes nothing, and dig agrees.
func TestExternalDNS(t *testing.T) {
	if !*long {
		rig.Short(t, "-long")
		t.SkipNow()
	}
	rig.Peer(t, "dig")
	program := filepath.Join(t.TempDir(), "external-dns")
	for _, args := range [][]string{
		{"test", "-count", "1", "."}, // a result is cached though a manifest has changed
		{"build", "-ldflags", "-s -w", "-o", program, "sigs.k8s.io/external-dns"},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Env = "externaldns", append(os.Environ(), "GOTOOLCHAIN=auto") // it needs a newer Go than this module
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatal(err, string(out))
		}
	}
	t.Run("webhook", func(t *testing.T) { webhookConverges(t, program) })
	t.Run("fake", func(t *testing.T) { fakeConverges(t, program) })
	t.Run("webhook outages", func(t *testing.T) { webhookOutages(t, program) })
	t.Run("coredns", func(t *testing.T) { treeConverges(t, program) })
	t.Run("coredns outages", func(t *testing.T) { treeOutages(t, program) })
}

// An externalDNS is ExternalDNS with flags and variables, and what it is to make so.
type externalDNS struct {
	*connector
	program    string
	flags, env []string
}

// A connector is a server for --source=connector, which has the endpoints that a cluster would have.
type connector struct {
	net.Listener
	wished atomic.Pointer[[]endpoint]
}

// newExternalDNS returns an ExternalDNS of a provider.
func newExternalDNS(t *testing.T, program, provider string, flags ...string) *externalDNS {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	e := &externalDNS{connector: &connector{Listener: l}, program: program, flags: append(flags,
		"--source=connector", "--connector-source-server="+l.Addr().String(), "--provider="+provider, "--policy=sync",
		"--txt-owner-id=mine", "--txt-wildcard-replacement=any", "--metrics-address=127.0.0.1:0", "--log-level=debug")}
	for _, recordType := range []string{"A", "AAAA", "CNAME", "TXT", "SRV", "NS", "PTR", "MX", "NAPTR", "DNAME", "TLSA"} {
		e.flags = append(e.flags, "--managed-record-types="+recordType)
	}
	e.wish(nil)
	go e.serve()
	return e
}

func (c *connector) serve() {
	for {
		conn, err := c.Accept()
		if err != nil {
			return
		}
		gob.NewEncoder(conn).Encode(*c.wished.Load())
		conn.Close()
	}
}

// wish sets the endpoints of the cluster.
func (c *connector) wish(wished []endpoint) { c.wished.Store(&wished) }

func (e *externalDNS) command(more ...string) *exec.Cmd {
	cmd := exec.Command(e.program, slices.Concat(e.flags, more)...)
	cmd.Env = append(os.Environ(), e.env...)
	return cmd
}

// once does one loop, and returns its log.
func (e *externalDNS) once(t *testing.T, more ...string) string {
	t.Helper()
	out, err := e.command(append(more, "--once")...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}

// fails does one loop that does not succeed, and returns its log.
func (e *externalDNS) fails(t *testing.T) string {
	t.Helper()
	out, err := e.command("--once").CombinedOutput()
	if err == nil {
		t.Errorf("no failure in\n%s", out)
	}
	return string(out)
}

// settled does a loop that has nothing to do, and reports what it does all the same.
func (e *externalDNS) settled(t *testing.T, c *rig.Cluster, more ...string) {
	t.Helper()
	before := revision(t, c)
	if log := e.once(t, more...); !strings.Contains(log, "All records are already up to date") || revision(t, c) != before {
		t.Errorf("revision %d, before %d\n%s", revision(t, c), before, log)
	}
}

// revision returns that of etcd.
func revision(t *testing.T, c *rig.Cluster) (now int64) {
	t.Helper()
	err := c.Call(func(ctx context.Context, c *clientv3.Client) error {
		r, err := c.Get(ctx, "/", clientv3.WithCountOnly())
		if err == nil {
			now = r.Header.Revision
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// dig returns what dig prints of a name and type, sorted.
func (s *server) dig(t *testing.T, name, recordType string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(rig.Peer(t, "dig"), "+short", "@"+host, "-p", port, name, recordType).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "; ")
}

// An expectation is an endpoint with targets at first and then others, and what dig is to say of them.
type expectation struct {
	name, recordType string
	set              string
	first, then      []string
	dig, digThen     string
}

// endpoints returns those of expectations.
func endpoints(all []expectation, targets func(expectation) []string, ttl int64) (wished []endpoint) {
	for _, x := range all {
		wished = append(wished, endpoint{DNSName: x.name, RecordType: x.recordType, Targets: targets(x), RecordTTL: ttl,
			SetIdentifier: x.set, Labels: map[string]string{"resource": "crd/default/x"}})
	}
	return wished
}

// converges makes endpoints, changes and deletes them, each in one loop, and reports what dig says otherwise, and loops
// that have something to do though nothing has changed. What is impossible is there from time to time.
func (e *externalDNS) converges(t *testing.T, c *rig.Cluster, s *server, all []expectation, ttl int64, impossible ...endpoint) {
	t.Helper()
	first := endpoints(all, func(x expectation) []string { return x.first }, 0)
	then := endpoints(all, func(x expectation) []string { return x.then }, ttl)
	for _, step := range []struct {
		name         string
		wished, next []endpoint
		ttl          int64
		served       func(expectation) string
	}{
		{"created", slices.Concat(first, impossible), slices.Concat(impossible, first), 0,
			func(x expectation) string { return x.dig }},
		{"changed", slices.Concat(then, impossible), then, ttl, func(x expectation) string { return x.digThen }},
		{"deleted", nil, nil, 0, func(expectation) string { return "" }},
	} {
		e.wish(step.wished)
		log := e.once(t)
		for _, x := range all {
			name, want := strings.Replace(x.name, "*", "some", 1), step.served(x)
			rig.Eventually(t, fmt.Sprintf("%s, %s %s is %s after\n%s", step.name, name, x.recordType, want, log), func() bool {
				return s.dig(t, name, x.recordType) == want
			})
			if step.ttl == 0 {
				continue
			}
			if got := s.ask(t, "udp", query(t, name+" "+x.recordType)).Answer[0].Header().Ttl; int64(got) != step.ttl {
				t.Errorf("%s, %s %s has TTL %d, want %d", step.name, name, x.recordType, got, step.ttl)
			}
		}
		e.wish(step.next)
		e.settled(t, c)
	}
}

// webhookConverges: so it is with mxsrv webhook. What cannot be served is left out, and keeps nothing else.
func webhookConverges(t *testing.T, program string) {
	p := startProvider(t)
	e := newExternalDNS(t, program, "webhook", "--webhook-provider-url="+p.url, "--txt-prefix=_owner-%{record_type}.")
	e.converges(t, p.Cluster, p.dns, []expectation{
		{"www.example.org", "A", "", []string{"192.0.2.2", "192.0.2.1"}, []string{"192.0.2.3"}, "192.0.2.1; 192.0.2.2", "192.0.2.3"},
		{"www.example.org", "AAAA", "", []string{"2001:DB8::1"}, []string{"2001:db8::2"}, "2001:db8::1", "2001:db8::2"},
		{"any.example.org", "A", "fake", []string{"192.0.2.7"}, []string{"192.0.2.8"}, "192.0.2.7", "192.0.2.8"},
		{"Ftp.example.org", "CNAME", "", []string{"www.example.org"}, []string{"any.example.org"}, "www.example.org.", "any.example.org."},
		{"*.apps.example.org", "A", "", []string{"192.0.2.9"}, []string{"192.0.2.10"}, "192.0.2.9", "192.0.2.10"},
		{"example.org", "MX", "", []string{"20 mx2.example.net", "10 mx1.example.net"}, []string{"10 mx3.example.net"},
			"10 mx1.example.net.; 20 mx2.example.net.", "10 mx3.example.net."},
		{"noreply.example.org", "MX", "", []string{"0 ."}, []string{"10 mx1.example.net"}, "0 .", "10 mx1.example.net."},
		{"example.org", "TXT", "", []string{"v=spf1 mx -all", "site-verification=a;b"}, []string{"v=spf1 -all"},
			`"site-verification=a;b"; "v=spf1 mx -all"`, `"v=spf1 -all"`},
		{"quoted.example.org", "TXT", "", []string{`"with \"quotes\"" "two"`}, []string{`"one"`}, `"with \"quotes\"" "two"`, `"one"`},
		{"_ldap._tcp.example.org", "SRV", "", []string{"0 50 389 www.example.org."}, []string{"0 50 389 any.example.org.", "1 0 636 any.example.org."},
			"0 50 389 www.example.org.", "0 50 389 any.example.org.; 1 0 636 any.example.org."},
		{"99.2.0.192.in-addr.arpa", "PTR", "", []string{"www.example.org"}, []string{"any.example.org", "www.example.org"},
			"www.example.org.", "any.example.org.; www.example.org."},
		{"_sip._udp.example.org", "NAPTR", "", []string{`100 10 "u" "E2U+sip" "!^.*$!sip:info@example.org!" .`}, []string{`100 20 "s" "SIP+D2U" "" _sip._udp.example.org.`},
			`100 10 "u" "E2U+sip" "!^.*$!sip:info@example.org!" .`, `100 20 "s" "SIP+D2U" "" _sip._udp.example.org.`},
		{"_443._tcp.www.example.org", "TLSA", "", []string{"3 1 1 " + strings.Repeat("ab", 32)}, []string{"3 1 1 " + strings.Repeat("cd", 32)},
			"3 1 1 " + strings.Repeat("AB", 28) + " " + strings.Repeat("AB", 4), "3 1 1 " + strings.Repeat("CD", 28) + " " + strings.Repeat("CD", 4)},
	}, 60, []endpoint{
		{DNSName: "k8s.example.org", RecordType: "NS", Targets: []string{"ns.example.net"}},
		{DNSName: "old.example.org", RecordType: "DNAME", Targets: []string{"new.example.org"}},
		{DNSName: "bad.example.org", RecordType: "TXT", Targets: []string{"v=spf1 -all", "v=spf1 mx -all"}},
		{DNSName: "alias.example.org", RecordType: "MX", Targets: []string{"10 ftp.example.org"}},
	}...)
	if left := p.keysOf(t); len(left) > 0 {
		t.Errorf("there is %v", left)
	}
	if !strings.Contains(p.String(), "not served: NS etcd:/mxsrv/external-dns/k8s.example.org") {
		t.Errorf("the log says\n%s", p.Process)
	}
	p.Members[0].Kill()
	if got := e.fails(t); !strings.Contains(got, "soft error") {
		t.Errorf("without etcd: %s", got)
	}
}

var fakeEndpoint = regexp.MustCompile(`fake source generated (\S+) endpoint: (\S+) -> (.*)"\n`)

// fakeConverges: what ExternalDNS makes up, an endpoint of each type, is served but for what the rules refuse. Its TXT
// record is in the form of an ownership record, which the registry of TXT records would not count.
func fakeConverges(t *testing.T, program string) {
	p := startProvider(t)
	e := newExternalDNS(t, program, "webhook", "--webhook-provider-url="+p.url, "--registry=noop")
	fake := []string{"--source=fake", "--fqdn-template=fake.example.org"}
	plain := func(data string) string {
		return strings.TrimSuffix(strings.ReplaceAll(strings.ToLower(data), " ", ""), ".")
	}
	made := fakeEndpoint.FindAllStringSubmatch(e.once(t, fake...), -1)
	if len(made) < 11 {
		t.Fatalf("ExternalDNS makes up %q, want an endpoint of each type", made)
	}
	for _, m := range made {
		recordType, name, want := m[1], m[2], plain(strings.ReplaceAll(m[3], `\"`, `"`))
		if recordType == "NS" || recordType == "DNAME" {
			want = ""
		}
		rig.Eventually(t, fmt.Sprintf("%s %s is %s", name, recordType, want), func() bool {
			return plain(p.dns.dig(t, name, recordType)) == want
		})
	}
	e.settled(t, p.Cluster, fake...)
	e.once(t)
	if left := p.keysOf(t); len(left) > 0 {
		t.Errorf("there is %v", left)
	}
}

// ofTree serves the tree of the etcd plugin.
const ofTree = `example.org:1053 2.0.192.in-addr.arpa:1053 {
    bind 127.0.0.1
    mxsrv {
        etcd %s {
            skydns /skydns
        }
        authoritative {
            ns ns1.example.net.
        }
    }
    errors
}
`

func startTree(t *testing.T, program string) (*externalDNS, *rig.Cluster, *server) {
	t.Helper()
	c := rig.Etcd(t, 1)
	e := newExternalDNS(t, program, "coredns", "--coredns-prefix=/skydns/")
	e.env = []string{"ETCD_URLS=" + c.URLs()[0]}
	return e, c, start(t, t.TempDir(), fmt.Sprintf(ofTree, c.URLs()[0]))
}

// treeConverges: so it is with the provider that writes the tree of the etcd plugin, for what that can: of addresses of
// both families at one name, and of texts with a TTL, it changes in each loop what is already so; and of several
// addresses it deletes one in a loop.
func treeConverges(t *testing.T, program string) {
	e, c, s := startTree(t, program)
	e.converges(t, c, s, []expectation{
		{"www.example.org", "A", "", []string{"192.0.2.1"}, []string{"192.0.2.3"}, "192.0.2.1", "192.0.2.3"},
		{"six.example.org", "AAAA", "", []string{"2001:db8::1"}, []string{"2001:db8::2"}, "2001:db8::1", "2001:db8::2"},
		{"ftp.example.org", "CNAME", "", []string{"www.example.org"}, []string{"six.example.org"}, "www.example.org.", "six.example.org."},
		{"99.2.0.192.in-addr.arpa", "PTR", "", []string{"www.example.org"}, []string{"six.example.org"}, "www.example.org.", "six.example.org."},
	}, 60)
	e.converges(t, c, s, []expectation{
		{"text.example.org", "TXT", "", []string{"one text"}, []string{"another"}, `"one text"`, `"another"`},
	}, 0)
	e.wish([]endpoint{addressed("two.example.org", "192.0.2.1", "192.0.2.2")})
	e.once(t)
	s.await(t, "two.example.org", "192.0.2.1; 192.0.2.2")
	e.settled(t, c)
	e.wish(nil)
	e.once(t)
	e.once(t)
	s.await(t, "two.example.org", "")
}

// await waits until a name has addresses.
func (s *server) await(t *testing.T, name, addresses string) {
	t.Helper()
	rig.Eventually(t, name+" is "+addresses, func() bool { return s.dig(t, name, "A") == addresses })
}

// addressed returns an endpoint with addresses.
func addressed(name string, addresses ...string) endpoint {
	return endpoint{DNSName: name, RecordType: "A", Targets: addresses, Labels: map[string]string{"resource": "crd/default/x"}}
}

// many returns endpoints of names.
func many(names int) (all []endpoint) {
	for i := range names {
		all = append(all, addressed(fmt.Sprintf("n%03d.example.org", i), "192.0.2.1"))
	}
	return all
}

// interrupted does a loop in which something is killed once the first key below a prefix is changed.
func (e *externalDNS) interrupted(t *testing.T, c *rig.Cluster, prefix string, kill func(*rig.Process)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	written := c.Client.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-written
	loop := runProcess(t, e.command("--once"), "config: ")
	<-written
	kill(loop)
	loop.Wait(rig.Limit)
}

// stopped has etcd not run, and returns what starts it.
func stopped(t *testing.T, c *rig.Cluster) (start func()) {
	c.Members[0].Kill()
	return func() {
		t.Helper()
		err := c.Members[0].Start()
		if err == nil {
			err = c.Members[0].Ready()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// lockedOut has etcd refuse who has no password, and returns what ends that.
func lockedOut(t *testing.T, c *rig.Cluster) (end func()) {
	t.Helper()
	do := func(calls ...func() error) {
		t.Helper()
		for _, call := range calls {
			if err := call(); err != nil {
				t.Fatal(err)
			}
		}
	}
	do(func() error { _, err := c.Client.UserAdd(t.Context(), "root", "r"); return err },
		func() error { _, err := c.Client.UserGrantRole(t.Context(), "root", "root"); return err },
		func() error { _, err := c.Client.AuthEnable(t.Context()); return err })
	return func() {
		t.Helper()
		root, err := clientv3.New(clientv3.Config{Endpoints: c.URLs(), Username: "root", Password: "r"})
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		do(func() error { _, err := root.AuthDisable(t.Context()); return err })
	}
}

// webhookOutages: whatever is killed in the middle of a loop, no name is half there, and the next loop completes it;
// and while etcd is away or refuses the provider, answers and ExternalDNS go on, and changes are made afterwards.
func webhookOutages(t *testing.T, program string) {
	p := startProvider(t)
	const folder, names = "/mxsrv/external-dns/", 400
	e := newExternalDNS(t, program, "webhook", "--webhook-provider-url="+p.url, "--txt-prefix=_owner-%{record_type}.")
	whole := func() {
		t.Helper()
		keys := p.keysOf(t)
		for i := range names {
			name := fmt.Sprintf("n%03d.example.org", i)
			if slices.Contains(keys, name) != slices.Contains(keys, "_owner-a."+name) {
				t.Errorf("%s is half there", name)
			}
		}
	}
	complete := func(want int) {
		t.Helper()
		e.once(t)
		if got := len(p.keysOf(t)); got != want {
			t.Errorf("%d keys, want %d", got, want)
		}
		e.settled(t, p.Cluster)
	}
	e.wish(many(names))
	e.interrupted(t, p.Cluster, folder, func(*rig.Process) { p.Kill() })
	whole()
	p.run(t, strings.TrimPrefix(p.url, "http://"))
	complete(2 * names)
	e.wish(nil)
	e.interrupted(t, p.Cluster, folder, (*rig.Process).Kill)
	whole()
	complete(0)

	served := "192.0.2.1"
	e.wish([]endpoint{addressed("www.example.org", served)})
	loop := runProcess(t, e.command("--interval=1s"), "config: ")
	p.dns.await(t, "www.example.org", served)
	for next, away := range map[string]func(*testing.T, *rig.Cluster) func(){"192.0.2.2": stopped, "192.0.2.3": lockedOut} {
		refusals := func() int { return strings.Count(loop.String(), "Failed to do run once") }
		before, back := refusals(), away(t, p.Cluster)
		e.wish([]endpoint{addressed("www.example.org", next)})
		rig.Eventually(t, "loops fail", func() bool { return refusals() > before+1 })
		if got := p.dns.dig(t, "www.example.org", "A"); got != served {
			t.Errorf("meanwhile www.example.org is %s, want %s", got, served)
		}
		back()
		p.dns.await(t, "www.example.org", next)
		served = next
	}
}

// treeOutages: so it is with the tree of the etcd plugin, but for what that cannot: ExternalDNS ends when etcd is away,
// and writes the records of ownership on their own.
func treeOutages(t *testing.T, program string) {
	e, c, s := startTree(t, program)
	e.wish(many(200))
	e.interrupted(t, c, "/skydns/", (*rig.Process).Kill)
	e.once(t)
	s.await(t, "n000.example.org", "192.0.2.1")
	s.await(t, "n199.example.org", "192.0.2.1")
	e.settled(t, c)
	changed := many(200)
	changed[0].Targets = []string{"192.0.2.2"}
	e.wish(changed)
	back := stopped(t, c)
	e.fails(t)
	s.await(t, "n000.example.org", "192.0.2.1")
	back()
	back = lockedOut(t, c)
	e.fails(t)
	e.env = append(e.env, "ETCD_USERNAME=root", "ETCD_PASSWORD=wrong")
	e.fails(t)
	s.await(t, "n000.example.org", "192.0.2.1")
	back()
	e.env = e.env[:1]
	e.once(t)
	s.await(t, "n000.example.org", "192.0.2.2")
	e.settled(t, c)
}
