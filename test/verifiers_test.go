package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/test/rig"
)

// nodejs is the Node.js that "npm ci" in verifiers brings: the libraries need a newer one than Debian has.
const nodejs = "verifiers/node_modules/.bin/node"

// TestVerifiers: programs and libraries that judge mail, keys and mail domains, none of them ours, find that what our
// server says of a domain holds, and see each thing that does not.
func TestVerifiers(t *testing.T) {
	if os.Getenv(toolVar) == "" {
		for _, program := range []string{nodejs, "opendkim-testkey", "spfquery", "danetool", "ldns-dane", "sieve-connect",
			"unbound"} {
			if _, err := rig.Installed(program); err != nil {
				t.Error(err)
			}
		}
		inNamespaces(t, "dnssec-keygen", "opendkim-genkey")
		return
	}
	ownResolver(t)
	d := newMailDomain(t)
	t.Run("senders", d.senders)
	t.Run("signatures", d.signatures)
	t.Run("keys", d.keys)
	t.Run("MTA-STS", d.policies)
	t.Run("discovery", d.discovery)
	t.Run("DANE", d.dane)
}

// A verdict is what a verifier says: its exit code, and what is to be in what it prints.
type verdict struct {
	about, program string // program: see mailDomain.command
	args           []string
	mail           string // on standard input
	code           int
	want           string // a regular expression
}

func words(text string) []string { return strings.Fields(text) }

// check runs verifiers and compares what they say.
func (d *mailDomain) check(t *testing.T, verdicts []verdict) {
	for _, v := range verdicts {
		t.Run(v.program+", "+v.about, func(t *testing.T) {
			out, code := d.run(t, v)
			if code != v.code || !regexp.MustCompile(v.want).MatchString(out) {
				t.Errorf("%s %q: exit code %d, want %d and %q\n%s", v.program, v.args, code, v.code, v.want, out)
			}
			t.Logf("%s: %s", v.program, strings.TrimSpace(out))
		})
	}
}

// run runs a verifier and returns what it prints and its exit code.
func (d *mailDomain) run(t *testing.T, v verdict) (out string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	path, args := d.command(t, v.program, v.args)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+d.path("trusted.pem"))
	cmd.Stdin = strings.NewReader(v.mail)
	p, err := rig.Start(cmd)
	if err == nil {
		code, err = p.Wait(rig.Limit)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p.String(), code
}

// command returns the path and the arguments of a verifier: a function of node.mjs, one of the Go program, or a program
// of the machine.
func (d *mailDomain) command(t *testing.T, program string, args []string) (string, []string) {
	t.Helper()
	kind, name, ok := strings.Cut(program, " ")
	switch {
	case !ok:
		return rig.Peer(t, program), args
	case kind == "node":
		return rig.Peer(t, nodejs), append([]string{"verifiers/node.mjs", name}, args...)
	default:
		return d.goVerifiers(t), append([]string{name}, args...)
	}
}

// goVerifiers builds the Go program, once, of modules that are there.
func (d *mailDomain) goVerifiers(t *testing.T) string {
	t.Helper()
	if d.verifier != "" {
		return d.verifier
	}
	path := d.path("verifiers")
	build := exec.Command("go", "build", "-C", "verifiers", "-o", path, ".")
	build.Env = append(os.Environ(), "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil && os.Getenv("MXSRV_REQUIRE_PEERS") != "" {
		t.Fatalf("%v\n%s", err, out)
	} else if err != nil {
		rig.Skip(t, "test/verifiers does not build, which needs what go mod download brings there")
	}
	d.verifier = path
	return path
}

const letter = "From: user@example.com\r\nTo: user@example.net\r\nSubject: test\r\n" +
	"Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\ntest\r\n"

// sign returns a mail with a signature of example.com more.
func (d *mailDomain) sign(t *testing.T, mail, selector, key string) string {
	t.Helper()
	out, code := d.run(t, verdict{program: "go sign", args: []string{"example.com", selector, d.path(key)}, mail: mail})
	if code != 0 {
		t.Fatal(out)
	}
	return out
}

const mx1Addr, elsewhere, user = "127.0.10.1", "127.0.10.99", "user@example.com"

// sender returns the words that say who hands mail over: the address, the name in HELO, and the mail address.
func sender(ip, from string) []string { return []string{ip, "mx1.example.com", from} }

