package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/atomicfile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

const (
	policyFormat = "mta-sts"
	policyPath   = ".well-known/mta-sts.txt" // of the policy on its web server (RFC 8461 §3.2)
)

// policyFlags say what is in MTA-STS policies beside the exchanges, and where they are written.
type policyFlags struct{ out, mode, maxAge string }

var modes = []string{definition.Testing, definition.Enforce, definition.NoMode}

func (f *policyFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.out, "out", "", "with mta-sts: write the policy of each domain to a file below `DIR`, where a web server finds it")
	c.Flags().StringVar(&f.mode, "mode", "", "with mta-sts: the `MODE` of the policies: "+strings.Join(modes, ", ")+
		" (default that of the present policy, or testing)")
	c.Flags().StringVar(&f.maxAge, "max-age", "", "with mta-sts: the `TIME` that senders keep the policies, like 1w (default that of the present policy, or 1w)")
	c.RegisterFlagCompletionFunc("mode", cobra.FixedCompletions(modes, cobra.ShellCompDirectiveNoFileComp))
	c.MarkFlagDirname("out")
}

// check returns an error for flags that cannot be, or are for another format.
func (f *policyFlags) check(format string) error {
	for _, flag := range []struct{ name, value string }{{"out", f.out}, {"mode", f.mode}, {"max-age", f.maxAge}} {
		if flag.value != "" && format != policyFormat {
			return hint.Add(fmt.Errorf("--%s is for --format %s", flag.name, policyFormat),
				"mxsrv render --format %s --%s %s", policyFormat, flag.name, flag.value)
		}
	}
	if f.mode != "" && !slices.Contains(modes, f.mode) {
		return fmt.Errorf("--mode %s: write one of %s", f.mode, strings.Join(modes, ", "))
	}
	_, err := f.age(0)
	return err
}

// age returns the age of --max-age, or else a present one.
func (f *policyFlags) age(present uint32) (uint32, error) {
	if f.maxAge == "" {
		return present, nil
	}
	seconds, err := definition.ParseSeconds(f.maxAge)
	if err != nil || seconds < 0 || seconds > definition.MaxPolicyAge {
		return 0, fmt.Errorf("--max-age %s: write seconds up to %d, or a duration like 1w or 1d", f.maxAge, definition.MaxPolicyAge)
	}
	return uint32(seconds), nil
}

// mends reports whether the policies that are written mend what is wrong. One that cannot be read may be enforced: only
// with --mode another takes its place.
func (f *renderFlags) mends(wrong lint.Finding) bool {
	isKeyFile := strings.HasPrefix(wrong.Text, `"`) // no definitions file, which may have exchanges
	return f.format == policyFormat && (wrong.Rule.ID == "mta-sts-mx" ||
		wrong.Rule.ID == definition.FileUnreadable && isKeyFile && f.mode != "")
}

// A domainPolicy is the MTA-STS policy of a mail domain.
type domainPolicy struct {
	definition.Owner
	pos     definition.Pos     // of the line that says that there is one
	present *definition.Policy // of the file that the line names, or nil
}

// policiesOf returns the MTA-STS policies that are declared, by an mta-sts line or as records.
func policiesOf(x *definition.Index) (all []domainPolicy) {
	for o := range x.Owners() {
		if p, ok := policyOf(x, o); ok {
			all = append(all, p)
		}
	}
	return all
}

// policyOf returns the policy of a name, if that is a mail domain with one.
func policyOf(x *definition.Index, o definition.Owner) (p domainPolicy, ok bool) {
	p.Owner = o
	if len(o.Exchanges()) == 0 {
		return p, false
	}
	for _, m := range o.Mails() {
		if m.Policy == nil || ok {
			continue
		}
		p.pos, ok = m.Pos, true
		if m.Policy.ID != "" {
			p.present = m.Policy
		}
	}
	for _, r := range x.At("_mta-sts." + o.Name()).Records() {
		if r.Type == dns.TypeTXT {
			p.pos, ok = r.Pos, true
		}
	}
	return p, ok
}

// webServer returns the name of the host with the policy.
func (p domainPolicy) webServer() definition.Name { return "mta-sts." + p.Name() }

// A policyFile is the policy that is written of a domain.
type policyFile struct {
	domain  definition.Name
	path    string // "" without --out
	changed bool
	text    string
	*definition.Policy
}

