package store

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
)

// validName keeps names apart from each other in a shell, a log and a path.
var validName = regexp.MustCompile(`^[^\s/.#"'\\][^\s"'\\]*$`)

// Keys returns the keys of names. A name may be a key, as List returns it, and that of a folder if it ends in "/".
func (s *Store) Keys(names ...string) ([]string, error) {
	var keys []string
	for _, name := range names {
		key := name
		if !strings.HasPrefix(name, s.Prefix) {
			key = s.Key(name)
		}
		if !validName.MatchString(strings.TrimPrefix(key, s.Prefix)) {
			return nil, fmt.Errorf("name %q: write one like mail or customers/example.com, without blanks and quotes, that does not start with a dot", name)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// Internal reports whether a key is one that the servers use among themselves.
func (s *Store) Internal(key string) bool { return strings.HasPrefix(key, s.Prefix+".") }

// Matches reports whether a key is one of some, or in a folder that is one of them.
func Matches(key string, keys []string) bool {
	for _, k := range keys {
		if key == k || strings.HasSuffix(k, "/") && strings.HasPrefix(key, k) {
			return true
		}
	}
	return false
}

// Select returns the entries that have one of some names or are in one of these folders. A name without an entry is an
// error. Without names it returns all but internal ones.
func (s *Store) Select(entries []Entry, names []string) ([]Entry, error) {
	keys, err := s.Keys(names...)
	if err != nil {
		return nil, err
	}
	for i, key := range keys {
		if !slices.ContainsFunc(entries, func(e Entry) bool { return Matches(e.Key, keys[i:i+1]) }) {
			return nil, hint.Add(fmt.Errorf("there is no %s in etcd", key), "mxsrv get, without %s, lists all", names[i])
		}
	}
	var selected []Entry
	for _, e := range entries {
		if len(keys) == 0 && !s.Internal(e.Key) || Matches(e.Key, keys) {
			selected = append(selected, e)
		}
	}
	return selected, nil
}
