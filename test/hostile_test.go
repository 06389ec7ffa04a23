package test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// hostilePackets is how many TestHostile sends; half-open connections come on top.
const hostilePackets = 20_000

// inFlight is how many packets are sent before a real question is asked: more
// than that might fill the buffer of the server's socket.
const inFlight = 50

// TestHostile: whatever is sent over UDP and TCP, the server goes on answering
// what it is asked, and neither memory nor connections grow.
func TestHostile(t *testing.T) {
	for name, corefile := range map[string]string{"over a file": overlay, "authoritative": authoritativeOverlay()} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir+"/db.example.com", overlayZone)
			beHostile(t, start(t, dir, strings.Replace(corefile, "    errors\n", "    pprof 127.0.0.1:1057\n    transfer {\n        to *\n    }\n", 1)))
		})
	}
}

func beHostile(t *testing.T, s *server) {
	want := format(s.ask(t, "udp", query(t, "example.com MX")))
	alive := func(after int) {
		t.Helper()
		for _, network := range []string{"udp", "tcp"} {
			if got := format(s.askUntil(t, network, query(t, "example.com MX"))); got != want {
				t.Fatalf("after %d packets, over %s:\n%s\nwant\n%s", after, network, got, want)
			}
		}
	}
	goroutines := func() int { return strings.Count(s.get(":1057", "/debug/pprof/goroutine?debug=2"), "goroutine ") }
	before := goroutines()

	f := newFoe(t, s.addr)
	var quarters [4]int // heap in use after each, octets
	for q := range quarters {
		for i := range hostilePackets / len(quarters) {
			if i%inFlight == 0 {
				alive(q*hostilePackets/len(quarters) + i)
			}
			f.send(f.packet())
		}
		quarters[q] = heap(t, s)
	}
	alive(hostilePackets)
	t.Logf("heap in use after each quarter, octets: %v; resident %d kB", quarters, resident(t, s))
	if first, last := quarters[0], quarters[3]; last > first+first/4+4<<20 {
		t.Errorf("heap in use grows from %d to %d octets", first, last)
	}

	f.halfOpen(200)
	alive(hostilePackets + 200)
	eventually(t, s, "the server has closed the connections that were left half open", func() bool { return goroutines() <= before+5 })
}

// askUntil asks until there is an answer: over UDP a question may be lost.
func (s *server) askUntil(t *testing.T, network string, m *dns.Msg) *dns.Msg {
	t.Helper()
	c := dns.Client{Net: network, UDPSize: dns.MaxMsgSize, Timeout: 2 * time.Second}
	for deadline := time.Now().Add(rig.Limit); ; {
		res, _, err := c.Exchange(m, s.addr)
		if err == nil {
			return res
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s %s: %v\n%s", m.Question[0].Name, network, err, s)
		}
	}
}

// heap returns the octets of a server's heap that are in use after a collection. The Corefile has pprof on port 1057.
func heap(t *testing.T, s *server) int {
	t.Helper()
	var m []string
	eventually(t, s, "a heap profile", func() bool {
		m = regexp.MustCompile(`(?m)^# HeapAlloc = (\d+)$`).FindStringSubmatch(s.get(":1057", "/debug/pprof/heap?gc=1&debug=1"))
		return m != nil
	})
	octets, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return octets
}

// A foe sends a server what no client would.
type foe struct {
	t    *testing.T
	addr string
	rnd  *rand.Rand
	udp  net.Conn
	tcp  net.Conn
	open []net.Conn // half-open connections
}

func newFoe(t *testing.T, addr string) *foe {
	t.Helper()
	udp, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	f := &foe{t: t, addr: addr, rnd: rand.New(rand.NewPCG(1, 0)), udp: udp}
	t.Cleanup(f.close)
	return f
}

func (f *foe) close() {
	for _, c := range append(f.open, f.udp, f.tcp) {
		if c != nil {
			c.Close()
		}
	}
	f.open, f.tcp = nil, nil
}

// send sends a packet, every fourth over TCP. A connection that the server has
// closed is opened anew.
func (f *foe) send(packet []byte) {
	if f.rnd.IntN(4) > 0 {
		f.udp.Write(packet) // a refusal of what came before may be reported here
		return
	}
	framed := append(binary.BigEndian.AppendUint16(nil, f.length(packet)), packet...)
	if f.tcp == nil || f.rnd.IntN(50) == 0 {
		f.dial()
	}
	if _, err := f.tcp.Write(framed); err != nil {
		f.dial()
		f.tcp.Write(framed)
	}
}

// length is that of the packet, mostly.
func (f *foe) length(packet []byte) uint16 {
	if f.rnd.IntN(20) == 0 {
		return uint16(f.rnd.Uint32())
	}
	return uint16(len(packet))
}

