package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A backend is a server that others check, and that may die. It listens at one address, at a port for each of those who
// check it, so that it can count who probes how often. It is in the process of the bench.
type backend struct {
	addr      string
	ports     []int
	probes    []atomic.Int64 // by port
	listeners []*net.TCPListener
	accepting sync.WaitGroup
	fillers   []net.Conn
}

func (b *backend) setPorts(ports []int) { b.ports, b.probes = ports, make([]atomic.Int64, len(ports)) }

// listen has it answer at all ports.
func (b *backend) listen() error {
	for i, port := range b.ports {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.ParseIP(b.addr), Port: port})
		if err != nil {
			return err
		}
		b.listeners = append(b.listeners, l)
		b.accepting.Go(func() { serve(l, func(net.Conn) { b.probes[i].Add(1) }) })
	}
	return nil
}

// close has connections be refused.
func (b *backend) close() {
	for _, l := range b.listeners {
		l.Close()
	}
	for _, conn := range b.fillers {
		conn.Close()
	}
	b.listeners, b.fillers = nil, nil
}

// silence has connections be neither taken nor refused, as those to a host that is off: Linux does not answer while the
// queue of connections that are to be accepted is full.
func (b *backend) silence() error {
	for _, l := range b.listeners {
		l.SetDeadline(time.Now())
	}
	b.accepting.Wait()
	for _, l := range b.listeners {
		if err := shorten(l); err != nil {
			return err
		}
		// Without an answer, a probe is in the queue already.
		if conn, err := net.DialTimeout("tcp", l.Addr().String(), 100*time.Millisecond); err == nil {
			b.fillers = append(b.fillers, conn)
		}
	}
	return nil
}

// shorten makes the queue of a listener the shortest.
func shorten(l *net.TCPListener) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = unix.Listen(int(fd), 0) })
	return errors.Join(err, failed)
}

// A talk is what a server does with a connection before it closes it.
type talk func(net.Conn)

// serve talks with all who connect, until the listener is closed.
func serve(l net.Listener, t talk) {
	for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
		go func() {
			defer conn.Close()
			t(conn)
		}()
	}
}

// listenEverywhere returns a listener at all addresses of loopback.
func listenEverywhere() (net.Listener, error) { return net.Listen("tcp4", "0.0.0.0:0") }

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// acceptAll counts and closes all connections, until what it returns is closed: it takes the place of the listener. It
// takes less than serve does of the cores on which others are measured.
func acceptAll(l *net.TCPListener, count *atomic.Int64) (io.Closer, error) {
	f, err := l.File()
	if err := errors.Join(err, l.Close()); err != nil {
		return nil, err
	}
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	go raw.Read(func(fd uintptr) (done bool) {
		for {
			switch conn, _, err := unix.Accept4(int(fd), unix.SOCK_CLOEXEC); err {
			case nil:
				unix.Close(conn)
				count.Add(1)
			case unix.EINTR, unix.ECONNABORTED:
			default:
				return err != unix.EAGAIN
			}
		}
	})
	return f, nil
}

// hang waits until the client closes the connection.
func hang(conn net.Conn) { io.Copy(io.Discard, conn) }

// mailHost greets, and takes EHLO and QUIT.
func mailHost(greeting string) talk {
	return func(conn net.Conn) {
		fmt.Fprintf(conn, "%s\r\n", greeting)
		for scan := bufio.NewScanner(conn); scan.Scan(); {
			if scan.Text() == "QUIT" {
				fmt.Fprint(conn, "221 bye\r\n")
				return
			}
			fmt.Fprint(conn, "250 mx\r\n")
		}
	}
}

// page answers a request.
func page(conn net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}
}

// overTLS talks over TLS.
func overTLS(certificate tls.Certificate, t talk) talk {
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	return func(conn net.Conn) {
		secure := tls.Server(conn, config)
		if secure.Handshake() == nil {
			t(secure)
		}
	}
}

// newCertificate returns a certificate for all hosts of the zone, and itself as an authority in PEM.
func newCertificate() (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"*." + bare("@")},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, string(text), nil
}
