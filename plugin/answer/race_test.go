//go:build race

package answer

// The race detector drops a quarter of what is pooled, so that it is made again: a reply with forty targets takes a dozen.
func init() { remade = 5 }
