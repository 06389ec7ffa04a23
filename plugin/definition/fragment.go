package definition

// A Fragment is a small text of definitions that comes and goes on its own: the
// value of a key in etcd.
type Fragment struct {
	Key     string
	Text    string
	Created int64 // revision at which the key came to be: of two that contradict each other the younger yields
}

// An Edit puts a fragment, in place of one of the same key if there is one, or
// takes it away.
type Edit struct {
	Fragment
	Gone bool
}
