package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"github.com/mxsrv/mxsrv/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Tests{M: m}.Run()) }

// A rigged provider is asked as ExternalDNS asks it.
type rigged struct {
	*Provider
	*rig.Cluster
	server *httptest.Server

	mu    sync.Mutex
	lines []string // of the log
}

// provider returns a provider of example.org in an etcd of its own.
func provider(t *testing.T, zones ...definition.Name) *rigged {
	t.Helper()
	c := rig.Etcd(t, 1)
	return providerAt(t, c, c.Members[0].Addr(), zones...)
}

// providerAt returns a provider with an etcd at an address.
func providerAt(t *testing.T, c *rig.Cluster, addr string, zones ...definition.Name) *rigged {
	t.Helper()
	if zones == nil {
		zones = []definition.Name{"example.org."}
	}
	s := &store.Store{Config: etcd.New(addr), Simulators: []*store.Simulator{store.NewSimulator(zones)}}
	s.Timeout = 2 * time.Second
	r := &rigged{Provider: New(s, "external-dns", nil), Cluster: c}
	r.Note = func(format string, args ...any) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lines = append(r.lines, fmt.Sprintf(format, args...))
	}
	r.server = httptest.NewServer(r.Handler())
	t.Cleanup(func() { r.server.Close(); r.Close() })
	return r
}

// log returns what was noted since it was asked last.
func (r *rigged) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := strings.Join(r.lines, "\n")
	r.lines = nil
	return text
}

// call makes a call, and returns its status and body.
func (r *rigged) call(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", MediaType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); response.StatusCode < 300 && got != MediaType {
		t.Errorf("%s %s has the content type %q", method, path, got)
	}
	return response.StatusCode, string(text)
}

// want makes a call that must succeed, and reads its body into a value, unless that is nil.
func (r *rigged) want(t *testing.T, method, path string, body, value any) {
	t.Helper()
	sent := encode(t, body)
	status, text := r.call(t, method, path, sent)
	if status >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, status, text)
	}
	if value != nil {
		if err := json.Unmarshal([]byte(text), value); err != nil {
			t.Fatal(err)
		}
	}
}

func encode(t *testing.T, value any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

func (r *rigged) records(t *testing.T) (all []Endpoint) {
	t.Helper()
	r.want(t, "GET", "/records", nil, &all)
	return all
}

func (r *rigged) adjust(t *testing.T, wished ...Endpoint) (adjusted []Endpoint) {
	t.Helper()
	r.want(t, "POST", "/adjustendpoints", wished, &adjusted)
	return adjusted
}

func (r *rigged) apply(t *testing.T, c Changes) {
	t.Helper()
	r.want(t, "POST", "/records", c, nil)
}

// keys returns all keys with their values.
func (r *rigged) keys(t *testing.T) map[string]string {
	t.Helper()
	keys := map[string]string{}
	err := r.Call(func(ctx context.Context, c *clientv3.Client) error {
		got, err := c.Get(ctx, "", clientv3.WithPrefix())
		if err == nil {
			for _, kv := range got.Kvs {
				keys[string(kv.Key)] = string(kv.Value)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// defined returns the definitions of the fragment of a name.
func (r *rigged) defined(t *testing.T, name string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(r.keys(t)["/mxsrv/external-dns/"+name]) {
		if !strings.HasPrefix(line, mark) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func endpoint(name, recordType string, targets ...string) Endpoint {
	return Endpoint{DNSName: name, RecordType: recordType, Targets: targets}
}

// owner returns the ownership record of an endpoint, as a registry of ExternalDNS writes it.
func owner(of Endpoint) Endpoint {
	e := endpoint(strings.ToLower("_owner-"+of.RecordType+"."+of.DNSName), "TXT",
		`"heritage=external-dns,external-dns/owner=mine,external-dns/resource=crd/default/x"`)
	e.SetIdentifier, e.Labels = of.SetIdentifier, map[string]string{ownedRecord: of.DNSName}
	return e
}
