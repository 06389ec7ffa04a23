package test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/test/rig"
)

// A question is asked of every server in the same way.
type question struct {
	name   string
	qtype  uint16
	packed []byte
	tcp    bool
	size   int // of a UDP answer, at most
	edns   string
}

func (q *question) String() string {
	network := fmt.Sprintf("udp %d", q.size)
	if q.tcp {
		network = "tcp"
	}
	return fmt.Sprintf("%s %s (%s, EDNS %s)", q.name, dns.Type(q.qtype), network, q.edns)
}

// A curious makes questions about a set, the same for the same seed.
type curious struct {
	*generated
	rnd                      *rand.Rand
	owners, aliases, between []string
	types                    map[string][]uint16 // that an owner holds
}

func newCurious(g *generated) *curious {
	c := &curious{generated: g, rnd: rand.New(rand.NewPCG(g.seed, 5)), types: map[string][]uint16{}}
	above := map[string]bool{}
	for _, zone := range g.zones {
		for _, rr := range g.records[zone] {
			h := rr.Header()
			if len(c.types[h.Name]) == 0 {
				c.owners = append(c.owners, h.Name)
			}
			c.types[h.Name] = append(c.types[h.Name], h.Rrtype)
			if h.Rrtype == dns.TypeCNAME {
				c.aliases = append(c.aliases, h.Name)
			}
		}
	}
	for _, owner := range c.owners {
		for name := parentOf(owner); g.zoneOf(name) != ""; name = parentOf(name) {
			if len(c.types[name]) == 0 && !above[name] {
				above[name] = true
				c.between = append(c.between, name)
			}
		}
	}
	return c
}

func parentOf(name string) string {
	_, parent, _ := strings.Cut(name, ".")
	return parent
}

func one[T any](c *curious, of []T) T { return of[c.rnd.IntN(len(of))] }

// questions makes n of them.
func (c *curious) questions(n int) []*question {
	questions := make([]*question, n)
	for i := range questions {
		questions[i] = c.question(i)
	}
	return questions
}

// someTypes are asked of every kind of name.
var someTypes = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeSRV, dns.TypeCNAME, dns.TypeNS, dns.TypeSOA,
	dns.TypeTXT, dns.TypeANY, dns.TypeDS, dns.TypeCAA, dns.TypeHTTPS, dns.TypeDNSKEY, dns.TypePTR, 65280}

func (c *curious) question(id int) *question {
	name := c.name()
	q := &question{name: name, qtype: one(c, someTypes), size: dns.MinMsgSize, edns: "none"}
	if declared := c.types[name]; len(declared) > 0 && c.rnd.IntN(10) < 6 {
		q.qtype = one(c, declared)
	}
	if c.rnd.IntN(10) < 4 {
		q.name = c.mixed(name)
	}
	m := new(dns.Msg).SetQuestion(q.name, q.qtype)
	m.Id = uint16(id)
	m.RecursionDesired = c.rnd.IntN(2) == 0
	if c.rnd.IntN(10) < 6 {
		q.size = one(c, []int{512, 1232, 4096, 512 + c.rnd.IntN(3585)})
		do := c.rnd.IntN(10) < 3
		q.edns = fmt.Sprintf("%d, DO %v", q.size, do)
		m.SetEdns0(uint16(q.size), do)
	}
	q.tcp = c.rnd.IntN(100) < 6
	if q.tcp {
		q.size = dns.MaxMsgSize
	}
	packed, err := m.Pack()
	if err != nil {
		panic(fmt.Sprintf("%v: %v", q, err)) // the generator is wrong
	}
	q.packed = packed
	return q
}

// name chooses a name that is declared, near one, between names, below one, or
// outside. Those that get too long for a name are chosen again.
func (c *curious) name() string {
	for {
		name := c.anyName()
		if _, ok := dns.IsDomainName(name); ok && len(name) < 255 {
			return name
		}
	}
}

