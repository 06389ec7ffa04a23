package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

const checkExamples = `  mxsrv check                            ./Corefile, with what it imports and the files that it names
  mxsrv check /etc/coredns/Corefile
  mxsrv check --zone example.com hosts.conf mail.conf   definitions files
  mxsrv check --online                   query the resolver of this machine, too
  mxsrv check --online --server 192.0.2.53   or another server
  mxsrv check --probe                    probe all targets that have a check once, from here
  mxsrv check --json | jq -r '.[].id'
  mxsrv check --ignore mail-single-host --strict
  mxsrv check --rules                    list what it looks for

Exit status: 0 no findings, or only warnings; 1 errors, with --strict any findings,
or with --probe a target that is down; 2 usage or I/O error.`

type checkFlags struct {
	readFlags
	strict, online, rules, probe bool
	server                       string
	ignore                       []string // rules
}

func checkCommand(u *ui) *cobra.Command {
	f := new(checkFlags)
	c := &cobra.Command{
		Use:     "check [COREFILE|FILE...]",
		Short:   "Find mistakes in definitions",
		Long:    "Find mistakes in the mxsrv blocks of a Corefile and the files that they name, or in\ndefinitions files. A Corefile is read as CoreDNS reads it.",
		Example: checkExamples,
		RunE:    func(_ *cobra.Command, args []string) error { return f.run(u, args) },
	}
	c.Flags().BoolVar(&f.strict, "strict", false, "exit with 1 for warnings, too")
	u.addJSON(c)
	c.Flags().BoolVar(&f.online, "online", false, "query DNS, too: do hosts in other zones exist, does the server answer as declared, are policies published?")
	c.Flags().BoolVar(&f.probe, "probe", false, "probe the targets that have a check, each once, from here: which are up?")
	c.Flags().BoolVar(&f.rules, "rules", false, "list the rules, and check nothing")
	c.Flags().StringVar(&f.server, "server", "", "the DNS server at `ADDR` for --online (default that in "+resolvConf+")")
	c.Flags().StringSliceVar(&f.ignore, "ignore", nil, "accept the warnings of `RULE`; repeat it for several")
	f.readFlags.add(c)
	f.addBlock(c)
	f.completeFiles(c)
	completeFlag(c, "ignore", ignorableRules)
	return c
}

func (f *checkFlags) run(u *ui, paths []string) error {
	if f.rules {
		return f.listRules(u)
	}
	if f.server != "" && !f.online {
		return hint.Add(errors.New("--server is for --online"), "mxsrv check --online --server %s", f.server)
	}
	if err := f.checkIgnore(); err != nil {
		return err
	}
	if len(paths) == 0 {
		paths = []string{defaultCorefile}
	}
	all, err := f.read(u, paths)
	if err != nil {
		return err
	}
	findings, err := f.find(u, all)
	if err != nil {
		return err
	}
	ok := len(findings) == 0 || count(findings, lint.Error) == 0 && !f.strict
	if f.probe {
		return f.printProbed(u, findings, ok, f.probeTargets(u, all))
	}
	return u.result(findingsJSON(findings), ok, func() {
		u.findings(findings)
		noteRelative(u, all)
		noteTrees(u, all)
		u.note("%s in %s", summary(findings), strings.Join(paths, " "))
	})
}

// probeTargets probes the targets of all server blocks, or of those that --block means.
func (f *checkFlags) probeTargets(u *ui, all []*served) (targets []probed) {
	for _, s := range all {
		if f.block == "" || s.chosen {
			some := s.targets()
			s.probeAll(context.Background(), u, some)
			targets = append(targets, some...)
		}
	}
	return targets
}

// printProbed prints findings, and what came of probes.
func (f *checkFlags) printProbed(u *ui, findings []lint.Finding, ok bool, targets []probed) error {
	value := struct {
		Findings []jsonFinding `json:"findings"`
		Targets  []probed      `json:"targets"`
	}{findingsJSON(findings), slices.Concat([]probed{}, targets)}
	return u.result(value, ok && !slices.ContainsFunc(targets, probed.isDown), func() {
		u.findings(findings)
		u.table("", convert(targets, func(p probed) []string { return p.row(u) }))
		u.note("%s; of the targets that are checked: %s", summary(findings), stateSummary(targets))
	})
}

// noteRelative notes where relative paths were looked for if the servers may look elsewhere.
func noteRelative(u *ui, all []*served) {
	noted := map[string]bool{"": true}
	for _, s := range all {
		if dir, err := filepath.Abs(s.dir); err == nil && !noted[s.dir] {
			noted[s.dir] = true
			u.note("the relative paths of %s are below %s here; a server looks for them below the directory that it is started in: "+
				"write root %s into the server block, and both are the same", s.name, dir, dir)
		}
	}
}

// noteTrees notes how many keys there are of trees.
func noteTrees(u *ui, all []*served) {
	for _, s := range all {
		if s.tree != nil {
			u.note("%v: %s of a tree in etcd, of which %d excluded", s.block, plural(s.tree.Keys, "key"), len(s.tree.Excluded))
		}
	}
}

// checkIgnore returns an error if a rule of --ignore cannot be ignored.
func (f *checkFlags) checkIgnore() error {
	for _, id := range f.ignore {
		if err := lint.Ignorable(id, allRules()); err != nil {
			return hint.Add(fmt.Errorf("--ignore: %v", err), "mxsrv check --rules")
		}
	}
	return nil
}

// find returns all findings but those that are ignored.
func (f *checkFlags) find(u *ui, all []*served) (findings []lint.Finding, err error) {
	if f.block != "" {
		all = filter(all, func(s *served) bool { return s.chosen })
	}
	for _, s := range all {
		findings = slices.Concat(findings, s.findings, s.excluded)
	}
	if f.online {
		var found []lint.Finding
		found, err = f.query(u, all)
		findings = append(findings, found...)
	}
	ignored := func(finding lint.Finding) bool {
		return finding.Rule.Severity == lint.Warning && slices.Contains(f.ignore, finding.Rule.ID)
	}
	return slices.DeleteFunc(unique(findings), ignored), err
}

// query returns what the answers of a DNS server show to be wrong.
func (f *checkFlags) query(u *ui, all []*served) ([]lint.Finding, error) {
	from, err := parseServer(f.server)
	if f.server == "" {
		if from, err = systemResolver(); err != nil {
			return nil, hint.Add(err, "mxsrv check --online --server ADDR")
		}
	}
	if err != nil {
		return nil, err
	}
	var findings []lint.Finding
	for _, s := range all {
		findings = append(findings, checkOnline(u, s, from)...)
	}
	if !u.asJSON {
		u.note("queried %s", from.addr)
	}
	return findings, from.failed()
}

type jsonRule struct {
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Doc      string `json:"doc"`
	RFC      string `json:"rfc,omitempty"`
}

func (f *checkFlags) listRules(u *ui) error {
	rules := convert(allRules(), func(r lint.Rule) jsonRule {
		return jsonRule{r.ID, r.Severity.String(), r.Doc, r.RFC}
	})
	return u.result(rules, true, func() {
		u.table("", convert(rules, func(r jsonRule) []string { return []string{r.ID, r.Severity, r.Doc, r.RFC} }))
	})
}
