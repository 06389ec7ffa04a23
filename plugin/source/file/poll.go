package file

import (
	"context"
	"time"
)

// poll calls load with what there is now whenever that should be read, until ctx ends; with interval 0 never. Views
// returns what there is now, and what there was at the last load.
func poll(ctx context.Context, interval time.Duration, views func() (now, seen view), load func(now view)) {
	if interval <= 0 {
		return
	}
	tick := time.NewTicker(interval / polls)
	defer tick.Stop()
	var wait settle
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now, seen := views()
			if wait.poll(now, seen) {
				load(now)
			}
		}
	}
}

const (
	polls       = 8         // in an interval
	stablePolls = 4         // that show the same before a change is read
	replacing   = 7         // polls after which files are read that are replaced again and again
	writing     = 8 * polls // polls after which they are read in any case
)

// settle decides when a change is read: once it is over, or when waiting any longer would break the promise of the
// interval. It does not shorten the time in which a file may be gone or be written: editors rename the old one and
// then write anew, and half a file may read like a complete one.
type settle struct {
	last     view
	changing int // polls since there was a change to read
	stable   int // polls that showed the same
	replaced int // polls that showed the same or other files, but none gone, new or being written
}

// poll takes what there is now, and what was there at the last load, and returns whether to load.
func (p *settle) poll(now, seen view) bool {
	p.changing, p.stable, p.replaced = p.changing+1, p.stable+1, p.replaced+1
	if now.equal(seen) {
		p.changing = 0
	}
	if !now.equal(p.last) {
		p.stable = 0
	}
	if !now.replaces(p.last) {
		p.replaced = 0
	}
	p.last = now
	due := p.changing > 0 && (p.stable >= stablePolls ||
		p.replaced >= stablePolls && p.changing >= replacing || p.changing >= writing)
	if due {
		p.changing = 0
	}
	return due
}
