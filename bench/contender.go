package main

import "slices"

// of returns a figure of each turn.
func (one *contender) of(figure func(turn) float64) []float64 {
	var all []float64
	for _, t := range one.turns {
		all = append(all, figure(t))
	}
	return all
}

func qps(t turn) float64 { return t.qps }

func cpu(t turn) float64 { return t.cpu }

// limit marks what was the limit, if it was not the server.
func (one *contender) limit() string {
	const most = 0.95
	server := spreadOf(one.of(func(t turn) float64 { return t.busy })).median
	load := spreadOf(one.of(func(t turn) float64 { return t.loadBusy })).median
	switch {
	case server >= most:
		return ""
	case load >= most:
		return " †"
	default:
		return " ‡"
	}
}

// find returns a contender that has had turns, or nil.
func (c *contest) find(name string) *contender {
	i := slices.IndexFunc(c.contenders, func(one *contender) bool { return one.name == name && len(one.turns) > 0 })
	if i < 0 {
		return nil
	}
	return c.contenders[i]
}

// ratios divides a figure of two contenders, round by round.
func ratios(a, b *contender, figure func(turn) float64) []float64 {
	var all []float64
	for _, x := range a.turns {
		for _, y := range b.turns {
			if x.round == y.round {
				all = append(all, figure(x)/figure(y))
			}
		}
	}
	return all
}
