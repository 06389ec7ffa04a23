package test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
)

// certify writes a key and a certificate for 127.0.0.1, and returns who trusts it.
func certify(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	trusted := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	write(t, filepath.Join(dir, "cert.pem"), string(trusted))
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(trusted)
	return pool
}

// TestTransports: an answer is the same over TLS, HTTPS and QUIC, and a stream of QUIC
// ends with it (RFC 9250 §4.2), with and without a plugin before mxsrv.
func TestTransports(t *testing.T) {
	dir := t.TempDir()
	trusted := certify(t, dir)
	for _, before := range []string{"", "errors"} {
		// One block has the keys of three listeners, and so one handler.
		keys := ""
		for i, scheme := range []string{"tls", "https", "quic"} {
			keys += fmt.Sprintf("%s://example.org:%d ", scheme, 1054+i)
		}
		plugins := "{\n bind 127.0.0.1\n " + before + "\n mxsrv {\n host mx1 192.0.2.1 2001:db8::1\n mail @ 10 mx1\n }\n"
		s := start(t, dir, "example.org:1053 "+plugins+"}\n"+keys+plugins+" tls cert.pem key.pem\n}\n")
		config := &tls.Config{RootCAs: trusted}
		want := format(s.ask(t, "udp", query(t, "example.org MX")))
		for _, transport := range []struct {
			name string
			ask  func(t *testing.T, packed []byte) []byte
		}{
			{"tls", func(t *testing.T, packed []byte) []byte { return askTLS(t, s.at[":1054"], config, packed) }},
			{"https", func(t *testing.T, packed []byte) []byte { return askHTTPS(t, s.at[":1055"], config, packed) }},
			{"quic", func(t *testing.T, packed []byte) []byte { return askQUIC(t, s.at[":1056"], config, packed) }},
		} {
			t.Run(transport.name+" "+before, func(t *testing.T) {
				m := query(t, "example.org MX")
				m.Id = 0 // as over QUIC
				packed, err := m.Pack()
				if err != nil {
					t.Fatal(err)
				}
				res := new(dns.Msg)
				if err := res.Unpack(transport.ask(t, packed)); err != nil {
					t.Fatal(err)
				}
				if got := format(res); got != want {
					t.Errorf("%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// prefixed puts the length before a message.
func prefixed(packed []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...)
}

func askTLS(t *testing.T, addr string, config *tls.Config, packed []byte) []byte {
	conn, err := tls.Dial("tcp", addr, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(prefixed(packed)); err != nil {
		t.Fatal(err)
	}
	length := make([]byte, 2)
	if _, err := io.ReadFull(conn, length); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, binary.BigEndian.Uint16(length))
	if _, err := io.ReadFull(conn, answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func askHTTPS(t *testing.T, addr string, config *tls.Config, packed []byte) []byte {
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	res, err := client.Post("https://"+addr+"/dns-query", "application/dns-message", bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// askQUIC reads to the end of the stream.
func askQUIC(t *testing.T, addr string, config *tls.Config, packed []byte) []byte {
	config = config.Clone()
	config.NextProtos = []string{"doq"}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := quic.DialAddr(ctx, addr, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write(prefixed(packed)); err != nil {
		t.Fatal(err)
	}
	stream.Close()
	stream.SetReadDeadline(time.Now().Add(20 * time.Second)) // it would be kept open for longer
	answer, err := io.ReadAll(stream)
	if err != nil {
		t.Fatal(err)
	}
	return answer[2:]
}

// TestAskedByPlugin: a plugin that asks the server itself, for where an alias of its own
// points to, gets an answer of ours, and its client gets one datagram for each query.
func TestAskedByPlugin(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "db.example.net"), `example.net. 300 IN SOA ns.example.net. admin.example.net. 7 7200 1800 86400 300
example.net. 300 IN NS ns.example.org.
mail.example.net. 300 IN CNAME mx1.example.org.
`)
	const definitions = "mxsrv example.org {\n ttl 300\n host mx1 192.0.2.1\n }\n"
	for _, before := range []string{"", "errors", "prometheus 127.0.0.1:1054", "cache"} {
		for name, corefile := range map[string]string{
			"in the same block": "example.net:1053 example.org:1053 {\n bind 127.0.0.1\n " + before + "\n " + definitions + " file db.example.net example.net\n}",
			"in another block": "example.net:1053 {\n bind 127.0.0.1\n " + before + "\n file db.example.net\n}\n" +
				"example.org:1053 {\n bind 127.0.0.1\n " + definitions + "}",
			"in another block, with plugins before mxsrv": "example.net:1053 {\n bind 127.0.0.1\n file db.example.net\n}\n" +
				"example.org:1053 {\n bind 127.0.0.1\n " + before + "\n " + definitions + "}",
		} {
			s := start(t, dir, corefile)
			conn, err := dns.DialTimeout("udp", s.addr, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for range 3 { // one datagram too many would come in the place of the next one
				m := query(t, "mail.example.net A")
				if err := conn.WriteMsg(m); err != nil {
					t.Fatal(err)
				}
				res, err := conn.ReadMsg()
				if err != nil {
					t.Fatal(err)
				}
				want := "mail.example.net. 300 IN CNAME mx1.example.org.\nmx1.example.org. 300 IN A 192.0.2.1\n"
				if got := format(&dns.Msg{Answer: res.Answer}); got != want || res.Id != m.Id {
					t.Errorf("%s, with %q: id %d for %d:\n%s\nwant\n%s", name, before, res.Id, m.Id, got, want)
				}
			}
		}
	}
}
