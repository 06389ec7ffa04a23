package definition_test

import (
	"fmt"
	"os"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Definitions are read into a set, which an index shows owner by owner.
func Example() {
	zones := definition.Zones{"example.com."}
	set, errs := definition.Read("mail.conf", `
host mx1 192.0.2.10 2001:db8::10
mail @ {
    10 mx1
    20 mx.example.net.
}
mail lists 10 mx1
hots mx2 192.0.2.20
`, zones)
	fmt.Println(errs)
	for owner := range set.Index().Owners() {
		fmt.Println(owner.Name(), owner.Addrs())
		for _, x := range owner.Exchanges() {
			fmt.Println("  ", x.Preference, x.Host)
		}
	}
	fmt.Println()
	set.Print(os.Stdout, zones)
	// Output:
	// mail.conf:8: unknown word "hots": write host
	// mx1.example.com. [192.0.2.10 2001:db8::10]
	// example.com. []
	//    10 mx1.example.com.
	//    20 mx.example.net.
	// lists.example.com. []
	//    10 mx1.example.com.
	//
	// host mx1 192.0.2.10 2001:db8::10
	//
	// mail @ {
	//     10 mx1
	//     20 mx.example.net.
	// }
	// mail lists 10 mx1
}
