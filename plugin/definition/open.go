package definition

import "slices"

// openWord in the block of a host or service says that fragments in etcd may add to it.
const openWord = "open"

// isOpen reports whether one of the declarations of a name says open.
func isOpen[D interface{ open() bool }](declared []D) bool {
	return slices.ContainsFunc(declared, D.open)
}
