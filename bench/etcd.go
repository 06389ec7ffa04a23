package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
)

// The plugin etcd has its records as SkyDNS does: one key for each, the labels
// of its owner in reverse, and below that a label of its own.

const keysFile = "keys" // a line for each key: the key, then its value

func etcdCommand(s site) []string {
	client, other := fmt.Sprintf("http://127.0.0.1:%d", s.port+1), fmt.Sprintf("http://127.0.0.1:%d", s.port+2)
	return []string{"etcd", "--data-dir", s.path("etcd"), "--log-level", "error", "--unsafe-no-fsync",
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", other, "--initial-advertise-peer-urls", other, "--initial-cluster", "default=" + other}
}

// keys writes the records as lines of key and value.
func (r records) keys(w io.Writer) {
	entry := func(owner string, n int, value map[string]any) {
		labels := strings.Split(strings.TrimSuffix(absolute(owner), "."), ".")
		slices.Reverse(labels)
		value["ttl"] = ttl
		text, _ := json.Marshal(value)
		fmt.Fprintf(w, "/skydns/%s/x%d %s\n", strings.Join(labels, "/"), n, text)
	}
	bare := func(name string) string { return strings.TrimSuffix(absolute(name), ".") }
	for _, h := range r.hosts {
		for i, a := range h.addresses {
			entry(h.name, i, map[string]any{"host": a})
		}
	}
	for _, m := range r.mails {
		for _, d := range m.domains {
			for i, x := range m.exchanges {
				entry(d, i, map[string]any{"host": bare(x.host), "mail": true, "priority": x.preference})
			}
		}
	}
	for _, s := range r.services {
		for _, n := range s.names {
			for i, t := range s.targets {
				entry(n, i, map[string]any{"host": bare(t.host), "priority": t.priority, "weight": t.weight, "port": t.port})
			}
		}
	}
}

// feed puts the keys into etcd, through its gateway for JSON.
func feed(s site) error {
	text, err := os.ReadFile(s.path(keysFile))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		body := fmt.Sprintf(`{"key": %q, "value": %q}`, encoded(key), encoded(value))
		res, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d/v3/kv/put", s.port+1), "application/json", strings.NewReader(body))
		if err != nil {
			return err
		}
		said, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return fmt.Errorf("etcd: %s: %s", res.Status, said)
		}
	}
	return nil
}

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
