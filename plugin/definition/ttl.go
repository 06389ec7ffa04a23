package definition

import "time"

const (
	// DefaultTTL is what definitions get when nothing says otherwise.
	DefaultTTL = 3600

	maxTTL = 1<<31 - 1 // RFC 2181 §8
)

// A TTL is a time to live in seconds, 0 to 2^31-1 (RFC 2181 §8).
//
// Own says that the declaration itself gave it. One that it did not is the
// default of its source, and yields to the own TTL of another declaration of
// the same records.
type TTL struct {
	Seconds uint32
	Own     bool
}

func (t *TTL) setDefault(seconds uint32) {
	if !t.Own {
		t.Seconds = seconds
	}
}

// common returns the one TTL that declarations of the same records mean, and
// whether they agree on it: an own TTL goes before defaults. If they do not
// agree it is the lowest (RFC 2181 §5.2).
func common[D declaration](declared []D) (seconds uint32, agree bool) {
	var chosen TTL
	agree = true
	for i, d := range declared {
		t := d.ttl()
		switch {
		case i == 0, t.Own && !chosen.Own:
			chosen, agree = *t, true
		case t.Own == chosen.Own && t.Seconds != chosen.Seconds:
			chosen.Seconds, agree = min(t.Seconds, chosen.Seconds), false
		}
	}
	return chosen.Seconds, agree
}

const ttlUsage = "SECONDS, or a duration like 1h30m"

// defaultTTL reads: ttl TTL
func (r *Reader) defaultTTL(s Statement) {
	if len(s.Words) != 2 || s.braced {
		r.usage(s, ttlUsage)
		return
	}
	ttl, ok := r.parseTTL(s)
	switch {
	case !ok:
	case r.ttl != nil && *r.ttl != ttl:
		r.errs.add(s.Pos, Syntax, "a second default ttl: write one, or a ttl in the blocks that differ")
	default:
		r.ttl = &ttl
	}
}

// ttlBlock reads a block that may have a ttl in it and nothing else.
func (r *Reader) ttlBlock(s Statement) TTL {
	var ttl TTL
	for _, b := range s.Block {
		if b.Words[0] != "ttl" {
			r.errs.add(b.Pos, Syntax, "%q: write ttl TTL, or nothing, in the block of %s", b.Words[0], s.Words[0])
			continue
		}
		r.ownTTL(b, &ttl)
	}
	return ttl
}

// ownTTL reads a ttl in a block into ttl.
func (r *Reader) ownTTL(s Statement, ttl *TTL) {
	if len(s.Words) != 2 || s.braced {
		r.usage(s, ttlUsage)
		return
	}
	seconds, ok := r.parseTTL(s)
	if ok && ttl.Own && ttl.Seconds != seconds {
		r.errs.add(s.Pos, Syntax, "a second ttl in one block: write one")
		return
	}
	if ok {
		*ttl = TTL{seconds, true}
	}
}

// parseTTL reads the second word of a statement: a time in seconds.
func (r *Reader) parseTTL(s Statement) (uint32, bool) {
	word := s.Words[1]
	if isNumber(word) {
		word += "s"
	}
	d, err := time.ParseDuration(word)
	if err != nil && !isNumber(s.Words[1]) {
		r.errs.add(s.Pos, Syntax, "%s %q: write seconds, or a duration like 1h30m", s.Words[0], s.Words[1])
		return 0, false
	}
	if err != nil || d < 0 || d > maxTTL*time.Second || d%time.Second != 0 {
		r.errs.add(s.Pos, ValueOutOfRange, "%s %q: write whole seconds from 0 to %d", s.Words[0], s.Words[1], maxTTL)
		return 0, false
	}
	return uint32(d / time.Second), true
}
