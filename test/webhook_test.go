package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.yaml.in/yaml/v2"

	"github.com/mxsrv/mxsrv/test/rig"
)

const webhookMedia = "application/external.dns.webhook+json;version=1"

// An endpoint is one of ExternalDNS.
type endpoint struct {
	DNSName       string            `json:"dnsName"`
	RecordType    string            `json:"recordType"`
	Targets       []string          `json:"targets"`
	RecordTTL     int64             `json:"recordTTL,omitempty"`
	SetIdentifier string            `json:"setIdentifier,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
}

// A provider is mxsrv webhook as a process, with an etcd and a server.
type provider struct {
	*rig.Process
	*rig.Cluster
	dns            *server
	tool, corefile string
	url            string
}

// startProvider starts a provider for authoritative zones, and all that it needs.
func startProvider(t *testing.T) *provider {
	t.Helper()
	c := rig.Etcd(t, 1)
	corefile := fmt.Sprintf(`example.org:1053 2.0.192.in-addr.arpa:1053 {
    bind 127.0.0.1
    mxsrv {
        etcd %s
        host ns1 198.51.100.53
        authoritative {
            ns ns1
        }
    }
    errors
}
`, c.Members[0].Addr())
	p := &provider{Cluster: c, dns: start(t, t.TempDir(), corefile), tool: buildTool(t)}
	p.corefile = filepath.Join(t.TempDir(), "Corefile")
	write(t, p.corefile, corefile)
	p.run(t, "127.0.0.1:0")
	return p
}

// run starts the provider on an address.
func (p *provider) run(t *testing.T, address string) {
	t.Helper()
	p.Process = runProcess(t, exec.Command(p.tool, "webhook", "--corefile", p.corefile, "--listen", address, "--metrics", ""), "listening on")
	p.url = "http://" + regexp.MustCompile(`listening on (\S+)`).FindStringSubmatch(p.String())[1]
}

// ask makes a call and returns its status and body, or an error if there is no response.
func (p *provider) ask(method, path string, body any) (int, string, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, "", err
	}
	request, err := http.NewRequest(method, p.url+path, strings.NewReader(string(text)))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Content-Type", webhookMedia)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	return response.StatusCode, string(got), err
}

// create returns endpoints of many names with a record that says whose each is.
func create(names int) map[string][]endpoint {
	var all []endpoint
	for i := range names {
		name := fmt.Sprintf("n%03d.example.org", i)
		all = append(all, endpoint{DNSName: name, RecordType: "A", Targets: []string{"192.0.2.1"}},
			endpoint{DNSName: "_owner-a." + name, RecordType: "TXT", Targets: []string{`"heritage=external-dns,external-dns/owner=mine"`},
				Labels: map[string]string{"ownedRecord": name}})
	}
	return map[string][]endpoint{"create": all}
}

// keysOf returns the names that have a fragment.
func (p *provider) keysOf(t *testing.T) (names []string) {
	t.Helper()
	err := p.Call(func(ctx context.Context, c *clientv3.Client) error {
		names = nil
		r, err := c.Get(ctx, "/mxsrv/external-dns/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
		if err == nil {
			for _, kv := range r.Kvs {
				names = append(names, strings.TrimPrefix(string(kv.Key), "/mxsrv/external-dns/"))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestWebhookKilled: a provider that is killed in the middle of a change leaves no name without the record that says
// whose it is, nor the other way, and the next loop completes it.
func TestWebhookKilled(t *testing.T) {
	p := startProvider(t)
	const names = 400
	changes := create(names)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	written := p.Client.Watch(ctx, "/mxsrv/external-dns/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-written
	ended := make(chan error, 1)
	go func() {
		status, _, err := p.ask("POST", "/records", changes)
		if err == nil {
			err = fmt.Errorf("status %d", status)
		}
		ended <- err
	}()
	<-written
	p.Kill()
	if err := <-ended; !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "reset") {
		t.Logf("it was too late to kill it: %v", err)
	}
	keys := p.keysOf(t)
	for i := range names {
		name := fmt.Sprintf("n%03d.example.org", i)
		if slices.Contains(keys, name) != slices.Contains(keys, "_owner-a."+name) {
			t.Errorf("%s is half there", name)
		}
	}
	p.run(t, "127.0.0.1:0")
	if status, body, err := p.ask("POST", "/records", changes); status != http.StatusNoContent {
		t.Fatal(status, body, err)
	}
	if got := len(p.keysOf(t)); got != 2*names {
		t.Errorf("%d keys, want %d", got, 2*names)
	}
	eventually(t, p.dns, "the last name is served", func() bool {
		return len(p.dns.ask(t, "udp", query(t, "n399.example.org A")).Answer) == 1
	})
}

// TestWebhookStopped: a change that runs when the provider is to end is made.
func TestWebhookStopped(t *testing.T) {
	p := startProvider(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	written := p.Client.Watch(ctx, "/mxsrv/external-dns/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-written
	ended := make(chan error, 1)
	go func() {
		status, body, err := p.ask("POST", "/records", create(400))
		if err == nil && status != http.StatusNoContent {
			err = fmt.Errorf("%d %s", status, body)
		}
		ended <- err
	}()
	<-written
	p.Signal(os.Interrupt)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if code, err := p.Wait(rig.Limit); code != 0 {
		t.Error(code, err)
	}
	if got := len(p.keysOf(t)); got != 800 {
		t.Errorf("%d keys, want 800", got)
	}
}

// TestDeployExternalDNS: the manifests start the tool with flags that it has.
func TestDeployExternalDNS(t *testing.T) {
	help, err := exec.Command(buildTool(t), "webhook", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for d := yaml.NewDecoder(strings.NewReader(read(t, "../docs/deploy/external-dns.yaml"))); ; {
		var m struct {
			Spec struct {
				Template struct {
					Spec struct {
						Containers []struct {
							Name, Image string
							Args        []string
						}
					}
				}
			}
		}
		if err := d.Decode(&m); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, c := range m.Spec.Template.Spec.Containers {
			if c.Name != "mxsrv" {
				continue
			}
			n++
			if c.Args[0] != "webhook" {
				t.Errorf("the command is %q", c.Args[0])
			}
			for _, arg := range c.Args[1:] {
				if flag, _, _ := strings.Cut(arg, "="); !strings.Contains(string(help), " "+flag+" ") {
					t.Errorf("mxsrv webhook has no %s", flag)
				}
			}
		}
	}
	if n != 1 {
		t.Errorf("%d containers of mxsrv, want 1", n)
	}
}

// loop runs a loop of ExternalDNS.
func (p *provider) loop(t *testing.T, program string, wished []endpoint) string {
	t.Helper()
	text, err := json.Marshal(wished)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, p.url)
	cmd.Stdin = strings.NewReader(string(text))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v: %s", err, out)
	}
	return string(out)
}

// dig returns what dig prints of a name and type, sorted.
func (p *provider) dig(t *testing.T, name, recordType string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(p.dns.addr)
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

// TestExternalDNS: with the client, the registry and the plan of ExternalDNS, creating, changing and deleting records
// of each type takes one loop, a second one changes nothing, and dig agrees. What cannot be served keeps nothing else.
func TestExternalDNS(t *testing.T) {
	if !*long {
		rig.Short(t, "-long")
		t.SkipNow()
	}
	rig.Peer(t, "dig")
	program := filepath.Join(t.TempDir(), "externaldns")
	for _, args := range [][]string{{"test", "."}, {"build", "-o", program, "."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Env = "externaldns", append(os.Environ(), "GOTOOLCHAIN=auto") // it needs a newer Go than this module
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatal(err, string(out))
		}
	}
	p := startProvider(t)
	types := []struct {
		name, recordType string
		set              string
		first, then      []string
		dig, digThen     string
	}{
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
	}
	var first, then []endpoint
	for _, c := range types {
		e := endpoint{DNSName: c.name, RecordType: c.recordType, Targets: c.first, SetIdentifier: c.set, Labels: map[string]string{"resource": "crd/default/x"}}
		first = append(first, e)
		e.Targets, e.RecordTTL = c.then, 60
		then = append(then, e)
	}
	impossible := []endpoint{
		{DNSName: "k8s.example.org", RecordType: "NS", Targets: []string{"ns.example.net"}},
		{DNSName: "old.example.org", RecordType: "DNAME", Targets: []string{"new.example.org"}},
		{DNSName: "bad.example.org", RecordType: "TXT", Targets: []string{"v=spf1 -all", "v=spf1 mx -all"}},
		{DNSName: "alias.example.org", RecordType: "MX", Targets: []string{"10 ftp.example.org"}},
	}
	n := len(types)
	for _, step := range []struct {
		name   string
		wished []endpoint
		want   string
		served func(i int) string
	}{
		{"created", slices.Concat(first, impossible), fmt.Sprintf("%d created, 0 updated, 0 deleted\n", n), func(i int) string { return types[i].dig }},
		{"created again", slices.Concat(impossible, first), "0 created, 0 updated, 0 deleted\n", func(i int) string { return types[i].dig }},
		{"changed", slices.Concat(then, impossible), fmt.Sprintf("0 created, %d updated, 0 deleted\n", n), func(i int) string { return types[i].digThen }},
		{"changed again", then, "0 created, 0 updated, 0 deleted\n", func(i int) string { return types[i].digThen }},
		{"deleted", []endpoint{}, fmt.Sprintf("0 created, 0 updated, %d deleted\n", n), func(int) string { return "" }},
		{"deleted again", []endpoint{}, "0 created, 0 updated, 0 deleted\n", func(int) string { return "" }},
	} {
		if got := p.loop(t, program, step.wished); got != step.want {
			t.Fatalf("%s: %swant %s%s", step.name, got, step.want, p.Process)
		}
		for i, c := range types {
			name := strings.Replace(c.name, "*", "some", 1)
			eventually(t, p.dns, fmt.Sprintf("%s, %s %s is %s", step.name, name, c.recordType, step.served(i)), func() bool {
				return p.dig(t, name, c.recordType) == step.served(i)
			})
		}
	}
	if left := p.keysOf(t); len(left) > 0 {
		t.Errorf("there is %v", left)
	}
	if !strings.Contains(p.String(), "not served: NS etcd:/mxsrv/external-dns/k8s.example.org") {
		t.Errorf("the log says\n%s", p.Process)
	}
	p.Members[0].Kill()
	if got := p.loop(t, program, first); !strings.Contains(got, "soft error: ") {
		t.Errorf("without etcd: %s", got)
	}
}
