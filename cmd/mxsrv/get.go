package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

const getExamples = `  mxsrv get                              all fragments
  mxsrv get mail customers/              one, and those in a folder
  mxsrv get -o all.conf                  as a file that mxsrv put takes back
  mxsrv get --json | jq -r '.[] | select(.excluded) | .key'

Above each fragment is a comment with its key, and with the reason if servers exclude it.

Exit status: 0 servers serve all of it; 1 they exclude some; 2 usage or I/O error.`

func getCommand(u *ui) *cobra.Command {
	f := new(storeFlags)
	c := &cobra.Command{
		Use:     "get [NAME|FOLDER/...]",
		Short:   "Print the definitions in etcd",
		Long:    "Print the definitions in etcd, and which of them servers exclude, and why.",
		Example: getExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return f.get(u, args) },
	}
	u.addJSON(c)
	u.addOutput(c)
	f.add(c)
	c.ValidArgsFunction = complete(f.fragmentNames)
	return c
}

func (f *storeFlags) get(u *ui, names []string) error {
	s, err := f.store()
	if err != nil {
		return err
	}
	return f.open(u, s, func(entries []store.Entry, revision int64) error {
		selected, err := s.Select(entries, names)
		if err != nil {
			return err
		}
		var list []printed
		var ok bool
		u.during(doing("checking %d fragments", len(entries)), func() { list, ok = describe(s, entries, selected) })
		return u.result(list, ok, func() {
			for i, p := range list {
				p.print(u, i > 0)
			}
			u.note("%s below %s at revision %d", plural(len(list), "fragment"), s.Prefix, revision)
		})
	})
}

// printed is a fragment as get prints it. It is its own JSON.
type printed struct {
	Key      string        `json:"key"`
	Created  int64         `json:"created"`
	Changed  int64         `json:"revision"`
	Lease    string        `json:"lease,omitempty"` // in hexadecimal, as for etcdctl
	TTL      int64         `json:"ttl,omitempty"`   // seconds that the lease has left
	Text     string        `json:"text"`
	Excluded []jsonFinding `json:"excluded,omitempty"`

	why []lint.Finding
}

// describe returns what to print of selected entries, and whether servers serve all of them.
func describe(s *store.Store, entries, selected []store.Entry) (list []printed, ok bool) {
	excluded := s.Excluded(entries)
	left := s.Leases(selected)
	list, ok = []printed{}, true
	for _, e := range selected {
		p := printed{Key: e.Key, Created: e.Created, Changed: e.Revision, Text: e.Text, why: unique(excluded[e.Key])}
		p.Excluded = findingsJSON(p.why)
		if e.Lease != 0 {
			p.Lease, p.TTL = fmt.Sprintf("%x", e.Lease), left[e.Lease]
		}
		list, ok = append(list, p), ok && len(p.why) == 0
	}
	return list, ok
}

// mark starts the comments of get, which put removes.
const mark = "#: "

// print writes a fragment so that parsePrinted can read it.
func (p printed) print(u *ui, another bool) {
	if another {
		u.line("")
	}
	lease := ""
	if p.Lease != "" {
		lease = fmt.Sprintf(", lease %s with %v left", p.Lease, time.Duration(p.TTL)*time.Second)
	}
	u.line("%s", u.paint(bold, fmt.Sprintf("%s%s, revision %d%s", mark, printableKey(p.Key), p.Changed, lease)))
	for _, f := range p.why {
		u.line("%s", u.paint(red, mark+"excluded: "+printable(strings.ReplaceAll(f.String(), "\n", `\n`))))
	}
	u.line("%s", marked.ReplaceAllString(printable(strings.TrimRight(p.Text, "\n")), "# : "))
}

// printableKey returns a key as one word of one line, quoted if it is none.
func printableKey(key string) string {
	if isPrintable(key, "") && !strings.HasPrefix(key, `"`) && !strings.Contains(key, " ") {
		return key
	}
	return strconv.Quote(key)
}

// printable returns a text, or a quoted form of it in a comment if it could do harm to a terminal.
func printable(text string) string {
	if isPrintable(text, "\n\t") {
		return text
	}
	return fmt.Sprintf("# not text: %q", text)
}

// isPrintable reports whether a text can do no harm to a terminal: it has characters to be seen, blanks, and no others
// but these.
func isPrintable(text, these string) bool {
	odd := func(r rune) bool { return !unicode.IsPrint(r) && !strings.ContainsRune(these, r) }
	return utf8.ValidString(text) && !strings.ContainsFunc(text, odd)
}

var (
	head    = regexp.MustCompile(`(?m)^#: ("(?:[^"\\\n]|\\.)*"|\S+), revision \d+.*\n`) // is the comment above a fragment
	marked  = regexp.MustCompile(`(?m)^#: `)                                            // in a text must not look like one
	comment = regexp.MustCompile(`(?m)^#: .*\n?`)
)

// parsePrinted returns the fragments that get has printed, and nil for other texts.
func parsePrinted(text string) []change.Fragment {
	text = strings.TrimLeft(text, "\n")
	heads := head.FindAllStringSubmatchIndex(text, -1)
	if len(heads) == 0 || heads[0][0] != 0 {
		return nil
	}
	var fragments []change.Fragment
	for i, at := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		body := comment.ReplaceAllString(text[at[1]:end], "")
		key := text[at[2]:at[3]]
		if unquoted, err := strconv.Unquote(key); err == nil {
			key = unquoted
		}
		fragments = append(fragments, change.Fragment{Key: key, Text: store.Tidy(body)})
	}
	return fragments
}
