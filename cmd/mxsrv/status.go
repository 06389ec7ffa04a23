package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
	"github.com/mxsrv/mxsrv/plugin/table"
)

const statusExamples = `  mxsrv status --metrics http://127.0.0.1:9153   what a server knows, by its metrics
  mxsrv status --corefile Corefile       probe all targets once, from here, and say what servers would hide
  mxsrv status --metrics 192.0.2.53:9153 --watch
                                         each change as it comes, until interrupted

The metrics say what is up, down, drained and failed open. A Corefile says what is hidden, too; and if its state file is
at hand, since when a target is what it is.

Exit status: 0 all is up; 1 a target is down, or a name has no target that is up; 2 usage or I/O error.`

type statusFlags struct {
	readFlags
	corefile, metrics string
	watch             bool
	interval          time.Duration
}

func statusCommand(u *ui) *cobra.Command {
	f := new(statusFlags)
	c := &cobra.Command{
		Use:     "status --metrics URL | --corefile COREFILE",
		Short:   "Show which targets are up, and what is hidden",
		Long:    "Show which of the targets that are checked are up, why others are down, what is hidden\nof answers, and what fails open.",
		Example: statusExamples,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return f.run(u) },
	}
	c.Flags().StringVar(&f.corefile, "corefile", "", "probe what a `COREFILE` checks (default ./Corefile, without --metrics)")
	c.Flags().StringVar(&f.metrics, "metrics", "", "read the metrics of a server at a `URL`, that of its prometheus plugin")
	c.Flags().BoolVar(&f.watch, "watch", false, "go on, and print what has changed, also in a Corefile and what it names")
	c.Flags().DurationVar(&f.interval, "interval", 5*time.Second, "how often --watch looks for changes")
	u.addJSON(c)
	c.Flags().StringVar(&f.root, "root", "", "the `DIR` of relative paths in the Corefile (default its own)")
	f.addBlock(c)
	completeFlag(c, "block", func([]string, string) []string { return f.blockNames(f.corefile) })
	return c
}

// A status is what is known of the targets of servers. It is its own JSON.
type status struct {
	Targets    []probed     `json:"targets"`
	Drained    []string     `json:"drained"`
	Hidden     []restricted `json:"hidden,omitempty"` // not by metrics
	FailedOpen []string     `json:"failed_open"`      // names of which all targets are down, and are answered
	byMetrics  bool         // which lack targets of which nothing is known yet
}

// restricted is what is hidden of an RRset.
type restricted struct {
	Name   string   `json:"name"`
	Type   string   `json:"type"`
	Hidden []string `json:"hidden"` // data of records
}

func (f *statusFlags) run(u *ui) error {
	look, err := f.source(u)
	switch {
	case err != nil:
		return err
	case f.interval < 100*time.Millisecond:
		return hint.Add(fmt.Errorf("interval %v: write at least 100ms", f.interval), "--interval 5s")
	case f.watch && u.asJSON:
		return errors.New("--watch and --json: write one of them")
	}
	if f.watch {
		return f.follow(u, look)
	}
	s, err := look(context.Background())
	if err != nil {
		return err
	}
	return u.result(s, s.ok(), func() { s.print(u) })
}

// source returns what finds out the status.
func (f *statusFlags) source(u *ui) (func(context.Context) (*status, error), error) {
	switch {
	case f.corefile != "" && f.metrics != "":
		return nil, errors.New("--corefile and --metrics: write one of them")
	case f.metrics != "":
		return func(ctx context.Context) (*status, error) { return scrape(ctx, f.metrics) }, nil
	}
	path := cmp.Or(f.corefile, defaultCorefile)
	if _, err := os.Stat(path); err != nil && f.corefile == "" {
		return nil, hint.Add(errors.New("no ./Corefile here: write --metrics or --corefile"), "mxsrv status --metrics http://127.0.0.1:9153")
	}
	blocks, err := f.readValid(u, []string{path}, nil)
	if err != nil {
		return nil, err
	}
	again := false // what may have changed is read; a stream cannot
	return func(ctx context.Context) (*status, error) {
		if again {
			if blocks, err = f.readValid(u, []string{path}, nil); err != nil {
				return nil, err
			}
		}
		again = !isStream(path)
		return f.probe(ctx, u, blocks), nil
	}, nil
}