func (c *curious) anyName() string {
	owner := one(c, c.owners)
	switch n := c.rnd.IntN(100); {
	case n < 60:
		return owner
	case n < 68 && len(c.between) > 0:
		return one(c, c.between)
	case n < 76:
		return "x" + owner
	case n < 82:
		return "near." + parentOf(owner)
	case n < 87:
		return one(c, []string{"below.", "_tcp.", "a.b."}) + owner
	case n < 91 && len(c.aliases) > 0:
		return "below." + one(c, c.aliases)
	case n < 96:
		return one(c, c.zones)
	}
	return one(c, []string{"example.org.", "www.example.com.", ".", "org.", "other-" + one(c, c.zones), "mx1.elsewhere.example.com."})
}

// mixed writes some letters as capitals.
func (c *curious) mixed(name string) string {
	b := []byte(name)
	for i := range b {
		if c.rnd.IntN(2) == 0 && b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

const (
	askers    = 3               // sockets over which a server is asked at the same time
	onTheWay  = 16              // questions that wait for their answer on each
	tries     = 2               // over UDP, each on a new socket
	lostAfter = 2 * time.Second // without any answer
)

// askAll asks a server the questions that are for it, and returns the answers as
// they came, nil where none did; lost counts those over UDP.
func askAll(t *testing.T, s *server, questions []*question, isFor func(*question) bool) (answers [][]byte, lost int) {
	t.Helper()
	answers = make([][]byte, len(questions))
	var udp, tcp []int
	for i, q := range questions {
		switch {
		case !isFor(q):
		case q.tcp:
			tcp = append(tcp, i)
		default:
			udp = append(udp, i)
		}
	}
	var unanswered atomic.Int32
	work := make(chan []int)
	var wg sync.WaitGroup
	for range askers {
		wg.Go(func() {
			for batch := range work {
				unanswered.Add(int32(len(askUDP(t, s, questions, batch, answers))))
			}
		})
	}
	wg.Go(func() { askTCP(t, s, questions, tcp, answers) })
	for batch := range slices.Chunk(udp, 10*onTheWay) {
		work <- batch
	}
	close(work)
	wg.Wait()
	return answers, int(unanswered.Load())
}

// askUDP asks some of the questions, and returns those that got no answer.
func askUDP(t *testing.T, s *server, questions []*question, which []int, answers [][]byte) []int {
	for range tries {
		conn, err := net.Dial("udp", s.addr)
		if err != nil {
			t.Error(err)
			return which
		}
		var left []int
		for batch := range slices.Chunk(which, onTheWay) {
			left = append(left, askBatch(conn, questions, batch, answers)...)
		}
		conn.Close()
		if which = left; len(left) == 0 {
			break
		}
	}
	return which
}

// askBatch sends questions at once and waits for the answers.
func askBatch(conn net.Conn, questions []*question, batch []int, answers [][]byte) []int {
	for _, i := range batch {
		conn.Write(questions[i].packed)
	}
	conn.SetReadDeadline(time.Now().Add(lostAfter))
	buf := make([]byte, dns.MaxMsgSize)
	for missing := len(batch); missing > 0; {
		n, err := conn.Read(buf)
		if err != nil {
			break
		}
		if n < dnsHeader {
			continue
		}
		i := int(binary.BigEndian.Uint16(buf))
		if slices.Contains(batch, i) && answers[i] == nil {
			answers[i] = slices.Clone(buf[:n])
			missing--
		}
	}
	return slices.DeleteFunc(slices.Clone(batch), func(i int) bool { return answers[i] != nil })
}

// askTCP asks some of the questions, one after the other.
func askTCP(t *testing.T, s *server, questions []*question, which []int, answers [][]byte) {
	if len(which) == 0 {
		return
	}
	conn, err := net.DialTimeout("tcp", s.addr, rig.Limit)
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(rig.Limit))
	for _, i := range which {
		q := questions[i].packed
		conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(q))), q...))
		var length [2]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			t.Errorf("%v over TCP: %v", questions[i], err)
			return
		}
		answers[i] = make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(conn, answers[i]); err != nil {
			t.Errorf("%v over TCP: %v", questions[i], err)
			return
		}
	}
}
