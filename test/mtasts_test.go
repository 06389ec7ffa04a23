package test

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/test/rig"
)

// An stsStep is a state of a mail domain and its policy, and what becomes of mail then. Senders know the states before.
type stsStep struct {
	about, domain, exchange string
	policy                  string // that our server knows
	older                   string // that the web server still has, if it is another one
	status, logged          string
}

const (
	notVerified = "(Server certificate not verified)"
	away, named = "mx.example.net", "mx3.example.com"
)

var stsSteps = []stsStep{
	{"enforce any host of a domain", "any.example.com", mx1, enforce("*.example.com"), "", "sent", verified + mx1},
	{"a certificate of another host", "named.example.com", named, enforce(named), "", "deferred", notVerified},
	{"the same without a policy", "plain.example.com", named, "", "", "sent", trusted + named},
	{"an exchange that is not in a policy for tests", "trial.example.com", away,
		policyText("testing", away), policyText("testing", mx1), "sent", trusted + away},

	{"enforce", "example.com", mx1, enforce(mx1), "", "sent", verified + mx1},
	{"the next exchange comes to the policy", "example.com", mx1, enforce(mx1, mx2), "", "sent", verified + mx1},
	{"mail goes to it", "example.com", mx2, enforce(mx1, mx2), "", "sent", verified + mx2},
	{"the old exchange leaves the policy", "example.com", mx2, enforce(mx2), "", "sent", verified + mx2},
	{"mail goes elsewhere before the web server's policy lets it", "example.com", away,
		enforce(away), enforce(mx2), "deferred", notVerified},
	{"the web server is late: the id has the old policy", "example.com", away, enforce(away), "", "deferred", notVerified},
	{"another id", "example.com", away, enforce(away, mx2), "", "sent", verified + away},
}

func enforce(hosts ...string) string { return policyText("enforce", hosts...) }

func policyText(mode string, hosts ...string) string {
	return "version: STSv1\r\nmode: " + mode + "\r\nmx: " + strings.Join(hosts, "\r\nmx: ") + "\r\nmax_age: 604800\r\n"
}

// stsCorefile is the DNS of the test; its definitions are in mail.conf.
const stsCorefile = `example.com {
    bind 127.0.0.1
    mxsrv {
        reload 100ms
        file mail.conf
    }
}
example.net {
    bind 127.0.0.1
    mxsrv {
        host mx 127.0.20.1
        host outside 127.0.20.25
    }
}
`

// stsHosts are those of example.com: the receivers, of which mx3 has another's certificate, and the web server.
const stsHosts = `host mx1 127.0.10.1
host mx2 127.0.10.2
host mx3 127.0.20.1
host web1 127.0.10.80
`

// id returns what tells this policy from others.
func (s stsStep) id() string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s.policy)))[:20] }

// TestMTASTS: a real Postfix with postfix-mta-sts-resolver delivers to the exchanges of the policy that an nginx has. It
// is fetched once for each id that our server answers.
func TestMTASTS(t *testing.T) {
	if os.Getenv(toolVar) == "" {
		inNamespaces(t, "postfix", "nginx", "mta-sts-daemon")
		return
	}
	r := startSTS(t)
	ids := map[string]bool{}
	for _, step := range stsSteps {
		if !t.Run(step.about, func(t *testing.T) { r.test(t, step, ids) }) {
			break // senders know what was before
		}
	}
}

// test takes a step; ids are those of the steps before.
func (r *stsRig) test(t *testing.T, step stsStep, ids map[string]bool) {
	r.declare(t, step, r.publish(t, step))
	r.deliver(t, step)
	if step.policy != "" {
		ids[step.domain+step.id()] = true
	}
	rig.Eventually(t, "the policy is fetched once for each id", func() bool {
		return strings.Count(r.web.String(), "GET /") == len(ids)
	})
}

// An stsRig is a sender that goes by policies, and a web server that has them.
type stsRig struct {
	dns      *server
	web      *rig.Process
	policies string // directory of the files of the web server, DOMAIN.txt
	sender   *mta
}