// renderPolicies writes the policies of the mail domains in some zones.
func (f *renderFlags) renderPolicies(u *ui, all []*served, zones definition.Zones) error {
	u.asJSON = f.json
	files, err := f.policyFiles(all, zones)
	switch {
	case err != nil:
		return err
	case len(files) == 0:
		return hint.Add(fmt.Errorf("no mail domain in %s has an mta-sts line that can be read: write one, and --mode if its "+
			"file is yet to be made", listZones(zones)), "mxsrv render --format mta-sts --mode testing")
	case f.out != "":
		return writePolicies(u, files)
	case f.json:
		return u.json(convert(files, policyFile.json))
	}
	return printPolicy(u, files)
}

// policyFiles returns the policies of mail domains, in the order of the server blocks.
func (f *renderFlags) policyFiles(all []*served, zones definition.Zones) (files []policyFile, err error) {
	for _, s := range all {
		zoneOf := s.zones.Set()
		here := definition.Zones(filter(s.zones, func(zone definition.Name) bool {
			return slices.Contains(zones, zone) && serving(all, zone)[0] == s
		})).Set()
		for _, p := range policiesOf(s.index) {
			if !here[zoneOf.Of(p.Name())] {
				continue
			}
			file, err := f.policyFile(p)
			if err != nil {
				return nil, fmt.Errorf("policy of %s: %v", p.Name(), err)
			}
			files = append(files, file)
		}
	}
	return files, nil
}

// policyFile returns the policy of a domain, as it is to be written.
func (f *policyFlags) policyFile(p domainPolicy) (file policyFile, err error) {
	file.domain = p.Name()
	present, before := p.present, ""
	if f.out != "" {
		file.path = filepath.Join(f.out, strings.TrimSuffix(string(p.webServer()), "."), filepath.FromSlash(policyPath))
		if present, before, err = f.written(file.path, present); err != nil {
			return file, err
		}
	}
	if present == nil {
		const week = 7 * 24 * 60 * 60
		present = &definition.Policy{Mode: definition.Testing, MaxAge: week}
	}
	age, _ := f.age(present.MaxAge)
	file.text = definition.NewPolicy(cmp.Or(f.mode, present.Mode), age, p.Exchanges()).Text()
	file.changed = file.path != "" && file.text != before
	file.Policy, err = definition.ParsePolicy(file.text)
	return file, err
}

// written returns the policy that was written before, if no present one is known, and the text of its file.
func (f *policyFlags) written(path string, present *definition.Policy) (*definition.Policy, string, error) {
	text, err := atomicfile.Read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return present, "", nil
	case err != nil:
		return nil, "", pathError(path, err)
	case present != nil:
		return present, string(text), nil
	}
	present, err = definition.ParsePolicy(string(text))
	switch {
	case err == nil:
		return present, string(text), nil
	case f.mode != "":
		return nil, string(text), nil
	}
	return nil, "", fmt.Errorf("%s: %v: correct it, or write --mode", path, err)
}

// printPolicy prints the one policy that all domains have.
func printPolicy(u *ui, files []policyFile) error {
	for _, other := range files[1:] {
		if other.text != files[0].text {
			return hint.Add(fmt.Errorf("the policies of %s and %s differ: write a file for each with --out",
				files[0].domain, other.domain), "mxsrv render --format mta-sts --out DIR")
		}
	}
	_, err := fmt.Fprint(u.out, files[0].text)
	return err
}

// writePolicies writes the files that are not yet as they are to be.
func writePolicies(u *ui, files []policyFile) error {
	for _, f := range files {
		if !f.changed {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
			return err
		}
		if err := replaceFile(f.path, []byte(f.text)); err != nil {
			return pathError(f.path, err)
		}
	}
	return u.result(convert(files, policyFile.json), true, func() {
		for _, f := range files {
			did := "unchanged"
			if f.changed {
				did = "written"
			}
			u.line("%s: %s, mode %s, id %s", f.path, did, f.Mode, f.ID)
		}
	})
}

type jsonPolicy struct {
	Domain  definition.Name `json:"domain"`
	Mode    string          `json:"mode"`
	MaxAge  uint32          `json:"max_age"`
	MX      []string        `json:"mx"`
	ID      string          `json:"id"`
	Text    string          `json:"text"`
	Path    string          `json:"path,omitempty"`
	Changed bool            `json:"changed,omitempty"`
}

func (f policyFile) json() jsonPolicy {
	return jsonPolicy{f.domain, f.Mode, f.MaxAge, f.MX, f.ID, f.text, f.path, f.changed}
}
