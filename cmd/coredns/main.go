// Command coredns is CoreDNS with the mxsrv plugin and the plugins that people
// combine with it. It takes CoreDNS's flags. Without -conf, and without a
// Corefile in the working directory, it serves an example on 127.0.0.1:1053.
package main

import (
	_ "embed"
	"fmt"
	"os"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/mxsrv/mxsrv"

	// The plugins of CoreDNS that need no cloud or cluster.
	_ "github.com/coredns/caddy/onevent"
	_ "github.com/coredns/coredns/plugin/acl"
	_ "github.com/coredns/coredns/plugin/any"
	_ "github.com/coredns/coredns/plugin/auto"
	_ "github.com/coredns/coredns/plugin/autopath"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/bufsize"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/cancel"
	_ "github.com/coredns/coredns/plugin/chaos"
	_ "github.com/coredns/coredns/plugin/debug"
	_ "github.com/coredns/coredns/plugin/dns64"
	_ "github.com/coredns/coredns/plugin/dnssec"
	_ "github.com/coredns/coredns/plugin/dnstap"
	_ "github.com/coredns/coredns/plugin/erratic"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/etcd"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/header"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/hosts"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/local"
	_ "github.com/coredns/coredns/plugin/log"
	_ "github.com/coredns/coredns/plugin/loop"
	_ "github.com/coredns/coredns/plugin/metadata"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/minimal"
	_ "github.com/coredns/coredns/plugin/multisocket"
	_ "github.com/coredns/coredns/plugin/nsid"
	_ "github.com/coredns/coredns/plugin/pprof"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/reload"
	_ "github.com/coredns/coredns/plugin/rewrite"
	_ "github.com/coredns/coredns/plugin/root"
	_ "github.com/coredns/coredns/plugin/secondary"
	_ "github.com/coredns/coredns/plugin/sign"
	_ "github.com/coredns/coredns/plugin/template"
	_ "github.com/coredns/coredns/plugin/tls"
	_ "github.com/coredns/coredns/plugin/transfer"
	_ "github.com/coredns/coredns/plugin/tsig"
	_ "github.com/coredns/coredns/plugin/view"
	_ "github.com/coredns/coredns/plugin/whoami"
)

//go:embed example.corefile
var example []byte

func main() {
	if err := dnsserver.SetDirectives(directives()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	caddy.SetDefaultCaddyfileLoader("default", caddy.LoaderFunc(load))
	coremain.Run()
}

// directives is the order of CoreDNS with mxsrv in its place: over every plugin
// that serves zones, under all that change answers.
func directives() []string {
	after := slices.Index(dnsserver.Directives, "transfer")
	return slices.Insert(slices.Clone(dnsserver.Directives), after+1, "mxsrv")
}

// load reads the Corefile of the working directory, or else the example.
func load(serverType string) (caddy.Input, error) {
	text, err := os.ReadFile(caddy.DefaultConfigFile)
	switch {
	case err == nil:
		return caddy.CaddyfileInput{Contents: text, Filepath: caddy.DefaultConfigFile, ServerTypeName: serverType}, nil
	case !os.IsNotExist(err):
		return nil, err
	}
	fmt.Printf("no -conf and no %s here: serving the example on 127.0.0.1:1053\n"+
		"try: dig @127.0.0.1 -p 1053 example.com MX\n", caddy.DefaultConfigFile)
	return caddy.CaddyfileInput{Contents: example, Filepath: "example.corefile", ServerTypeName: serverType}, nil
}
