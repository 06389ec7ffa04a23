package etcd

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/atomicfile"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A snapshot is what was known of the fragments below a prefix at some time, in a file: a line that says so, and one
// for each fragment, sorted by key: the key, the revision at which it came to be, and the text. Keys and texts are
// quoted as in Go, because they may hold anything.
type snapshot struct {
	state
	prefix string
	time   time.Time // when it was written
}

// heading is the form of the first line. In version 2 the digits at the end are the CRC-32 of the line up
// to them and of the lines that follow; in version 1, which is still read, of the latter alone.
const (
	version  = 2
	title    = "mxsrv snapshot "
	heading  = title + "%d: prefix %q revision %d time %s fragments %d crc32 " + checksum
	checksum = "%08x\n"
)

// encode writes a snapshot.
func (s snapshot) encode() []byte {
	var body []byte
	for _, key := range slices.Sorted(maps.Keys(s.fragments)) {
		f := s.fragments[key]
		body = fmt.Appendf(body, "%q %d %q\n", f.Key, f.Created, f.Text)
	}
	head := fmt.Sprintf(strings.TrimSuffix(heading, checksum),
		version, s.prefix, s.revision, s.time.UTC().Format(time.RFC3339), len(s.fragments))
	sum := crc32.Update(crc32.ChecksumIEEE([]byte(head)), crc32.IEEETable, body)
	return append(fmt.Appendf([]byte(head), checksum, sum), body...)
}

// decode reads a snapshot. Its error says what is wrong with it.
func decode(text string) (snapshot, error) {
	head, body, _ := strings.Cut(text, "\n")
	var s snapshot
	var at string
	var form, count int
	var sum, want uint32
	if err := checkVersion(head); err != nil {
		return s, err
	}
	_, err := fmt.Sscanf(head+"\n", heading, &form, &s.prefix, &s.revision, &at, &count, &sum)
	if err != nil || form < 1 {
		return s, errors.New("it does not start as a snapshot")
	}
	if s.time, err = time.Parse(time.RFC3339, at); err != nil {
		return s, errors.New(definition.Sprintf("it has no time, but %q", at))
	}
	if form > 1 {
		want = crc32.ChecksumIEEE([]byte(head[:strings.LastIndexByte(head, ' ')+1]))
	}
	if crc32.Update(want, crc32.IEEETable, []byte(body)) != sum || s.revision < 0 {
		return s, errors.New("it is not as it was written")
	}
	s.fragments = make(map[string]change.Fragment)
	for line := range strings.Lines(body) {
		f, ok := decodeFragment(line)
		if !ok {
			return s, fmt.Errorf("fragment %d is none", len(s.fragments)+1)
		}
		s.fragments[f.Key] = f
	}
	if len(s.fragments) != count {
		return s, fmt.Errorf("it has %d fragments in place of %d", len(s.fragments), count)
	}
	return s, nil
}

// checkVersion returns an error if a first line is that of a newer version, whatever else is in it.
func checkVersion(head string) error {
	word, _, _ := strings.Cut(strings.TrimPrefix(head, title), ":")
	if number, err := strconv.Atoi(word); err == nil && number > version && strings.HasPrefix(head, title) {
		return atomicfile.OtherVersion(word, version)
	}
	return nil
}

// decodeFragment reads a line.
func decodeFragment(line string) (f change.Fragment, ok bool) {
	key, rest, ok := cutQuoted(line)
	created, rest, spaced := strings.Cut(strings.TrimPrefix(rest, " "), " ")
	number, err := strconv.ParseInt(created, 10, 64)
	text, end, quoted := cutQuoted(rest)
	return change.Fragment{Key: key, Text: text, Created: number}, ok && spaced && err == nil && quoted && end == "\n"
}

// cutQuoted reads a quoted string at the start of s, and returns what follows.
func cutQuoted(s string) (text, rest string, ok bool) {
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", s, false
	}
	text, err = strconv.Unquote(quoted)
	return text, s[len(quoted):], err == nil
}

// readSnapshot reads the snapshot of a prefix from a file. There may be none.
func readSnapshot(path, prefix string) (snapshot, error) {
	text, err := atomicfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return snapshot{}, nil
	}
	if err != nil {
		return snapshot{}, atomicfile.Cause(err)
	}
	s, err := decode(string(text))
	if err == nil && s.prefix != prefix {
		err = errors.New(definition.Sprintf("it is of prefix %q, not %q", s.prefix, prefix))
	}
	if err != nil {
		return snapshot{}, err
	}
	delete(s.fragments, prefix+markName)
	return s, nil
}

// writeSnapshot writes a file that its owner alone may read: there may be things in
// comments that are not in answers. A symbolic link to it stays.
func writeSnapshot(path string, s snapshot) error {
	return atomicfile.Write(atomicfile.RealPath(path), 0o600, s.encode())
}