// dial opens a TCP connection whose answers nobody reads for long.
func (f *foe) dial() {
	if f.tcp != nil {
		f.tcp.Close()
	}
	c, err := net.DialTimeout("tcp", f.addr, rig.Limit)
	if err != nil {
		f.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(rig.Limit))
	f.tcp = c
}

// halfOpen opens connections that send the start of a message, or nothing.
func (f *foe) halfOpen(n int) {
	for i := range n {
		c, err := net.DialTimeout("tcp", f.addr, rig.Limit)
		if err != nil {
			f.t.Fatal(err)
		}
		c.Write([]byte{0, 40, 1, 2, 3, 4}[:i%7])
		f.open = append(f.open, c)
	}
}

// packet makes one of the kinds of packets.
func (f *foe) packet() []byte {
	kinds := []func([]byte) []byte{f.noise, f.cut, f.loop, f.counts, f.opcode, f.flip, f.junk, f.option, f.axfr}
	return kinds[f.rnd.IntN(len(kinds))](f.question())
}

// question is a good message about a name that is declared.
func (f *foe) question() []byte {
	m := query(f.t, overlayNames[f.rnd.IntN(len(overlayNames))])
	if f.rnd.IntN(2) == 0 {
		m.SetEdns0(uint16(f.rnd.Uint32()), f.rnd.IntN(2) == 0)
	}
	packed, err := m.Pack()
	if err != nil {
		f.t.Fatal(err)
	}
	return packed
}

const dnsHeader = 12 // octets of a message before its question

func (f *foe) noise([]byte) []byte  { return f.octets(f.rnd.IntN(600)) }
func (f *foe) cut(m []byte) []byte  { return m[:f.rnd.IntN(len(m))] }
func (f *foe) junk(m []byte) []byte { return append(m, f.octets(f.rnd.IntN(300))...) }
func (f *foe) octets(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(f.rnd.Uint32())
	}
	return b
}

// loop makes the name a compression pointer: to itself, forward, or to another
// pointer that leads back.
func (f *foe) loop(m []byte) []byte {
	at := uint16(0xC000 + dnsHeader)
	b := m[:dnsHeader:dnsHeader]
	switch f.rnd.IntN(3) {
	case 0:
		b = binary.BigEndian.AppendUint16(b, at)
	case 1:
		b = binary.BigEndian.AppendUint16(b, 0xC000|uint16(f.rnd.Uint32()))
	case 2:
		b = append(b, 1, 'a')
		b = binary.BigEndian.AppendUint16(b, at+4)
		b = binary.BigEndian.AppendUint16(b, at)
	}
	return append(b, 0, byte(dns.TypeMX), 0, dns.ClassINET)
}

// counts says that there are other numbers of records than there are.
func (f *foe) counts(m []byte) []byte {
	i := 4 + 2*f.rnd.IntN(4)
	binary.BigEndian.PutUint16(m[i:], []uint16{0, 1, 2, 3, 255, 65535}[f.rnd.IntN(6)])
	return m
}

// opcode sets any flags, opcode and rcode.
func (f *foe) opcode(m []byte) []byte {
	binary.BigEndian.PutUint16(m[2:], uint16(f.rnd.Uint32()))
	return m
}

// axfr asks for the zone or, with a SOA that is not there, for what has changed.
func (f *foe) axfr([]byte) []byte {
	m := new(dns.Msg).SetAxfr("example.com.")
	m.Question[0].Qtype -= uint16(f.rnd.IntN(2))
	packed, err := m.Pack()
	if err != nil {
		f.t.Fatal(err)
	}
	return packed
}

func (f *foe) flip(m []byte) []byte {
	for range 1 + f.rnd.IntN(4) {
		m[f.rnd.IntN(len(m))] ^= 1 << f.rnd.IntN(8)
	}
	return m
}

// option adds an OPT record with options that are longer than they say.
func (f *foe) option(m []byte) []byte {
	binary.BigEndian.PutUint16(m[10:], binary.BigEndian.Uint16(m[10:])+1)
	m = append(m, 0, 0, byte(dns.TypeOPT))
	m = append(m, f.octets(6)...)
	m = binary.BigEndian.AppendUint16(m, uint16(f.rnd.IntN(40)))
	return append(m, f.octets(f.rnd.IntN(40))...)
}

// resident returns the resident memory of a server in kB.
func resident(t *testing.T, s *server) int {
	t.Helper()
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindStringSubmatch(read(t, fmt.Sprintf("/proc/%d/status", s.Cmd.Process.Pid)))
	kilobytes, err := strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes
}
