package definition

import "slices"

// openWord in the block of a host or service says that fragments in etcd may add to it.
const openWord = "open"

// open reads the word open in a block.
func (r *Reader) open(s Statement, open *bool) {
	if len(s.Words) != 1 || s.braced {
		r.errs.add(s.Pos, Syntax, "usage: open")
		return
	}
	*open = true
}

// isOpen reports whether one of the declarations of a name says open.
func isOpen[D interface{ open() bool }](declared []D) bool {
	return slices.ContainsFunc(declared, D.open)
}
