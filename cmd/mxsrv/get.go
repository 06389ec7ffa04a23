package main

import (
	"context"
	"fmt"
	plugchange "github.com/mxsrv/mxsrv/plugin/change"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/plugin/lint"
)

const getExamples = `  mxsrv get                              all fragments
  mxsrv get mail customers/              one, and those in a folder
  mxsrv get > all.conf                   as a file that mxsrv put takes back
  mxsrv get --json | jq -r '.[] | select(.left_out) | .key'

Above each fragment is a comment with its key, and with the reason if servers leave it out.

Exit code: 0 if servers serve all of it, 1 if they leave some out, 2 if it cannot be told.`

// getting is what the command line says of what to print.
type getting struct {
	storing
	json bool
}

func getCommand(u *ui) *cobra.Command {
	g := new(getting)
	c := &cobra.Command{
		Use:     "get [NAME|FOLDER/...]",
		Short:   "Print the definitions that are in etcd",
		Long:    "Print the definitions that are in etcd, with what servers leave out of them, and why.",
		Example: getExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return g.run(u, args) },
	}
	c.Flags().BoolVar(&g.json, "json", false, "print JSON")
	g.storing.flags(c)
	return c
}

func (g *getting) run(u *ui, names []string) error {
	s, err := g.open()
	if err != nil {
		return err
	}
	defer s.close()
	all, revision, err := s.list(context.Background())
	if err != nil {
		return err
	}
	chosen, err := s.choose(all, names)
	if err != nil {
		return err
	}
	shown := s.show(all, chosen)
	if g.json {
		err = u.json(shown)
	} else {
		for i, f := range shown {
			f.print(u, i > 0)
		}
		u.note("%s below %s at revision %d", plural(len(shown), "fragment"), s.Prefix, revision)
	}
	for _, f := range shown {
		if err == nil && len(f.LeftOut) > 0 {
			err = errNotFine
		}
	}
	return err
}

// shown is a fragment as get prints it, and its JSON.
type shown struct {
	Key     string        `json:"key"`
	Created int64         `json:"created"`
	Changed int64         `json:"revision"`
	Lease   string        `json:"lease,omitempty"` // in hexadecimal, as etcdctl has it
	TTL     int64         `json:"ttl,omitempty"`   // seconds that the lease has left
	Text    string        `json:"text"`
	LeftOut []jsonFinding `json:"left_out,omitempty"`

	faults []lint.Finding
}

// show returns what is to be printed of fragments among all.
func (s *store) show(all, chosen []kept) []shown {
	faults := s.faults(all)
	left := s.leases(chosen)
	list := []shown{}
	for _, k := range chosen {
		f := shown{Key: k.Key, Created: k.Created, Changed: k.changed, Text: k.Text, faults: faults[k.Key]}
		if k.lease != 0 {
			f.Lease, f.TTL = fmt.Sprintf("%x", k.lease), left[k.lease]
		}
		if len(f.faults) > 0 {
			f.LeftOut = findingsJSON(f.faults)
		}
		list = append(list, f)
	}
	return list
}

// leases asks how many seconds each lease has left. One that is not answered has
// none.
func (s *store) leases(all []kept) map[clientv3.LeaseID]int64 {
	ctx, cancel := context.WithTimeout(context.Background(), s.Timeout)
	defer cancel()
	left := map[clientv3.LeaseID]int64{}
	for _, k := range all {
		if _, asked := left[k.lease]; asked || k.lease == 0 {
			continue
		}
		left[k.lease] = 0
		if r, err := s.client.TimeToLive(ctx, k.lease); err == nil {
			left[k.lease] = max(r.TTL, 0)
		}
	}
	return left
}

// mark starts a comment that get writes and put leaves out.
const mark = "#: "

// print writes a fragment so that parsePrinted reads it.
func (f shown) print(u *ui, another bool) {
	if another {
		u.line("")
	}
	lease := ""
	if f.Lease != "" {
		lease = fmt.Sprintf(", lease %s with %v left", f.Lease, time.Duration(f.TTL)*time.Second)
	}
	u.line("%s", u.paint(bold, fmt.Sprintf("%s%s, revision %d%s", mark, printable(f.Key), f.Changed, lease)))
	for _, fault := range f.faults {
		u.line("%s", u.paint(red, fmt.Sprintf("%sleft out: %s", mark, format(fault))))
	}
	u.line("%s", printable(strings.TrimRight(f.Text, "\n")))
}

// printable returns a text that does a terminal no harm: of one that is none a
// comment.
func printable(text string) string {
	strange := func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' }
	if utf8.ValidString(text) && !strings.ContainsFunc(text, strange) {
		return text
	}
	return fmt.Sprintf("# not text: %q", text)
}

// headed is the comment above a fragment.
var headed = regexp.MustCompile(`(?m)^#: (\S+), revision \d+.*\n`)

// parsePrinted reads the fragments that get has printed. It returns nil for
// other texts.
func parsePrinted(text string) []plugchange.Fragment {
	text = strings.TrimLeft(text, "\n")
	heads := headed.FindAllStringSubmatchIndex(text, -1)
	if len(heads) == 0 || heads[0][0] != 0 {
		return nil
	}
	var fragments []plugchange.Fragment
	for i, at := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		fragments = append(fragments, plugchange.Fragment{Key: text[at[2]:at[3]], Text: tidy(unmark(text[at[1]:end]))})
	}
	return fragments
}

// unmark drops the comments of get.
func unmark(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, mark) {
			b.WriteString(line)
		}
	}
	return b.String()
}
