package publish

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mxsrv/mxsrv/plugin/admit"
	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// size says how much is served, like "2 names in 1 zone".
func (p *Publisher) size() string {
	return plural(p.Status().Total, "name") + " in " + plural(len(p.zones), "zone")
}

func plural(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// logRejected logs why a change was rejected, and what is served now. While fragments
// come and go the same errors may come with each change, and are logged once.
func (p *Publisher) logRejected(changed source.Source, err error) {
	if p.admitted == nil || err.Error() != p.rejected {
		p.logErrors(err)
	}
	p.observer.Error(fmt.Sprintf("%v: rejected: %s", changed, p.served()))
}

func (p *Publisher) logErrors(err error) {
	for line := range strings.Lines(err.Error()) {
		p.observer.Error(strings.TrimSpace(line))
	}
}

// served says what is served since the last good load.
func (p *Publisher) served() string {
	if loaded := p.Status().Loaded; !loaded.IsZero() {
		return fmt.Sprintf("the definitions loaded at %s are still served", loaded.Format(time.DateTime))
	}
	return "nothing is served yet"
}

func (p *Publisher) logWarnings(findings []lint.Finding) {
	for _, line := range lint.Lines(findings, lint.Warning) {
		p.observer.Warning(line)
	}
}

// logSerialsError logs why serials could not be saved, if so: once until they can be again, over reloads too.
func (p *Publisher) logSerialsError(err error) {
	if err != nil && (p.file == nil || !p.file.logged.Swap(true)) {
		p.observer.Error(fmt.Sprintf("%v: serials may fall at the next start", err))
	}
}

// logAdmission logs which names of fragments are excluded now, and which are no more, some of each rule; and counts the
// fragments of which some are excluded.
func (p *Publisher) logAdmission() {
	logged, fragments := make(map[string]int), make(map[*change.Fragment]bool)
	for _, d := range p.admitted.Decisions() {
		rule := ""
		if d.Excluded {
			rule = d.Rule()
			fragments[d.Fragment] = true
		}
		if logged[rule]++; logged[rule] <= maxFindings {
			p.logDecision(d)
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(logged)) {
		if more := logged[rule] - maxFindings; more > 0 && rule != "" {
			p.observer.Error(fmt.Sprintf("excluded: %d names more like this [%s]", more, rule))
		} else if more > 0 {
			p.observer.Info(fmt.Sprintf("%d names more are not excluded any more", more))
		}
	}
	p.observer.Excluded(len(fragments))
}

func (p *Publisher) logDecision(d admit.Decision) {
	if d.Excluded {
		p.observer.Error(fmt.Sprintf("excluded: %v", d.Finding()))
	} else {
		p.observer.Info(fmt.Sprintf("%s: %s is not excluded any more", d.Fragment.Source(), d.Name))
	}
}

// logUnread logs and counts fragments that have come and cannot be read.
func (p *Publisher) logUnread(errs definition.Errors) {
	if len(errs) == 0 {
		return
	}
	unread := make(map[string]bool)
	for _, e := range errs {
		unread[e.Source] = true
	}
	p.observer.Excluded(len(unread))
	for _, f := range lint.Check(new(definition.Set).Index(), errs, p.lint) {
		p.observer.Error(fmt.Sprintf("excluded: %v", f))
	}
}
