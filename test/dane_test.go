package test

import (
	"crypto/tls"
	"fmt"
	"net/smtp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// daneCorefile is a signed zone, and one that is not. There wrong is mx1 by another name, with a key that mx1 does not
// have.
const daneCorefile = `example.com:1053 {
    bind 127.0.0.1
    dnssec {
        key file KEY
    }
    mxsrv {
        reload 100ms
        authoritative {
            ns ns
        }
        host ns 127.0.10.53
        host mx1 127.0.10.1 {
            ttl TTL
            tlsa 25 current.pem next.pem
        }
        host wrong 127.0.10.1 {
            tlsa 25 foreign.pem
        }
        host plain 127.0.10.1
        mail @ 10 mx1
        mail foreign 10 wrong
        mail second {
            10 wrong
            20 mx1
        }
        mail plain 10 plain
    }
}
example.net:1053 {
    bind 127.0.0.1
    mxsrv {
        authoritative {
            ns ns
        }
        host ns 127.0.10.53
        host mx 127.0.20.1 {
            tlsa 25 foreign.pem
        }
        mail @ 10 mx
    }
}
`

// daneSize is how much TestDANE does.
type daneSize struct {
	ttl       int // of TLSA records, in seconds; Postfix keeps an answer for one second more
	rollovers int // in the right order
}

// A daneRig is a sender that goes by TLSA records, which a validating resolver finds in our server, and a receiver.
type daneRig struct {
	dns, resolver    *server
	sender, receiver *mta
	used             *certificate // the receiver has this one
	chain            string       // the file with it
	sent             int          // mails to the receiver
	last             time.Time    // when the last one was sent
	size             daneSize
}

func startDANE(t *testing.T, size daneSize) *daneRig {
	t.Helper()
	ownResolver(t)
	for _, addr := range []string{"127.0.20.25", "127.0.10.1", "127.0.20.1"} {
		command(t, "ip", "addr", "add", addr+"/32", "dev", "lo")
	}
	r, dir := &daneRig{used: newCertificate(t, mx1), size: size}, t.TempDir()
	key := writeKey(t, dir, "example.com.")
	for name, c := range map[string]*certificate{"current": r.used, "next": r.used, "foreign": newCertificate(t, mx1)} {
		write(t, filepath.Join(dir, name+".pem"), c.pem)
	}
	r.dns = start(t, dir, strings.NewReplacer("KEY", key, "TTL", fmt.Sprint(size.ttl)).Replace(daneCorefile))
	stub := strings.Replace(r.dns.addr, ":", "@", 1)
	r.resolver = startUnbound(t, rig.Peer(t, "unbound"), r.dns.addr, "interface: 127.0.0.1@53",
		fmt.Sprintf("trust-anchor-file: %q", filepath.Join(dir, key+".key")),
		"stub-zone:", "    name: example.net.", "    stub-addr: "+stub)
	r.sender = startPostfix(t, outside, "smtp_tls_loglevel = 1", "smtp_tls_security_level = dane",
		"smtp_dns_support_level = dnssec")
	r.receiver, r.chain = startReceiver(t, mx1, r.used, "inet_interfaces = 127.0.10.1, 127.0.20.1")
	return r
}

// startReceiver runs a Postfix that takes and drops all mail, by TLS with a certificate, which is in a file.
func startReceiver(t *testing.T, host string, c *certificate, more ...string) (m *mta, chain string) {
	t.Helper()
	chain = filepath.Join(t.TempDir(), "chain.pem")
	write(t, chain, c.private+c.pem)
	return startPostfix(t, host, append(more, "transport_maps = static:discard:", "smtpd_tls_security_level = may",
		"smtpd_tls_chain_files = "+chain)...), chain
}

// TestDANE: a real Postfix with smtp_tls_security_level = dane delivers to whose key our TLSA records name, and keeps
// mail for others. No mail waits while a key is changed in the right order.
func TestDANE(t *testing.T) {
	size := orLong(t, daneSize{ttl: 1, rollovers: 1}, daneSize{ttl: 5, rollovers: 3})
	if os.Getenv(toolVar) == "" {
		inNamespaces(t, "postfix", "unbound")
		return
	}
	r := startDANE(t, size)
	if !t.Run("delivery", r.testDelivery) {
		return
	}
	for _, o := range append(slices.Repeat(rollovers[:1], size.rollovers), rollovers[1:]...) {
		if !t.Run(o.about, func(t *testing.T) { r.testRollover(t, o) }) {
			break
		}
	}
}

func (r *daneRig) testDelivery(t *testing.T) {
	for _, tc := range []struct{ about, to, status, logged string }{
		{"the right key", "user@example.com", "sent", verified + mx1},
		{"a foreign key", "user@foreign.example.com", "deferred", noTLSA},
		{"a foreign key, and an exchange with the right one", "user@second.example.com", "sent", verified + mx1},
		{"no TLSA record", "user@plain.example.com", "sent", untrusted + "plain.example.com"},
		{"a foreign key in a zone that is not signed", "user@example.net", "sent", untrusted + "mx.example.net"},
	} {
		t.Run(tc.about, func(t *testing.T) {
			before := len(r.sender.String())
			r.sender.send(t, tc.to)
			got := r.sender.end(t, tc.to)
			if log := r.sender.String()[before:]; got != tc.status || !strings.Contains(log, tc.logged) {
				t.Errorf("%s, want %s, and %s in\n%s", got, tc.status, tc.logged, log)
			}
		})
	}
}

// noTLSA is why Postfix does not trust a key.
const noTLSA = "no matching DANE TLSA records"

// A rollover is a way to change the receiver's key, of which the order of the steps decides whether mail waits.
type rollover struct {
	about string
	steps []string // "list NAME...", "use NAME"
	waits bool
}

var rollovers = []rollover{
	{"the right order", []string{"list old next", "use next", "list next"}, false},
	{"the next key is used before it is listed", []string{"use next"}, true},
	{"the old key is removed before the next one is used", []string{"list next"}, true},
}

// testRollover changes the receiver's key while mail flows. No mail is lost: what waits is delivered once the key that
// the receiver uses is listed.
func (r *daneRig) testRollover(t *testing.T, o rollover) {
	begin := len(r.sender.String())
	log := func() string { return r.sender.String()[begin:] }
	keys := map[string]*certificate{"old": r.used, "next": newCertificate(t, mx1)}
	for _, step := range o.steps {
		r.step(t, keys, step)
	}
	enough := r.delivered() + 20
	r.flow(t, "mail is delivered, or waits", func() bool {
		return r.delivered() > enough || strings.Contains(log(), "status=deferred")
	})
	rig.Eventually(t, "no mail is under way", r.idle)
	waits := strings.Contains(log(), "status=deferred")
	if waits != o.waits || waits && !strings.Contains(log(), noTLSA) || strings.Contains(log(), "status=bounced") {
		t.Errorf("mail waits: %v, want %v, because of \"%s\"\n%s", waits, o.waits, noTLSA, log())
	}
	t.Logf("%d of %d mails delivered", r.delivered(), r.sent)
	if waits {
		r.list(t, r.used)
		rig.Eventually(t, "no mail is under way", r.idle)
		command(t, "postqueue", "-c", r.sender.conf, "-f")
	}
	rig.Eventually(t, "all mail is delivered", func() bool { return r.delivered() == r.sent })
}

// step does what it says, "list NAME..." or "use NAME", with keys of these names.
func (r *daneRig) step(t *testing.T, keys map[string]*certificate, step string) {
	t.Helper()
	verb, names, _ := strings.Cut(step, " ")
	var named []*certificate
	for _, name := range strings.Fields(names) {
		named = append(named, keys[name])
	}
	if verb == "list" {
		r.list(t, named...)
	} else {
		r.use(t, named[0])
	}
}

// list makes one or two keys the TLSA records, and returns when nobody has others any more: two TTLs later
// (RFC 7671 §8.1).
func (r *daneRig) list(t *testing.T, keys ...*certificate) {
	t.Helper()
	var want []string
	for i, name := range []string{"current.pem", "next.pem"} {
		c := keys[min(i, len(keys)-1)]
		write(t, filepath.Join(r.dns.Dir, name), c.pem)
		want = append(want, c.digest)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	r.flow(t, "the resolver has the TLSA records", func() bool { return slices.Equal(r.listed(t), want) })
	expired := time.Now().Add(time.Duration(2*r.size.ttl+1) * time.Second)
	r.flow(t, "others have expired", func() bool { return time.Now().After(expired) })
	before := r.sent
	r.flow(t, "mail from before has ended", func() bool { return r.ended(before) })
}

// listed returns the keys that the resolver knows, sorted, if it has validated them.
func (r *daneRig) listed(t *testing.T) (digests []string) {
	t.Helper()
	m := query(t, "_25._tcp.mx1.example.com TLSA")
	m.SetEdns0(1232, true)
	res := r.resolver.ask(t, "udp", m)
	for _, rr := range res.Answer {
		if tlsa, ok := rr.(*dns.TLSA); ok && res.AuthenticatedData {
			digests = append(digests, tlsa.Certificate)
		}
	}
	slices.Sort(digests)
	return digests
}

// use has the receiver use a key, and returns when it does.
func (r *daneRig) use(t *testing.T, c *certificate) {
	t.Helper()
	next := r.chain + ".next"
	write(t, next, c.private+c.pem)
	if err := os.Rename(next, r.chain); err != nil {
		t.Fatal(err)
	}
	command(t, "postfix", "-c", r.receiver.conf, "reload")
	r.used = c
	r.flow(t, "the receiver uses the key", func() bool { return presented(t, r.receiver.addr) == c.digest })
}

// presented returns the digest of the key that a mail server uses, or nothing if it cannot be asked.
func presented(t *testing.T, addr string) string {
	t.Helper()
	c, err := smtp.Dial(addr)
	if err != nil {
		return ""
	}
	defer c.Close()
	if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil {
		return ""
	}
	state, _ := c.TLSConnectionState()
	return keyDigest(state.PeerCertificates[0])
}

// flow has mail under way all the time until something is so.
func (r *daneRig) flow(t *testing.T, what string, so func() bool) {
	t.Helper()
	rig.Eventually(t, what, func() bool {
		if time.Since(r.last) > 20*time.Millisecond {
			r.sender.send(t, fmt.Sprintf("flow%d@example.com", r.sent))
			r.sent++
			r.last = time.Now()
		}
		return so()
	})
}

var endLine = regexp.MustCompile(`to=<flow(\d+)@.* status=`)

// ended reports whether the sender has tried to deliver the first mails, as many as n.
func (r *daneRig) ended(n int) bool {
	tried := map[int]bool{}
	for _, m := range endLine.FindAllStringSubmatch(r.sender.String(), -1) {
		if number, _ := strconv.Atoi(m[1]); number < n {
			tried[number] = true
		}
	}
	return len(tried) == n
}

// idle reports whether no mail is under way.
func (r *daneRig) idle() bool { return r.ended(r.sent) }

// delivered returns how many mails the receiver has.
func (r *daneRig) delivered() int { return strings.Count(r.receiver.String(), "to=<flow") }