func startSTS(t *testing.T) *stsRig {
	t.Helper()
	ownResolver(t)
	for _, addr := range []string{"127.0.20.25", "127.0.10.1", "127.0.10.2", "127.0.20.1"} {
		command(t, "ip", "addr", "add", addr+"/32", "dev", "lo")
	}
	var webs []string
	for _, step := range stsSteps {
		webs = append(webs, "mta-sts."+step.domain)
	}
	r, dir, ca := &stsRig{policies: publicDir(t)}, t.TempDir(), newCertificate(t)
	write(t, filepath.Join(dir, "mail.conf"), stsHosts)
	r.dns = start(t, dir, stsCorefile)
	r.web = startNginx(t, r.policies, ca.issue(t, webs...))
	authority := filepath.Join(publicDir(t), "ca.pem")
	write(t, authority, ca.pem)
	startSTSResolver(t, authority)
	startReceiver(t, mx1, ca.issue(t, mx1, mx2), "inet_interfaces = 127.0.10.1, 127.0.10.2")
	startReceiver(t, away, ca.issue(t, away))
	r.sender = startPostfix(t, outside, "smtp_tls_loglevel = 1", "smtp_tls_security_level = may",
		"smtp_tls_CAfile = "+authority, "smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:postfix",
		"default_destination_concurrency_failed_cohort_limit = 0") // it tries each mail
	return r
}

// publicDir returns a directory that every user can read.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	command(t, "chmod", "a+rX", dir, filepath.Dir(dir))
	return dir
}

// publish gives the web server its policy, and returns the path of the one that our server is to read: the same file,
// unless the web server is late.
func (r *stsRig) publish(t *testing.T, step stsStep) (path string) {
	t.Helper()
	path = filepath.Join(r.policies, step.domain+".txt")
	write(t, path, cmp.Or(step.older, step.policy))
	command(t, "chmod", "a+r", path)
	if step.older != "" {
		path = filepath.Join(r.dns.Dir, "newer.txt")
		write(t, path, step.policy)
	}
	return path
}

// declare gives our server the definitions of a step, and waits until it has read them.
func (r *stsRig) declare(t *testing.T, step stsStep, policy string) {
	t.Helper()
	text := stsHosts + fmt.Sprintf("mail %s. {\n 10 %s.\n", step.domain, step.exchange)
	if step.policy != "" {
		text += fmt.Sprintf("mta-sts %s web1\n", policy)
	}
	write(t, filepath.Join(r.dns.Dir, "mail.conf"), text+"}\n")
	s := &server{r.dns.Process, "127.0.0.1:53", nil}
	want := []string{step.exchange + "."}
	if step.policy != "" {
		want = append(want, "id="+step.id())
	}
	eventually(t, s, strings.Join(want, " "), func() bool {
		got := format(s.ask(t, "udp", query(t, step.domain+" MX")))
		got += format(s.ask(t, "udp", query(t, "_mta-sts."+step.domain+" TXT")))
		return !slices.ContainsFunc(want, func(text string) bool { return !strings.Contains(got, text) })
	})
}

// nginxConf is a web server for the policies of all domains.
const nginxConf = `daemon off;
pid nginx.pid;
error_log stderr notice;
events {}
http {
    access_log /dev/stdout;
    server {
        listen 127.0.10.80:443 ssl;
        server_name ~^mta-sts\.(?<domain>.+)$;
        ssl_certificate web.pem;
        ssl_certificate_key web.pem;
        location = /.well-known/mta-sts.txt {
            default_type text/plain;
            alias POLICIES/$domain.txt;
        }
    }
}
`

func startNginx(t *testing.T, policies string, c *certificate) *rig.Process {
	t.Helper()
	dir := publicDir(t)
	write(t, filepath.Join(dir, "nginx.conf"), strings.Replace(nginxConf, "POLICIES", policies, 1))
	write(t, filepath.Join(dir, "web.pem"), c.private+c.pem)
	nginx := exec.Command("nginx", "-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf"))
	return runProcess(t, nginx, "start worker process ")
}

// startSTSResolver starts the daemon that Postfix asks for policies. It looks at the id each time it is asked.
func startSTSResolver(t *testing.T, authority string) {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "mta-sts-daemon.yml")
	write(t, conf, "cache_grace: 0\ncache:\n  type: internal\n  options:\n    cache_size: 100\n")
	cmd := exec.Command("mta-sts-daemon", "-c", conf)
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+authority)
	runProcess(t, cmd, "Server started.")
}

// deliver sends a mail to the domain of a step.
func (r *stsRig) deliver(t *testing.T, step stsStep) {
	t.Helper()
	before := len(r.sender.String())
	to := fmt.Sprintf("user%d@%s", before, step.domain)
	r.sender.send(t, to)
	got := r.sender.end(t, to)
	if log := r.sender.String()[before:]; got != step.status || !strings.Contains(log, step.logged) {
		t.Fatalf("%s, want %s, and %s in\n%s", got, step.status, step.logged, log)
	}
}
