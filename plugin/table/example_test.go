package table_test

import (
	"fmt"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/table"
)

// A table has the answers to all questions about a set.
func Example() {
	zones := definition.Zones{"example.com."}
	set, _ := definition.Read("mail.conf", `
host mx1 192.0.2.10
host mx2 198.51.100.20
mail @ {
    20 mx2
    10 mx1
}
`, zones)
	t := table.Compile(set.Index(), table.Options{Zones: zones})

	match, answer := t.Lookup("example.com.", dns.TypeMX)
	fmt.Println(match == table.Data)
	for _, rr := range answer.RRs {
		fmt.Println(rr)
	}
	for _, rr := range answer.Glue {
		fmt.Println(rr)
	}

	match, _ = t.Lookup("mx1.example.com.", dns.TypeTXT)
	fmt.Println(match == table.Exists) // so it must not be denied
	// Output:
	// true
	// example.com.	3600	IN	MX	10 mx1.example.com.
	// example.com.	3600	IN	MX	20 mx2.example.com.
	// mx1.example.com.	3600	IN	A	192.0.2.10
	// mx2.example.com.	3600	IN	A	198.51.100.20
	// true
}
