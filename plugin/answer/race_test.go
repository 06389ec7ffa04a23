//go:build race

package answer

// The race detector drops a quarter of what is pooled, so that it is made again.
func init() { remade = 2 }
