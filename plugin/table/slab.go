package table

// A slab makes many values in few allocations: as many as there are, up to
// slabSize at a time. One value keeps those beside it in memory.
type slab[T any] struct {
	free []T
	size int // of the last allocation
}

const slabSize = 1024

// take returns n values in a row.
func (s *slab[T]) take(n int) []T {
	if n > len(s.free) {
		s.size = min(max(2*s.size, 8), slabSize)
		s.free = make([]T, max(s.size, n))
	}
	taken := s.free[:n:n]
	s.free = s.free[n:]
	return taken
}

func (s *slab[T]) new(v T) *T {
	p := &s.take(1)[0]
	*p = v
	return p
}
