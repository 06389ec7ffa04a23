package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/delivery"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// maxPublished is how many octets a policy may have (RFC 8461 §3.3).
const maxPublished = 64 << 10

// The port of the web servers with policies, and how long they may take. Tests have others.
var (
	httpsPort     = "443"
	publishedTime = 10 * time.Second
)

// publishedChecks check the MTA-STS policies that web servers have.
func publishedChecks(s *served, from *server) []check {
	return convert(policiesOf(s.index), func(p domainPolicy) check {
		return func() []lint.Finding { return p.checkPublished(from) }
	})
}

// checkPublished compares the policy that senders get with the file, or else with the exchanges.
func (p domainPolicy) checkPublished(from *server) []lint.Finding {
	host := strings.TrimSuffix(string(p.webServer()), ".")
	address := "https://" + host + "/" + policyPath
	wrong := func(err error) []lint.Finding {
		return finding("mta-sts-published", p.pos, []definition.Name{p.Name()}, "policy of %s: %s: %v", p.Name(), address, err)
	}
	text, err := fetch(address, delivery.Lookup(from.lookup).Host(string(p.webServer())))
	if err != nil {
		return wrong(err)
	}
	published, err := definition.ParsePolicy(text)
	if err != nil {
		return wrong(err)
	}
	if p.present != nil {
		missing, more := differing(linesOf(p.present), linesOf(published))
		if len(missing)+len(more) > 0 {
			return wrong(fmt.Errorf("the web server %s: bring it the file, or correct that", difference(missing, more)))
		}
		return nil
	}
	for _, x := range p.Exchanges() {
		if published.Mode == definition.Enforce && !published.Covers(x.Host) {
			return wrong(fmt.Errorf("it is enforced, and exchange %s is in none of its mx lines: render it anew", x.Host))
		}
	}
	return nil
}

// linesOf returns what a policy says.
func linesOf(p *definition.Policy) []string {
	return strings.Split(strings.TrimSpace(p.Text()), "\r\n")
}

// fetch returns what a web server has at an address, as senders of mail ask for it (RFC 8461 §3.3).
func fetch(address string, host delivery.Host) (string, error) {
	if len(host.Addrs) == 0 {
		return "", errors.New(hostState(host) + ": declare where the web server is, as mta-sts FILE HOST")
	}
	client := http.Client{
		Timeout:       publishedTime,
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: dialer(host)},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Get(address)
	if err != nil {
		return "", fmt.Errorf("%v: serve the policy there, with a certificate for %s", fetchError(err), host.Name)
	}
	defer response.Body.Close()
	if err := wrongResponse(response); err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxPublished+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("%v: serve the whole policy", fetchError(err))
	case len(text) > maxPublished:
		return "", fmt.Errorf("more than %d octets: serve the policy alone", maxPublished)
	}
	return string(text), nil
}

// dialer connects to the first address of a host that takes connections.
func dialer(host delivery.Host) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (c net.Conn, err error) {
		for _, addr := range host.Addrs {
			d := net.Dialer{Timeout: timeout}
			if c, err = d.DialContext(ctx, network, net.JoinHostPort(addr.String(), httpsPort)); err == nil {
				return c, nil
			}
		}
		return nil, err
	}
}

// wrongResponse returns why senders take no policy from a response, or nil.
func wrongResponse(r *http.Response) error {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.StatusCode/100 == 3:
		return fmt.Errorf("status %d: senders follow no redirects: serve the policy there itself", r.StatusCode)
	case r.StatusCode != http.StatusOK:
		return fmt.Errorf("status %d: serve the policy there", r.StatusCode)
	case mediaType != "text/plain":
		return fmt.Errorf("media type %q: serve it as text/plain", mediaType)
	}
	return nil
}

// fetchError returns an error without the address, which is said already.
func fetchError(err error) error {
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return fmt.Errorf("no answer in %v", publishedTime)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return cause(err)
}
