package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// MediaType is that of all bodies: version 1 of the protocol.
const MediaType = "application/external.dns.webhook+json;version=1"

const (
	mostBody      = 64 << 20 // octets
	mostEndpoints = 100_000  // in a request
	longest       = 30 * time.Second
)

// A call returns the value of the response, or nil if that is empty.
type call func(r *http.Request) (any, error)

// Handler returns the calls of the webhook protocol.
func (p *Provider) Handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, c := range map[string]call{
		"GET /{$}":              func(*http.Request) (any, error) { return p.filter(), nil },
		"GET /records":          func(r *http.Request) (any, error) { return p.Records(r.Context()) },
		"POST /records":         p.apply,
		"POST /adjustendpoints": p.adjust,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, c) })
	}
	return mux
}

// Status returns the health and the metrics, which may be seen from afar.
func (p *Provider) Status() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "OK") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := p.Ready(r.Context()); err != nil {
			http.Error(w, "etcd does not answer", http.StatusServiceUnavailable) // the log has the rest
			return
		}
		io.WriteString(w, "OK")
	})
	return mux
}

// NewServer returns a server with deadlines.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: longest, WriteTimeout: 2 * longest,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}
}

// filter is the domain filter of the negotiation.
func (p *Provider) filter() any {
	f := struct {
		Include []string `json:"include,omitempty"`
	}{}
	for _, d := range p.Domains {
		if d == "." {
			f.Include = nil
			break
		}
		f.Include = append(f.Include, strings.TrimSuffix(string(d), "."))
	}
	return f
}

func (p *Provider) apply(r *http.Request) (any, error) {
	var changes Changes
	if err := decode(r, &changes); err != nil {
		return nil, err
	}
	n := len(changes.Create) + len(changes.UpdateOld) + len(changes.UpdateNew) + len(changes.Delete)
	if n > mostEndpoints {
		return nil, tooMany(n)
	}
	return nil, p.Apply(r.Context(), changes)
}

func (p *Provider) adjust(r *http.Request) (any, error) {
	var endpoints []Endpoint
	if err := decode(r, &endpoints); err != nil {
		return nil, err
	}
	if len(endpoints) > mostEndpoints {
		return nil, tooMany(len(endpoints))
	}
	return p.Adjust(r.Context(), endpoints)
}

// A badRequest is the status of a request that is wrong whatever is in etcd.
type badRequest struct {
	error
	status int
}

func tooMany(n int) error {
	return badRequest{fmt.Errorf("%d endpoints: send at most %d", n, mostEndpoints), http.StatusRequestEntityTooLarge}
}

// decode reads the body of a request. That it must have the media type keeps pages in a browser on this machine out,
// which cannot send that without asking first.
func decode(r *http.Request, value any) error {
	want, params, _ := mime.ParseMediaType(MediaType)
	got, sent, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || got != want || sent["version"] != params["version"] {
		err = fmt.Errorf("content type %q: send %s", r.Header.Get("Content-Type"), MediaType)
		return badRequest{err, http.StatusUnsupportedMediaType}
	}
	d := json.NewDecoder(r.Body)
	err = d.Decode(value)
	if err == nil {
		if _, after := d.Token(); after != io.EOF {
			err = errors.New("there is more after the value")
		}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return badRequest{err, http.StatusRequestEntityTooLarge}
	}
	if err != nil {
		return badRequest{fmt.Errorf("body: %v: send JSON", err), http.StatusBadRequest}
	}
	return nil
}

// serve makes a call and writes its response.
func (p *Provider) serve(w http.ResponseWriter, r *http.Request, c call) {
	ctx, cancel := context.WithTimeout(r.Context(), longest)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	value, err := c(r.WithContext(ctx))
	status := statusOf(value, err)
	p.metrics.requests.WithLabelValues(r.Method, r.URL.Path, strconv.Itoa(status)).Inc()
	if err != nil {
		p.Note("%s %s: %d: %s", r.Method, r.URL.Path, status, strings.ReplaceAll(err.Error(), "\n", "; "))
		http.Error(w, err.Error(), status)
		return
	}
	w.Header().Set("Content-Type", MediaType)
	w.WriteHeader(status)
	if value != nil {
		json.NewEncoder(w).Encode(value) // who does not read it asks again
	}
}

// statusOf returns the status of a call. ExternalDNS ends after a status below 500, and tries again in its next loop
// after others.
func statusOf(value any, err error) int {
	var bad badRequest
	var refusal Refusal
	switch {
	case err == nil && value == nil:
		return http.StatusNoContent
	case err == nil:
		return http.StatusOK
	case errors.As(err, &bad):
		return bad.status
	case errors.As(err, &refusal):
		return http.StatusUnprocessableEntity
	}
	return http.StatusServiceUnavailable
}
