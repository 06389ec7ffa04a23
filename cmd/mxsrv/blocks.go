package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

// A block is a server block of a Corefile by what tells it from others. One zone may be in several: in a view each, or
// on a port each.
type block struct {
	pos  definition.Pos // of its first mxsrv stanza; the zero value is no server block
	keys []string
	view string // the name of its view, or ""
}

func blockOf(pos definition.Pos, b caddyfile.ServerBlock) block {
	named := block{pos: pos, keys: b.Keys}
	if tokens := b.Tokens["view"]; len(tokens) > 1 {
		named.view = tokens[1].Text
	}
	return named
}

func (b block) String() string {
	if b.view != "" {
		return fmt.Sprintf("%v (view %s)", b.pos, b.view)
	}
	return fmt.Sprintf("%v (%s)", b.pos, strings.Join(b.keys, " "))
}

// is reports whether a word of --block means the block: its view, one of its keys, or the line of its mxsrv.
func (b block) is(word string) bool {
	return word == b.view || word == b.pos.String() || word == strconv.Itoa(b.pos.Line) || slices.Contains(b.keys, word)
}

// addBlock adds --block to a command.
func (f *readFlags) addBlock(c *cobra.Command) {
	c.Flags().StringVar(&f.block, "block", "", "of several server blocks for one zone, that with this `VIEW`, key or line")
}

// choose marks the server blocks that --block means.
func (f *readFlags) choose(all []*served) error {
	if f.block == "" {
		return nil
	}
	found := false
	for _, s := range all {
		s.chosen = s.block.pos.Line > 0 && s.block.is(f.block)
		found = found || s.chosen
	}
	if !found {
		return fmt.Errorf("--block %s: no server block has this view, key or line: there are %s", f.block, listBlocks(all))
	}
	return nil
}

// holding returns the server blocks that a zone is in.
func holding(all []*served, zone definition.Name) []*served {
	return filter(all, func(s *served) bool { return slices.Contains(s.zones, zone) })
}

// serving returns what serves a zone: the server blocks that --block means, if one of them does, else all.
func serving(all []*served, zone definition.Name) []*served {
	several := holding(all, zone)
	if slices.ContainsFunc(several, func(s *served) bool { return s.chosen }) {
		return filter(several, func(s *served) bool { return s.chosen })
	}
	return several
}

// ambiguous returns the error that server blocks which differ serve a zone.
func ambiguous(several []*served, zone definition.Name) error {
	err := fmt.Errorf("%s is in %d server blocks that differ, %s: choose one with --block",
		zone, len(several), listBlocks(several))
	b := several[0].block
	word := strconv.Itoa(b.pos.Line)
	if b.view != "" {
		word = b.view
	}
	return hint.Add(err, "--block %s", word)
}

func listBlocks(all []*served) string {
	return strings.Join(convert(all, func(s *served) string { return s.block.String() }), ", ")
}
