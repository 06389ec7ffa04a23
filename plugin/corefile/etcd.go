package corefile

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"github.com/mxsrv/mxsrv/plugin/skydns"
)

// shortestTimeout is longer than an answer takes in a local network.
const shortestTimeout = 100 * time.Millisecond

// etcdOptions are those in the block of etcd, by keyword.
var etcdOptions = map[string]*option{
	"allow":       {"allow KEYPREFIX NAME... [NETWORK...]", 2, unlimited, false, (*stanza).etcdAllow},
	"credentials": {"credentials USERNAME PASSWORD", 2, 2, false, (*stanza).etcdCredentials},
	"prefix":      {"prefix PREFIX", 1, 1, false, (*stanza).etcdPrefix},
	"skydns":      {"skydns PATH", 1, 1, false, (*stanza).etcdSkyDNS},
	"snapshot":    {"snapshot PATH", 1, 1, false, (*stanza).etcdSnapshot},
	"timeout":     {"timeout DURATION", 1, 1, false, (*stanza).etcdTimeout},
	"tls":         {"tls [CERT KEY] [CACERT]", 0, 3, false, (*stanza).etcdTLS},
}

func (s *stanza) etcd(l definition.Statement) {
	if len(s.Etcds) > 0 { // whose revisions could not be compared
		s.errorf(l.Pos, "a second etcd: write all members of one cluster in one line, "+
			"and another cluster in another server block")
		return
	}
	s.fragments = &etcd.Source{Pos: l.Pos, Config: etcd.New(l.Words[1:]...), Zones: s.reader.Zones()}
	s.Etcds = []*etcd.Source{s.fragments}
	for _, line := range l.Block {
		o := etcdOptions[line.Words[0]]
		isSecret := line.Words[0] == "credentials" // which may start with a semicolon
		switch {
		case !isSecret && !s.reader.Usual(&line):
		case o != nil:
			s.option(o, line)
		default:
			s.errorf(line.Pos, "%s", definition.UnknownWord(line.Words[0], keywords(etcdOptions)))
		}
	}
	s.endpoints(l)
	for i := range s.Allow { // the prefix may stand after the lines
		s.Allow[i].Key = s.fragments.Config.Prefix + s.Allow[i].Key
	}
	s.tree(l)
}

// tree adds the source of the tree of keys that skydns names. Without a prefix there are no fragments beside it.
func (s *stanza) tree(l definition.Statement) {
	if s.skydns == "" {
		return
	}
	config := *s.fragments.Config
	config.SetPrefix(s.skydns)
	tree := &etcd.Source{Pos: l.Pos, Config: &config, Zones: s.fragments.Zones, Snapshot: s.fragments.Snapshot}
	tree.Tree = func() change.Tree { return skydns.New(config.Prefix, tree.Zones) }
	isPrefix := func(l definition.Statement) bool { return l.Words[0] == "prefix" || l.Words[0] == "allow" }
	if !slices.ContainsFunc(l.Block, isPrefix) {
		s.Etcds = []*etcd.Source{tree}
		return
	}
	if a, b := config.Prefix, s.fragments.Config.Prefix; strings.HasPrefix(a, b) || strings.HasPrefix(b, a) {
		s.errorf(l.Pos, "skydns %s and prefix %s: one is below the other: write two that have no keys in common", a, b)
	}
	if tree.Snapshot != "" {
		tree.Snapshot += ".skydns"
	}
	s.Etcds = append(s.Etcds, tree)
}

// endpoints checks the endpoints of etcd.
func (s *stanza) endpoints(l definition.Statement) {
	c, secure := s.fragments.Config, 0
	for i, endpoint := range c.Endpoints {
		u, err := url.Parse(endpoint)
		switch {
		case err == nil && u.User != nil:
			s.errorf(l.Pos, "endpoint %q: write credentials USERNAME PASSWORD into the block of etcd", u.Redacted())
		case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Port() == "" || u.Path != "":
			s.errorf(l.Pos, "endpoint %q: write HOST:PORT, or a URL like http://192.0.2.1:2379", l.Words[i+1])
		case u.Scheme == "https":
			secure++
		}
	}
	if c.TLS == nil && secure > 0 && secure < len(c.Endpoints) {
		s.errorf(l.Pos, "endpoints with and without TLS: write http:// or https:// before all of them")
	}
}

func (s *stanza) etcdPrefix(l definition.Statement) { s.fragments.Config.SetPrefix(l.Words[1]) }

// etcdAllow reads: allow KEYPREFIX NAME... [NETWORK...]
func (s *stanza) etcdAllow(l definition.Statement) {
	a := change.Allowance{Key: strings.TrimPrefix(l.Words[1], "/")}
	for _, word := range l.Words[2:] {
		if names, err := s.allowed(word); err != nil {
			s.errorf(l.Pos, "allow: %v", err)
		} else {
			a.Names = append(a.Names, names...)
		}
	}
	s.Allow = append(s.Allow, a)
}

// allowed returns the names that a word stands for: a relative one is one in each zone, a network those of its
// addresses in the reverse zones.
func (s *stanza) allowed(word string) (names []definition.Name, err error) {
	if network, err := netip.ParsePrefix(word); err == nil {
		if network != network.Masked() {
			return nil, fmt.Errorf("%s has bits of a host: write %v", word, network.Masked())
		}
		return s.Zones.OfNetwork(network), nil
	}
	zones := s.zones.Set()
	for _, zone := range s.zones {
		name, err := definition.ParseName(word, zone)
		switch {
		case err != nil:
			return nil, err
		case zones.Of(name) == "":
			return nil, fmt.Errorf("%s is in none of the zones: write a name that is, or @ for all names", name)
		case !slices.Contains(names, name):
			names = append(names, name)
		}
	}
	return names, nil
}

func (s *stanza) etcdCredentials(l definition.Statement) {
	c := s.fragments.Config
	if c.Username, c.Password = l.Words[1], l.Words[2]; c.Username == "" || c.Password == "" {
		s.errorf(l.Pos, "credentials: the user name or the password is empty: write both")
	}
}

func (s *stanza) etcdTLS(l definition.Statement) {
	var files []string
	for _, path := range l.Words[1:] {
		files = append(files, s.path(path))
	}
	if err := s.fragments.Config.SetTLS(files...); err != nil {
		s.errorf(l.Pos, "tls: %v: write [CERT KEY] [CACERT], the paths of files in PEM form", err)
	}
}

// etcdSkyDNS reads: skydns PATH, which is as in the block of the etcd plugin.
func (s *stanza) etcdSkyDNS(l definition.Statement) {
	if s.skydns = "/" + strings.Trim(l.Words[1], "/"); s.skydns == "/" {
		s.errorf(l.Pos, "skydns %q: write the path of the etcd plugin, like /skydns", l.Words[1])
	}
}

func (s *stanza) etcdSnapshot(l definition.Statement) { s.fragments.Snapshot = s.path(l.Words[1]) }

func (s *stanza) etcdTimeout(l definition.Statement) {
	d, err := time.ParseDuration(l.Words[1])
	if err != nil || d < shortestTimeout {
		s.errorf(l.Pos, "duration %q: write one of at least %v, like 5s", l.Words[1], shortestTimeout)
		return
	}
	s.fragments.Config.Timeout = d
}
