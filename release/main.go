// Command release writes what a release consists of to dist: see "make release".
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	version := flag.String("version", "", "the version")
	flag.Int64("date", 0, "its date in seconds since 1970")
	flag.Parse()
	if err := release(*version, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func release(version string, platforms []string) error {
	for _, text := range platforms {
		p, err := parsePlatform(text)
		if err != nil {
			return err
		}
		if err := build(p, version); err != nil {
			return err
		}
	}
	return nil
}
