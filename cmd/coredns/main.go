// Command coredns is CoreDNS with the mxsrv plugin and the plugins of CoreDNS that need no
// further module. It takes CoreDNS's flags. Without -conf, and without a Corefile in the
// working directory, it serves an example on 127.0.0.1:1053.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	_ "github.com/mxsrv/mxsrv"
	"github.com/mxsrv/mxsrv/cmd/internal/example"
)

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

// load returns the Corefile of the working directory, or else the example. At the first
// start it says which, and returns an error if another process listens there already.
func load(serverType string) (caddy.Input, error) {
	in := caddy.CaddyfileInput{Filepath: caddy.DefaultConfigFile, ServerTypeName: serverType}
	greeting, other := "", "write another port into "+in.Filepath
	text, err := os.ReadFile(in.Filepath)
	switch {
	case err == nil:
		in.Contents = text
		if path, err := filepath.Abs(in.Filepath); err == nil {
			greeting = "serving " + path + "\n"
		}
	case os.IsNotExist(err):
		in.Contents, in.Filepath = []byte(example.Corefile), "the example"
		greeting, other = firstRun(), "copy the example and write another port into it: "+copyExample()
	default:
		return nil, err
	}
	if len(caddy.Instances()) > 0 { // a reload
		return in, nil
	}
	if err := listenable(in); err != nil {
		return nil, fmt.Errorf("%w, or %s", err, other)
	}
	if !dnsserver.Quiet && !clog.IsJSON() {
		fmt.Print(greeting)
	}
	return in, nil
}

// firstRun returns what somebody should know who has started this without a Corefile.
func firstRun() string {
	return fmt.Sprintf(`no %s here: serving an example on %s
  ask it:      dig @127.0.0.1 -p 1053 example.com MX
  copy it:     %s
  check that:  %s check
`, caddy.DefaultConfigFile, example.Address, copyExample(), tool())
}

func copyExample() string { return tool() + " example > " + caddy.DefaultConfigFile }

// tool returns how to run the tool from here.
func tool() string {
	if _, err := os.Stat("cmd/mxsrv"); err == nil {
		return "go run ./cmd/mxsrv"
	}
	return "mxsrv"
}