// senders: SPF, and the policies of DMARC.
func (d *mailDomain) senders(t *testing.T) {
	spfquery := func(scope, id, ip string) []string { return []string{"--scope", scope, "--id", id, "--ip", ip} }
	d.check(t, []verdict{
		{"from an exchange", "spfquery", spfquery("mfrom", user, mx1Addr), "", 0, `^pass`},
		{"from elsewhere", "spfquery", spfquery("mfrom", user, elsewhere), "", 1, `^fail`},
		{"the name in HELO", "spfquery", spfquery("helo", "mx1.example.com", mx1Addr), "", 0, `^pass`},
		{"the name in HELO, from elsewhere", "spfquery", spfquery("helo", "mx1.example.com", elsewhere), "", 1, `^fail`},
		{"a domain without mail", "spfquery", spfquery("mfrom", "user@noreply.example.com", mx1Addr), "", 1, `^fail`},
		{"from an exchange", "go spf", sender(mx1Addr, user), "", 0, `^spf: pass`},
		{"from elsewhere", "go spf", sender(elsewhere, user), "", 0, `^spf: fail`},
		{"the name in HELO", "go spf", sender(mx1Addr, ""), "", 0, `^spf: pass`},
		{"a domain without mail", "go spf", sender(mx1Addr, "user@noreply.example.com"), "", 0, `^spf: fail`},
		{"a domain with a policy", "go dmarc", words("example.com"), "", 0, `^dmarc: reject mailto:postmaster@example.com\n`},
		{"a domain without a policy", "go dmarc", words("foreign.example.com"), "", 1, `no policy found`},
	})
}

// signatures: DKIM, and what DMARC says of mail.
func (d *mailDomain) signatures(t *testing.T) {
	signed := d.sign(t, d.sign(t, letter, "rsa", "rsa.private"), "ed25519", "ed25519.private")
	changed := strings.Replace(signed, "\r\n\r\ntest", "\r\n\r\nother", 1)
	generated := d.sign(t, letter, "genkey", "genkey.private")
	revoked := d.sign(t, letter, "old", "rsa.private")
	foreign := d.sign(t, letter, "rsa", "genkey.private")
	foreignEd := strings.Replace(d.sign(t, letter, "ed25519", "ed25519.private"), "Subject: test", "Subject: other", 1)
	d.check(t, []verdict{
		{"signed by RSA and Ed25519", "go dkim", nil, signed, 0, `^dkim: pass, pass\n`},
		{"changed", "go dkim", nil, changed, 0, `^dkim: fail .*body hash.*, fail .*body hash`},
		{"a key of opendkim-genkey", "go dkim", nil, generated, 0, `^dkim: pass\n`},
		{"a revoked key", "go dkim", nil, revoked, 0, `^dkim: fail .*revoked`},
		{"a foreign key", "go dkim", nil, foreign, 0, `^dkim: fail`},
		{"a changed subject, Ed25519", "go dkim", nil, foreignEd, 0, `^dkim: fail`},
		{"signed by RSA and Ed25519, from an exchange", "node mail", sender(mx1Addr, user), signed, 0,
			`^spf pass; dkim ed25519-sha256 pass, rsa-sha256 pass; dmarc pass, policy reject\n`},
		{"changed, from an exchange", "node mail", sender(mx1Addr, user), changed, 0,
			`^spf pass; dkim .*body hash.*body hash.*; dmarc pass, policy reject\n`},
		{"changed, from elsewhere", "node mail", sender(elsewhere, user), changed, 0,
			`^spf fail; dkim .*body hash.*body hash.*; dmarc fail, policy reject\n`},
		{"signed, from elsewhere", "node mail", sender(elsewhere, user), signed, 0,
			`^spf fail; dkim ed25519-sha256 pass, rsa-sha256 pass; dmarc pass, policy reject\n`},
		{"a key of opendkim-genkey", "node mail", sender(mx1Addr, user), generated, 0, `; dkim rsa-sha256 pass; dmarc pass`},
		{"a revoked key, from elsewhere", "node mail", sender(elsewhere, user), revoked, 0,
			`; dkim rsa-sha256 neutral .*; dmarc fail`},
		{"a foreign key, from elsewhere", "node mail", sender(elsewhere, user), foreign, 0,
			`; dkim rsa-sha256 fail .*; dmarc fail`},
	})
}