// follow prints the status whenever it has changed, until interrupted.
func (f *statusFlags) follow(u *ui, look func(context.Context) (*status, error)) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ticker := time.NewTicker(f.interval)
	defer ticker.Stop()
	u.noted = make(map[string]bool)
	before := ""
	for {
		s, err := look(ctx)
		text := ""
		if err != nil {
			text = "error: " + err.Error() + "\n"
		} else {
			text = s.text(u)
		}
		if ctx.Err() != nil || u.output.err != nil {
			return nil
		}
		if text != before {
			u.line("%s", u.paint(bold, time.Now().Format(time.DateTime)))
			u.line("%s", text)
			before = text
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// probe probes the targets of server blocks, or of those that --block means.
func (f *statusFlags) probe(ctx context.Context, u *ui, blocks []*served) *status {
	s := &status{Targets: []probed{}, Drained: []string{}, FailedOpen: []string{}}
	for _, b := range blocks {
		if f.block != "" && !b.chosen {
			continue
		}
		targets := b.targets()
		b.probeAll(ctx, u, targets)
		b.addSince(u, targets)
		s.Targets = append(s.Targets, targets...)
		s.addAnswers(b, targets)
	}
	s.FailedOpen, s.Drained = sortedOnce(s.FailedOpen), sortedOnce(s.Drained)
	return s
}

func sortedOnce(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// addAnswers adds what verdicts make of the answers of a server block.
func (s *status) addAnswers(b *served, targets []probed) {
	verdicts := make(map[definition.Probe]table.Verdict)
	for _, p := range targets {
		verdicts[p.probe] = verdictOf[p.State]
	}
	t := b.compile().With(verdicts, nil)
	for r := range t.Health() {
		name, qtype := plainName(r.Owner), dns.TypeToString[r.Type]
		if r.FailsOpen {
			s.FailedOpen = append(s.FailedOpen, name+" "+qtype)
		}
		if len(r.Hidden) > 0 {
			s.Hidden = append(s.Hidden, restricted{name, qtype, rdata(r.Hidden)})
		}
	}
	for _, host := range t.Drained() {
		s.Drained = append(s.Drained, plainName(host))
	}
}

// verdictOf has the verdicts of tables by the states of targets.
var verdictOf = map[string]table.Verdict{
	health.Up.String(): table.Up, health.Down.String(): table.Down, health.Unreachable.String(): table.Unreachable,
}

// addSince adds since when targets are what they are, where the state file of the server is at hand and says the same.
func (b *served) addSince(u *ui, targets []probed) {
	if b.checks.State == "" {
		return
	}
	verdicts, err := health.ReadState(b.checks.State)
	if err != nil {
		u.note("%v", err)
	}
	for i := range targets {
		p := &targets[i]
		if v, ok := verdicts[p.probe]; ok && v.State.String() == p.State {
			p.Since = &v.Since
		}
	}
}

func (s *status) ok() bool {
	return len(s.FailedOpen) == 0 && !slices.ContainsFunc(s.Targets, probed.isDown)
}

// text returns what print prints.
func (s *status) text(u *ui) string {
	var b bytes.Buffer
	to := *u
	to.out = &b
	for i := range s.Targets {
		s.Targets[i].took = 0 // which is another each time
	}
	s.print(&to)
	return b.String()
}

func (s *status) print(u *ui) {
	switch {
	case len(s.Targets) > 0:
	case s.byMetrics:
		u.line("no target is known to be up or down")
	default:
		u.line("no target is checked")
	}
	u.table("", convert(s.Targets, func(p probed) []string { return p.row(u) }))
	u.section("drained", rows(s.Drained))
	u.section("hidden", convert(s.Hidden, func(r restricted) []string {
		return []string{r.Name, r.Type, strings.Join(r.Hidden, ", ")}
	}))
	u.section("all targets are down, and all are answered", rows(s.FailedOpen))
}

func rows(names []string) [][]string {
	return convert(names, func(name string) []string { return []string{name} })
}
