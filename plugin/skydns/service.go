package skydns

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A service is what one key says.
type service struct {
	key  string          // as in etcd
	path string          // the key below the path of the tree, in lower case: its place
	name definition.Name // that the key stands for

	addr   netip.Addr      // host, if that is an address
	host   definition.Name // else
	target definition.Name // in SRV, MX and NS records: the name or the host, less some labels
	text   string
	group  string
	ttl    uint32

	priority, weight, port uint16
	mail                   bool
}

const (
	defaultPriority = 10
	defaultWeight   = 100
	defaultTTL      = 300
	maxTTL          = math.MaxInt32 // RFC 2181 §8

	// A lease bounds the TTL, within these.
	shortestLease, longestLease = 30, 24 * 60 * 60
)

// value is the JSON of a key. What else is in it counts for nothing.
type value struct {
	Host, Text, Group           string
	Port, Priority, Weight, TTL int64
	Mail                        bool
	TargetStrip                 int
}

// read reads a key below a path, which ends in "/". The error says what to write instead.
func read(f *change.Fragment, path string) (*service, error) {
	s := &service{key: f.Key}
	if err := s.readKey(strings.TrimPrefix(f.Key, path)); err != nil {
		return nil, err
	}
	lease, text := cutLease(f.Text)
	var v value
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, errorf("the value is not what the etcd plugin of CoreDNS reads: %s: write JSON like %s",
			err.Error(), `{"host":"192.0.2.1","port":389}`)
	}
	if err := cmp.Or(s.readNumbers(&v), s.readHost(&v)); err != nil {
		return nil, err
	}
	s.mail, s.text, s.group, s.ttl = v.Mail, v.Text, v.Group, ttlOf(v.TTL, lease)
	if v.Host == "" && v.Text == "" {
		return nil, errors.New("neither host nor text: write one of them, or delete the key")
	}
	return s, nil
}

// readKey reads the labels of the name.
func (s *service) readKey(labels string) error {
	s.path = strings.ToLower(labels)
	name := ""
	for label := range strings.SplitSeq(labels, "/") {
		if label == "" || strings.ContainsAny(label, ".*") {
			return errorf("%q is no label of a name: write one label between two slashes, without dots and asterisks", label)
		}
		name = label + "." + name
	}
	var err error
	s.name, err = definition.ParseName(name, ".")
	return err
}

// readNumbers reads what has to fit into the fields of records.
func (s *service) readNumbers(v *value) error {
	for _, n := range []struct {
		what     string
		is, most int64
		to       *uint16
	}{
		{"priority", cmp.Or(v.Priority, defaultPriority), math.MaxUint16, &s.priority},
		{"weight", cmp.Or(v.Weight, defaultWeight), math.MaxUint16, &s.weight},
		{"port", v.Port, math.MaxUint16, &s.port},
		{"ttl", v.TTL, maxTTL, nil},
	} {
		if n.is < 0 || n.is > n.most {
			return errorf("%s %d: write a number from 0 to %d", n.what, n.is, n.most)
		}
		if n.to != nil {
			*n.to = uint16(n.is)
		}
	}
	return nil
}

// readHost reads the host, and the target that it means.
func (s *service) readHost(v *value) (err error) {
	s.target = s.name
	switch addr, isName := netip.ParseAddr(v.Host); {
	case v.Host == "":
	case isName == nil && addr.Zone() == "":
		s.addr = addr.Unmap()
	default:
		if s.host, err = definition.ParseName(v.Host, "."); err == nil && s.host == "." {
			err = errorf("host %q: write the name of a host, or an address", v.Host)
		}
		s.target = s.host
	}
	s.target = strip(s.target, v.TargetStrip)
	return err
}

// strip returns a name without its first labels, or the name if it has no more than these.
func strip(name definition.Name, labels int) definition.Name {
	all := name.Labels()
	if labels <= 0 || labels >= len(all) {
		return name
	}
	return definition.Name(strings.Join(all[labels:], ".") + ".")
}

// WithLease returns the text of a key with this value that is bound to a lease of this many seconds, or to none if they
// are 0. No value is taken for one with a lease.
func WithLease(seconds int64, text string) string {
	if seconds == 0 && !strings.HasPrefix(text, leaseWord) {
		return text
	}
	return leaseWord + strconv.FormatInt(seconds, 10) + "\n" + text
}

const leaseWord = "lease " // no JSON starts so

// cutLease returns the seconds of the lease of a key, or 0, and the value.
func cutLease(text string) (seconds int64, value string) {
	rest, ok := strings.CutPrefix(text, leaseWord)
	if !ok {
		return 0, text
	}
	digits, value, _ := strings.Cut(rest, "\n")
	seconds, _ = strconv.ParseInt(digits, 10, 64)
	return seconds, value
}

// ttlOf returns the lower of a TTL and the seconds of a lease, where 0 stands for none.
func ttlOf(ttl, lease int64) uint32 {
	if lease > 0 {
		lease = min(max(lease, shortestLease), longestLease)
	}
	switch {
	case ttl == 0 && lease == 0:
		return defaultTTL
	case ttl == 0 || lease > 0 && lease < ttl:
		return uint32(lease)
	}
	return uint32(ttl)
}

func errorf(format string, args ...any) error { return errors.New(definition.Sprintf(format, args...)) }

// isName reports whether the host is a name and nothing else: with a text, the text is meant.
func (s *service) isName() bool { return s.host != "" && s.text == "" }

// isText reports whether the text is meant: beside an address it is not.
func (s *service) isText() bool { return s.text != "" && !s.addr.IsValid() }

// hasHost reports whether there is a host, of either form.
func (s *service) hasHost() bool { return s.host != "" || s.addr.IsValid() }

// grouped returns those of some services, in the order of their keys, that the group of the one with the shortest key
// lets answer together: its own and those without a group. Where the shortest keys disagree, all do.
func grouped(all []*service) []*service {
	if len(all) == 0 {
		return all
	}
	group, depth := all[0].group, all[0].depth()
	same := len(all) // as far as depths are looked at: up to a shorter key without a group
	for i, s := range all {
		if d := s.depth(); d < depth {
			if s.group == "" {
				same = i + 1
				break
			}
			group, depth = s.group, d
		}
	}
	if group == "" {
		return all
	}
	var kept []*service
	for i, s := range all {
		switch {
		case s.group == "" || s.group == group:
			kept = append(kept, s)
		case i < same && s.depth() == depth:
			return all
		}
	}
	return kept
}

func (s *service) depth() int { return strings.Count(s.path, "/") }
