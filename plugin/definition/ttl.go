package definition

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// DefaultTTL is what definitions get when nothing says otherwise.
	DefaultTTL = 3600

	maxTTL = 1<<31 - 1 // RFC 2181 §8
)

// A TTL is a time to live in seconds, 0 to 2^31-1 (RFC 2181 §8).
//
// Own says that the declaration itself gave it. One that it did not is the default of its source, and yields to the
// own TTL of another declaration of the same records.
type TTL struct {
	Seconds uint32
	Own     bool
}

func (t *TTL) setDefault(seconds uint32) {
	if !t.Own {
		t.Seconds = seconds
	}
}

// HostTTL, MailTTL, ServiceTTL and AliasTTL return the TTL in seconds of the records that the declarations of a name
// mean. If they contradict each other, it is that of the first.

func (o Owner) HostTTL() uint32    { return commonTTL(o.Hosts()).Seconds }
func (o Owner) MailTTL() uint32    { return commonTTL(o.Mails()).Seconds }
func (o Owner) ServiceTTL() uint32 { return commonTTL(o.Services()).Seconds }
func (o Owner) AliasTTL() uint32   { return commonTTL(o.Aliases()).Seconds }

// commonTTL returns the one TTL that declarations of the same records mean: an own TTL goes before defaults, and then
// the first, which is the oldest of fragments.
func commonTTL[D declaration](declared []D) (chosen TTL) {
	for i, d := range declared {
		if t := d.Header().TTL; i == 0 || t.Own && !chosen.Own {
			chosen = t
		}
	}
	return chosen
}

func (r *Reader) defaultTTL(s Statement) {
	r.setTTL(s, &r.defaults.TTL, "a second default ttl: write one, or a ttl in the blocks that differ")
}

// A flag is a word that says something by itself in a block, or begins a line that is read.
type flag struct {
	word string
	said *bool
	read func(Statement) // nil if it stands alone
}

// ttlBlock reads a block that may have a ttl in it, an order if that is not nil, some flags, and nothing else.
func (r *Reader) ttlBlock(s Statement, order *Order, flags ...flag) TTL {
	var ttl TTL
	for _, b := range s.Block {
		switch {
		case !r.Usual(&b) || !r.single(b):
		case b.Words[0] == "ttl":
			r.ownTTL(b, &ttl)
		case b.Words[0] == "order" && order != nil:
			r.ownOrder(b, order)
		case r.flag(b, flags...):
		default:
			r.stray(s, b, order != nil, flags)
		}
	}
	return ttl
}

// stray says what may be in a block that has something else.
func (r *Reader) stray(s, b Statement, ordered bool, flags []flag) {
	words, usage := []string{"ttl"}, "ttl TTL"
	if ordered {
		words, usage = append(words, "order"), usage+", order ORDER"
	}
	for _, f := range flags {
		words, usage = append(words, f.word), usage+", "+f.word
	}
	if !r.strays(b, words...) {
		r.errs.add(b.Pos, Syntax, "%q: write %s, or nothing, in the block of %s", b.Words[0], usage, s.Words[0])
	}
}

// flag reads one of some flags. It returns false, and does nothing, if the statement starts with none of them.
func (r *Reader) flag(s Statement, flags ...flag) bool {
	i := slices.IndexFunc(flags, func(f flag) bool { return f.word == s.Words[0] })
	switch {
	case i < 0:
		return false
	case flags[i].read != nil:
		flags[i].read(s)
	case len(s.Words) > 1 || s.braced:
		r.errs.add(s.Pos, Syntax, "usage: %s", s.Words[0])
	default:
		*flags[i].said = true
	}
	return true
}

// ownTTL reads a ttl in a block into ttl.
func (r *Reader) ownTTL(s Statement, ttl *TTL) {
	r.setTTL(s, ttl, "a second ttl in one block: write one")
}

func (r *Reader) setTTL(s Statement, ttl *TTL, second string) {
	if len(s.Words) != 2 || s.braced {
		r.usage(s, "SECONDS, or a duration like 1h30m or 1d")
		return
	}
	seconds, ok := r.parseTTL(s)
	switch {
	case !ok:
	case ttl.Own && ttl.Seconds != seconds:
		r.errs.add(s.Pos, Syntax, "%s", second)
	default:
		*ttl = TTL{seconds, true}
	}
}

// parseTTL reads the second word of a statement: a time in seconds.
func (r *Reader) parseTTL(s Statement) (uint32, bool) {
	seconds, err := ParseSeconds(s.Words[1])
	switch {
	case err != nil && !isNumber(s.Words[1]):
		r.errs.add(s.Pos, Syntax, "%s %q: write seconds, or a duration like 1h30m or 1d", s.Words[0], s.Words[1])
	case err != nil || seconds < 0 || seconds > maxTTL:
		r.errs.add(s.Pos, ValueOutOfRange, "%s %q: write whole seconds from 0 to %d", s.Words[0], s.Words[1], maxTTL)
	default:
		return uint32(seconds), true
	}
	return 0, false
}

// ParseSeconds returns the seconds of a number, or of a duration as in Go or in master files, where weeks and days come
// first: 1w2d3h. If that is no whole number, the result is negative.
func ParseSeconds(word string) (int64, error) {
	rest := strings.ToLower(word)
	if isNumber(word) {
		rest += "s"
	}
	var days int64
	for _, unit := range []struct {
		letter string
		days   int64
	}{{"w", 7}, {"d", 1}} {
		digits, after, ok := strings.Cut(rest, unit.letter)
		if n, err := strconv.ParseUint(digits, 10, 32); ok && err == nil {
			days, rest = days+int64(n)*unit.days, cmp.Or(after, "0")
		}
	}
	d, err := time.ParseDuration(rest)
	if d%time.Second != 0 || d < 0 && days > 0 {
		return -1, err
	}
	return days*24*3600 + int64(d/time.Second), err
}
