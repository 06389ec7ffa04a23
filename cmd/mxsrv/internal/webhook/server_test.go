package webhook

import (
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestRequests: what is no request of ExternalDNS is refused before etcd is asked.
func TestRequests(t *testing.T) {
	r := providerAt(t, nil, "127.0.0.1:1")
	many := "[" + strings.Repeat("{},", mostEndpoints) + "{}]"
	for _, c := range []struct {
		name, method, path, media, body string
		status                          int
		want                            string
	}{
		{"another path", "GET", "/other", MediaType, "", 404, ""},
		{"another method", "DELETE", "/records", MediaType, "", 405, ""},
		{"no media type", "POST", "/records", "", "{}", 415, "send " + MediaType},
		{"that of a form", "POST", "/records", "text/plain", "{}", 415, "send " + MediaType},
		{"another version", "POST", "/adjustendpoints", strings.Replace(MediaType, "=1", "=2", 1), "[]", 415, "version=2"},
		{"no JSON", "POST", "/records", MediaType, "{", 400, "send JSON"},
		{"a bracket too many", "POST", "/records", MediaType, "{}]", 400, "more after the value"},
		{"two values", "POST", "/records", MediaType, "{} {}", 400, "more after the value"},
		{"not endpoints", "POST", "/adjustendpoints", MediaType, `{"a":1}`, 400, "send JSON"},
		{"many endpoints", "POST", "/adjustendpoints", MediaType, many, 413, "100001 endpoints: send at most 100000"},
		{"many changes", "POST", "/records", MediaType, `{"delete":` + many + `}`, 413, "at most 100000"},
		{"a large body", "POST", "/records", MediaType, strings.Repeat(" ", mostBody) + "{}", 413, "too large"},
	} {
		w := httptest.NewRecorder()
		request := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		request.Header.Set("Content-Type", c.media)
		r.Handler().ServeHTTP(w, request)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	if _, text := get(r.Status(), "/metrics"); !strings.Contains(text, `mxsrv_webhook_requests_total{method="POST",path="/records",status="415"} 2`) {
		t.Errorf("metrics are\n%s", text)
	}
	if s := NewServer(nil); s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= s.ReadTimeout || s.IdleTimeout <= 0 {
		t.Errorf("deadlines are %+v", s)
	}
}

// FuzzEndpoint: what is accepted comes back to the letter, reads without a mistake, and declares its name and no other.
func FuzzEndpoint(f *testing.F) {
	for _, c := range [][3]string{
		{"www.example.org", "A", "192.0.2.1"}, {"example.org", "MX", "0 ."}, {"example.org", "MX", "10 mx"},
		{"_x._tcp.example.org", "SRV", "0 0 1 a."}, {"x", "TXT", "\"a\" \"b\n\""}, {"x", "TXT", "}\nhost evil 192.0.2.1"},
		{"x", "CAA", `0 issue "a;b"`}, {"x", "HINFO", `"a" b`}, {"x", "CNAME", "@"}, {"x", "PTR", "a"}, {"x", "TYPE65280", `\# 1 00`},
		{"x", "NS", "a b"}, {"x", "y.", "TXT z"}, {"x", "SVCB", "1 . alpn=h2"}, {"x", "TXT", ";"}, {"x", "TXT", "{$HOME}"}, {"X.", "CAA", `0 issue ";"`},
	} {
		f.Add(c[0], c[1], c[2], int64(300))
	}
	f.Fuzz(func(t *testing.T, dnsName, recordType, target string, ttl int64) {
		e := Endpoint{DNSName: dnsName, RecordType: recordType, Targets: []string{target}, RecordTTL: ttl}
		name, err := e.name()
		if err != nil || !utf8.ValidString(dnsName+recordType+target) { // other strings are not in JSON
			return
		}
		written, findings := compose(name, []Endpoint{e})
		if findings != nil {
			return
		}
		if again, ok := parse(written); !ok || len(again) != 1 || encode(t, again[0]) != encode(t, e.stored()) {
			t.Fatalf("%q: %q", encode(t, e), written)
		}
		set, errs := definition.Read("x", written, definition.Zones{"."})
		if len(errs) > 0 {
			t.Fatalf("%v\n%s", errs, written)
		}
		for owner := range set.EachOwner {
			if owner != name {
				t.Fatalf("declares %s\n%s", owner, written)
			}
		}
		if len(set.Owners()) != 1 {
			t.Fatalf("declares nothing\n%s", written)
		}
	})
}
