package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
