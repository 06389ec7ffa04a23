package corefile

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
)

// shortestTimeout is longer than what a member in the same house takes.
const shortestTimeout = 100 * time.Millisecond

// etcd reads: etcd ENDPOINT... { ... }
func (s *stanza) etcd(l definition.Line) {
	switch {
	case len(l.Words) == 1:
		s.errorf(l.Pos, definition.Syntax, "usage: etcd ENDPOINT...")
		return
	case len(s.Etcds) > 0: // whose revisions could not be compared
		s.errorf(l.Pos, definition.Syntax, "a second etcd: write all members of one cluster in one line, and another cluster in another server block")
		return
	}
	s.fragments = &etcd.Source{Pos: l.Pos, Config: etcd.New(l.Words[1:]...), Zones: s.zones}
	s.Etcds = append(s.Etcds, s.fragments)
	for _, line := range l.Block {
		word := etcdWords[line.Words[0]]
		switch {
		case word == nil:
			s.errorf(line.Pos, definition.Syntax, "unknown word %q: write one of %s",
				line.Words[0], strings.Join(slices.Sorted(maps.Keys(etcdWords)), ", "))
		case line.Block != nil || !word.takes(len(line.Words)-1):
			s.errorf(line.Pos, definition.Syntax, "usage: %s", word.usage)
		default:
			word.read(s, line)
		}
	}
	s.endpoints(l)
}

// An etcdWord is a word in the block of etcd.
type etcdWord struct {
	usage string
	takes func(words int) bool
	read  func(*stanza, definition.Line)
}

func exactly(n int) func(int) bool { return func(words int) bool { return words == n } }

var etcdWords = map[string]*etcdWord{
	"credentials": {"credentials USERNAME PASSWORD", exactly(2), (*stanza).etcdCredentials},
	"prefix":      {"prefix PREFIX", exactly(1), (*stanza).etcdPrefix},
	"snapshot":    {"snapshot PATH", exactly(1), (*stanza).etcdSnapshot},
	"timeout":     {"timeout DURATION", exactly(1), (*stanza).etcdTimeout},
	"tls":         {"tls [CERT KEY] [CACERT]", func(words int) bool { return words <= 3 }, (*stanza).etcdTLS},
}

// endpoints checks the endpoints of etcd.
func (s *stanza) endpoints(l definition.Line) {
	for i, endpoint := range s.fragments.Config.Endpoints {
		u, err := url.Parse(endpoint)
		if err == nil && u.User != nil {
			s.errorf(l.Pos, definition.Syntax, "endpoint %q: write credentials USERNAME PASSWORD into the block of etcd", u.Redacted())
			continue
		}
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Port() == "" || u.Path != "" {
			s.errorf(l.Pos, definition.Syntax, "endpoint %q: write HOST:PORT, or a URL like http://192.0.2.1:2379", l.Words[i+1])
		}
	}
	secure := func(endpoint string) bool { return strings.HasPrefix(endpoint, "https:") }
	if c := s.fragments.Config; c.TLS == nil && slices.ContainsFunc(c.Endpoints, secure) &&
		slices.ContainsFunc(c.Endpoints, func(e string) bool { return !secure(e) }) {
		s.errorf(l.Pos, definition.Syntax, "endpoints with and without TLS: write http:// or https:// before all of them")
	}
}

func (s *stanza) etcdPrefix(l definition.Line) { s.fragments.Config.SetPrefix(l.Words[1]) }

func (s *stanza) etcdCredentials(l definition.Line) {
	c := s.fragments.Config
	if c.Username, c.Password = l.Words[1], l.Words[2]; c.Username == "" || c.Password == "" {
		s.errorf(l.Pos, definition.Syntax, "credentials: the user name or the password is empty: write both")
	}
}

func (s *stanza) etcdTLS(l definition.Line) {
	var files []string
	for _, path := range l.Words[1:] {
		files = append(files, s.path(path))
	}
	if err := s.fragments.Config.SetTLS(files...); err != nil {
		s.errorf(l.Pos, definition.Syntax, "tls: %v: write [CERT KEY] [CACERT], the paths of files in PEM form", err)
	}
}

func (s *stanza) etcdSnapshot(l definition.Line) { s.fragments.Snapshot = s.path(l.Words[1]) }

func (s *stanza) etcdTimeout(l definition.Line) {
	d, err := time.ParseDuration(l.Words[1])
	if err != nil || d < shortestTimeout {
		s.errorf(l.Pos, definition.Syntax, "duration %q: write one of at least %v, like 5s", l.Words[1], shortestTimeout)
		return
	}
	s.fragments.Config.Timeout = d
}
