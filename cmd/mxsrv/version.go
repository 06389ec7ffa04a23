package main

import (
	"cmp"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// release is the version, if the linker knows it: "make release".
var release string

func versionCommand(u *ui) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the versions of mxsrv, Go and CoreDNS, and the commit",
		Example: "  mxsrv version                         what to say in a report",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if info, ok := debug.ReadBuildInfo(); ok {
				info.Main.Version = cmp.Or(release, info.Main.Version)
				u.line("%s", versions(info))
			}
			return nil
		},
	}
}

// versions returns a line for the module, its commit if the build knows it, Go, and CoreDNS.
func versions(info *debug.BuildInfo) string {
	lines := []string{"mxsrv " + info.Main.Version}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if commit := settings["vcs.revision"]; commit != "" {
		if settings["vcs.modified"] == "true" {
			commit += ", modified"
		}
		lines = append(lines, "commit "+commit)
	}
	lines = append(lines, "Go "+strings.TrimPrefix(info.GoVersion, "go"))
	for _, dep := range info.Deps {
		if dep.Path == "github.com/coredns/coredns" {
			lines = append(lines, "CoreDNS "+strings.TrimPrefix(dep.Version, "v"))
		}
	}
	return strings.Join(lines, "\n")
}