// keys: what signs and what is served are one pair.
func (d *mailDomain) keys(t *testing.T) {
	write(t, d.path("unbound.conf"), fmt.Sprintf(`server:
    do-not-query-localhost: no
    trust-anchor-file: %q
stub-zone:
    name: example.com
    stub-addr: 127.0.0.1
`, d.anchor))
	write(t, d.path("opendkim.conf"), "ResolverConfiguration "+d.path("unbound.conf")+"\n")
	testkey := func(selector, key string) []string {
		return []string{"-x", d.path("opendkim.conf"), "-d", "example.com", "-s", selector, "-k", d.path(key), "-vvv"}
	}
	const secure = `key secure\n(.*\n)*.*key OK` // DNSSEC and the key
	d.check(t, []verdict{
		{"RSA", "opendkim-testkey", testkey("rsa", "rsa.private"), "", 0, secure},
		{"opendkim-genkey", "opendkim-testkey", testkey("genkey", "genkey.private"), "", 0, secure},
		{"a foreign key", "opendkim-testkey", testkey("rsa", "genkey.private"), "", 65, `keys do not match`},
		{"a revoked key", "opendkim-testkey", testkey("old", "rsa.private"), "", 69, `Revoked key`},
		{"no key", "opendkim-testkey", testkey("none", "rsa.private"), "", 69, `No key`},
	})
}

// policies: MTA-STS, as a sender meets it.
func (d *mailDomain) policies(t *testing.T) {
	d.check(t, []verdict{
		{"an exchange of the policy", "node sts", words("example.com"), "", 0,
			`^mx1.example.com; policy enforce, id [0-9a-z]{20}\n`},
		{"an exchange outside the policy", "node sts", words("stale.example.com"), "", 1,
			`MTA-STS policy check failed for mx1.example.com`},
		{"no policy", "node sts", words("foreign.example.com"), "", 0, `^mx2.example.com; policy none, id false\n`},
		{"no mail", "node sts", words("noreply.example.com"), "", 1, `does not accept`},
	})
}

// discovery: programs of users find their servers.
func (d *mailDomain) discovery(t *testing.T) {
	sieve := func(domain string) []string {
		return []string{"--server", domain, "--user", "user", "--passwordfd", "0", "--clearchan", "--list", "--debug"}
	}
	d.check(t, []verdict{
		{"a domain with address books", "go carddav", words("example.com"), "", 0,
			`^carddav: https://mail.example.com:8443/\.well-known/carddav\n`},
		{"a domain that says it has none", "go carddav", words("noreply.example.com"), "", 1, `empty target`},
		{"a domain that says nothing", "go carddav", words("foreign.example.com"), "", 1, `doesn't have an SRV record`},
		{"a domain with scripts", "sieve-connect", sieve("example.com"), "secret\n", 0, `"vacation" ACTIVE`},
		{"a domain without", "sieve-connect", sieve("foreign.example.com"), "secret\n", 1, `trying <foreign.example.com:`},
	})
}

// dane: TLSA records, through a resolver that validates.
func (d *mailDomain) dane(t *testing.T) {
	startUnbound(t, rig.Peer(t, "unbound"), "127.0.0.1:53", "interface: 127.0.0.2@53",
		fmt.Sprintf("trust-anchor-file: %q", d.anchor))
	resolv := d.path("resolv.conf")
	write(t, resolv, "nameserver 127.0.0.2\noptions edns0 trust-ad\n")
	for from, to := range map[string]string{resolv: "/etc/resolv.conf", d.anchor: "/usr/share/dns/root.key"} {
		command(t, "mount", "--bind", from, to)
		t.Cleanup(func() { command(t, "umount", "-l", to) })
	}
	const danetool = "--port 25 --starttls-proto smtp --local-dns --check "
	chase := words("-S -k " + d.anchor + " verify mx1.example.com 465")
	d.check(t, []verdict{
		{"the key of now", "danetool", words(danetool + "mx1.example.com"), "", 0, `Verification: .*Certificate matches`},
		{"a foreign key", "danetool", words(danetool + "mx2.example.com"), "", 1, `The certificate differs`},
		{"the key of now", "ldns-dane", words("verify mx1.example.com 465"), "", 0, `dane-validated successfully`},
		{"a foreign key", "ldns-dane", words("verify mx2.example.com 465"), "", 1, `no matching DANE TLSA records`},
		{"the key of now, signatures chased", "ldns-dane", chase, "", 0, `dane-validated successfully`},
		{"the key of now", "node dane", words("example.com"), "", 0, `^mx1.example.com; TLSA 2\n`},
		{"a foreign key", "node dane", words("foreign.example.com"), "", 1, `DANE verification failed for mx2.example.com`},
	})
}
