package test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/test/rig"
)

// verifiersCorefile has the domain of the test, with addresses of servers that are there. Of foreign, the exchange has
// another key than its TLSA records say; of stale, the web server has another policy.
const verifiersCorefile = `. {
    bind 127.0.0.1
    template ANY ANY {
        rcode NXDOMAIN
    }
}
example.com {
    bind 127.0.0.1
    dnssec {
        key file KEY
    }
    mxsrv {
        authoritative {
            ns ns
        }
        host ns 127.0.0.1
        host mx1 127.0.10.1 {
            spf a -all
            tlsa 25 mx1.pem next.pem
            tlsa 465 mx1.pem next.pem
        }
        host mx2 127.0.10.2 {
            tlsa 25 next.pem
            tlsa 465 next.pem
        }
        host web 127.0.10.80
        host mail 127.0.10.143
        mail @ {
            10 mx1
            spf mx -all
            dkim rsa rsa.pub.pem
            dkim ed25519 ed25519.pub.pem
            dkim genkey genkey.txt
            dkim old revoked
            dmarc reject rua=postmaster@example.com
            mta-sts policy.txt web
            tls-rpt postmaster@example.com
            clients mail imaps submissions sieve=4191 carddavs=8443
        }
        mail stale {
            10 mx1
            mta-sts policy.txt web
        }
        mail foreign 10 mx2
        mail noreply none {
            spf -all
        }
        service _carddavs._tcp.noreply none
    }
}
`

// policyHosts serve policies: the one that is declared, and one from before its exchange had its name.
var policyHosts = []string{"mta-sts.example.com", "mta-sts.stale.example.com"}

const stsPolicy = "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: %s.example.com\n"

// A mailDomain is example.com: its DNS, its keys, and its servers.
type mailDomain struct {
	dir      string // of keys, certificates and what else the verifiers need
	anchor   string // the key of the zone
	verifier string // the Go program
}

func newMailDomain(t *testing.T) *mailDomain {
	t.Helper()
	served := t.TempDir() // of which the server gets a copy; no private key of mail is there
	key := keygen(t, served, "example.com")
	d := &mailDomain{dir: t.TempDir(), anchor: key.path}
	d.makeKeys(t, served)
	certs := map[string]*tls.Certificate{}
	for file, host := range map[string]string{"mx1": "mx1", "next": "mx1", "other": "mx2", "web": "web"} {
		certs[file] = selfSigned(t, filepath.Join(served, file+".pem"), host+".example.com")
	}
	write(t, d.path("trusted.pem"), read(t, filepath.Join(served, "mx1.pem"))+read(t, filepath.Join(served, "web.pem")))
	write(t, filepath.Join(served, "policy.txt"), fmt.Sprintf(stsPolicy, "mx1"))
	start(t, served, strings.Replace(verifiersCorefile, "KEY", key.name, 1))
	for ip, cert := range map[string]*tls.Certificate{"127.0.10.1": certs["mx1"], "127.0.10.2": certs["other"]} {
		serve(t, ip+":25", cert, speakSMTP)
		serve(t, ip+":465", cert, func(conn net.Conn, config *tls.Config) { tls.Server(conn, config).Handshake() })
	}
	serve(t, "127.0.10.143:4191", certs["web"], speakSieve)
	servePolicies(t, certs["web"])
	return d
}

func (d *mailDomain) path(name string) string { return filepath.Join(d.dir, name) }

// makeKeys makes the keys of mail, and puts what is public of them where the server reads.
func (d *mailDomain) makeKeys(t *testing.T, served string) {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"rsa": rsaKey, "ed25519": edKey} {
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		public, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		write(t, d.path(name+".private"), pemText("PRIVATE KEY", private))
		write(t, filepath.Join(served, name+".pub.pem"), pemText("PUBLIC KEY", public))
	}
	command(t, rig.Peer(t, "opendkim-genkey"), "-b", "2048", "-d", "example.com", "-s", "genkey", "-D", d.dir)
	write(t, filepath.Join(served, "genkey.txt"), read(t, d.path("genkey.txt")))
}

// selfSigned writes a certificate that trusts itself, and returns it with its key.
func selfSigned(t *testing.T, path, host string) *tls.Certificate {
	t.Helper()
	c := newCertificate(t, append([]string{host}, policyHosts...)...)
	write(t, path, c.pem)
	return &tls.Certificate{Certificate: [][]byte{c.parsed.Raw}, PrivateKey: c.key}
}

// serve speaks to all who connect, until the test ends.
func serve(t *testing.T, addr string, cert *tls.Certificate, speak func(net.Conn, *tls.Config)) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			go func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(rig.Limit))
				speak(conn, &tls.Config{Certificates: []tls.Certificate{*cert}})
			}()
		}
	}()
}

// speakSMTP speaks as much SMTP as it takes to see the certificate.
func speakSMTP(conn net.Conn, config *tls.Config) {
	text := textproto.NewConn(conn)
	text.PrintfLine("220 test ESMTP")
	for line, err := text.ReadLine(); err == nil; line, err = text.ReadLine() {
		switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
		case "EHLO":
			text.PrintfLine("250-test\r\n250 STARTTLS")
		case "STARTTLS":
			text.PrintfLine("220 go ahead")
			secured := tls.Server(conn, config)
			io.Copy(io.Discard, secured)
			return
		default:
			text.PrintfLine("250 ok")
		}
	}
}

// speakSieve speaks as much ManageSieve as it takes to list scripts (RFC 5804).
func speakSieve(conn net.Conn, _ *tls.Config) {
	text := textproto.NewConn(conn)
	const capabilities = `"IMPLEMENTATION" "test"` + "\r\n" + `"SASL" "PLAIN"` + "\r\n" + `"SIEVE" "fileinto"` + "\r\nOK"
	text.PrintfLine("%s", capabilities)
	for line, err := text.ReadLine(); err == nil; line, err = text.ReadLine() {
		switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); verb {
		case "CAPABILITY":
			text.PrintfLine("%s", capabilities)
		case "LISTSCRIPTS":
			text.PrintfLine("\"vacation\" ACTIVE\r\nOK")
		default:
			text.PrintfLine("OK")
		}
	}
}

// servePolicies serves policies by HTTPS.
func servePolicies(t *testing.T, cert *tls.Certificate) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.10.80:443")
	if err != nil {
		t.Fatal(err)
	}
	policies := http.NewServeMux()
	for i, host := range policyHosts {
		policies.HandleFunc(host+"/.well-known/mta-sts.txt", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprintf(w, stsPolicy, []string{"mx1", "mx9"}[i])
		})
	}
	s := &http.Server{Handler: policies, TLSConfig: &tls.Config{Certificates: []tls.Certificate{*cert}}}
	t.Cleanup(func() { s.Close() })
	go s.ServeTLS(l, "", "")
}
