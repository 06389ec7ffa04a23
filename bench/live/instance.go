package main

import "fmt"

// An instance is a host that runs a service with others of its group: one fragment.
type instance struct {
	number, group int
	version       int // its address tells it
}

// groups makes n instances in groups of some.
func groups(n, each int) []instance {
	all := make([]instance, n)
	for i := range all {
		all[i] = instance{number: i, group: i / each}
	}
	return all
}

func (i instance) host() string { return fmt.Sprintf("i%06d", i.number) }

// name is that of the host as queries have it.
func (i instance) name() string { return i.host() + "." + zone }

// address is another one for each of 50 versions and 100,000 numbers and more.
func (i instance) address() string {
	n := i.version%50<<18 | i.number
	return fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)
}

// fragment is what the instance puts into etcd.
func (i instance) fragment() string {
	return fmt.Sprintf("host %s %s\nservice _ldap._tcp.g%04d 0 6 389 %s\n", i.host(), i.address(), i.group, i.host())
}
