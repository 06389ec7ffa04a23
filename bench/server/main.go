// Command server is the CoreDNS of the benchmark: the plugins that are compared
// and those that a Corefile may need around them, so that what they do not cost
// nobody pays.
package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/mxsrv/mxsrv"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/dnssec"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/etcd"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/sign"
	_ "github.com/coredns/coredns/plugin/template"
)

func main() {
	if err := dnsserver.SetDirectives(directives()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	coremain.Run()
}

// directives is the order of CoreDNS with our two in the place of mxsrv.
func directives() []string {
	after := slices.Index(dnsserver.Directives, "transfer")
	return slices.Insert(slices.Clone(dnsserver.Directives), after+1, "mxsrv", "fixed")
}
