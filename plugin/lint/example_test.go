package lint_test

import (
	"fmt"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// Findings say where, what is wrong, and what to write instead.
func Example() {
	zones := definition.Zones{"example.com."}
	set, errs := definition.Read("mail.conf", `
host mx1 192.0.2.10
alias www mx1
mail @ 10 www mx.example.net.
`, zones)
	findings := lint.Check(set.Index(), errs, lint.Options{Zones: zones})
	for _, f := range findings {
		fmt.Println(f)
	}
	fmt.Println("may be served:", lint.Err(findings) == nil)
	// Output:
	// mail.conf:4: error: exchange www.example.com. of example.com. is an alias: write mx1.example.com. [mx-target-alias, RFC 2181 §10.3]
	// may be served: false
}
