package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

func completionCommand(u *ui) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print a script with which a shell completes commands, flags and names",
		Example: `  source <(mxsrv completion bash)       for this shell; or for all to come:
  mxsrv completion bash > /etc/bash_completion.d/mxsrv
  mxsrv completion zsh > "${fpath[1]}/_mxsrv"
  mxsrv completion fish > ~/.config/fish/completions/mxsrv.fish`,
		Args:      oneArg("shell", "bash"),
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: func(c *cobra.Command, args []string) error {
			switch args[0] {
			case "bash":
				return c.Root().GenBashCompletionV2(u.out, true)
			case "zsh":
				return c.Root().GenZshCompletion(u.out)
			case "fish":
				return c.Root().GenFishCompletion(u.out, true)
			}
			return hint.Add(fmt.Errorf("%q: write bash, zsh or fish", args[0]), "mxsrv completion bash")
		},
	}
}

// completionPatience is how long etcd may take to answer while a shell waits.
const completionPatience = time.Second

// complete returns what completes a word with those of some words that begin like it and are not there yet. A word may
// have a description after a tab.
func complete(words func(args []string, typed string) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		found := filter(words(args, typed), func(w string) bool { return strings.HasPrefix(w, typed) && !slices.Contains(args, w) })
		slices.Sort(found)
		directive := cobra.ShellCompDirectiveNoFileComp
		if len(found) > 0 && !slices.ContainsFunc(found, func(w string) bool { return !strings.HasSuffix(w, "/") }) {
			directive |= cobra.ShellCompDirectiveNoSpace // what is in the folder follows
		}
		return slices.Compact(found), directive
	}
}

// completeFlag sets what completes the value of a flag of a command.
func completeFlag(c *cobra.Command, flag string, words func(args []string, typed string) []string) {
	c.RegisterFlagCompletionFunc(flag, complete(words)) // the flag exists
}

// served reads a Corefile or a definitions file, or else ./Corefile, with what is in etcd if that answers at once. It
// returns nothing where there is a mistake.
func (f *readFlags) served(path string) []*served {
	if path = cmp.Or(path, defaultCorefile); isStream(path) {
		return nil
	}
	quick := *f
	quick.patience, quick.block = completionPatience, ""
	all, _ := quick.read(&ui{out: io.Discard, err: io.Discard}, []string{path})
	return all
}

// owners returns the names that have some kind of declarations in a file or ./Corefile, without the final dot.
func (f *readFlags) owners(path string, has func(definition.Owner) bool) (names []string) {
	for _, s := range f.served(path) {
		for o := range s.index.Owners() {
			if has(o) {
				names = append(names, strings.TrimSuffix(string(o.Name()), "."))
			}
		}
	}
	return names
}

func isHost(o definition.Owner) bool    { return len(o.Hosts()) > 0 }
func isMail(o definition.Owner) bool    { return len(o.Mails()) > 0 }
func isService(o definition.Owner) bool { return len(o.Services()) > 0 }

// zoneNames returns the zones of a Corefile, without the final dot.
func (f *readFlags) zoneNames(path string) []string {
	blocks := filter(f.served(path), func(s *served) bool { return s.block.pos.Line > 0 })
	return convert(allZones(blocks), func(z definition.Name) string { return strings.TrimSuffix(string(z), ".") })
}

// blockNames returns the views and the keys of server blocks.
func (f *readFlags) blockNames(path string) (names []string) {
	for _, s := range f.served(path) {
		names = append(names, s.block.keys...)
		if s.block.view != "" {
			names = append(names, s.block.view)
		}
	}
	return names
}

// completeFiles sets what completes --zone and --block of a command whose first argument may be a file.
func (f *readFlags) completeFiles(c *cobra.Command) {
	completeFlag(c, "zone", func(args []string, _ string) []string { return f.zoneNames(first(args)) })
	completeFlag(c, "block", func(args []string, _ string) []string { return f.blockNames(first(args)) })
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// completeNames sets what completes flags of a command whose answers may be those of a Corefile.
func (f *answerFlags) completeNames(c *cobra.Command) {
	hosts := func([]string, string) []string { return f.owners(f.config, isHost) }
	for _, flag := range []string{"down", "from"} {
		if c.Flags().Lookup(flag) != nil {
			completeFlag(c, flag, hosts)
		}
	}
	completeFlag(c, "zone", func([]string, string) []string { return f.zoneNames(f.config) })
	completeFlag(c, "block", func([]string, string) []string { return f.blockNames(f.config) })
}

// recipients returns what is typed of a recipient with each mail domain. Bash takes the "@" for a word of its own, so
// that USER and "@" are arguments before the one that is typed.
func (f *answerFlags) recipients(args []string, typed string) []string {
	at := strings.LastIndex(typed, "@")
	switch {
	case at < 0 && (len(args) == 0 || !strings.HasSuffix(args[len(args)-1], "@")):
		return nil
	case at >= 0 && len(args) > 0 && typed != "@":
		return nil // there is one already
	}
	return convert(f.owners(f.config, isMail), func(domain string) string { return typed[:at+1] + domain })
}

// services returns the services that can be picked, until there is one.
func (f *answerFlags) services(args []string, _ string) []string {
	if len(args) > 0 {
		return nil
	}
	return f.owners(f.config, isService)
}

// fragmentNames returns the names of fragments in etcd that begin with what is typed, up to the end of the next folder.
func (f *storeFlags) fragmentNames(_ []string, typed string) (names []string) {
	f.timeout = cmp.Or(f.timeout, completionPatience)
	s, err := f.store()
	if err != nil {
		return nil
	}
	f.open(new(ui), s, func(entries []store.Entry, _ int64) error {
		for _, e := range entries {
			name := strings.TrimPrefix(e.Key, s.Prefix)
			if s.Internal(e.Key) || !strings.HasPrefix(name, typed) {
				continue
			}
			if folder, _, ok := strings.Cut(name[len(typed):], "/"); ok {
				name = typed + folder + "/"
			}
			names = append(names, name)
		}
		return nil
	})
	return names
}

// folders returns those of fragmentNames that are folders.
func (f *storeFlags) folders(args []string, typed string) []string {
	return filter(f.fragmentNames(args, typed), func(name string) bool { return strings.HasSuffix(name, "/") })
}

// ignorableRules returns the rules that --ignore takes, each with its documentation.
func ignorableRules([]string, string) (words []string) {
	for _, r := range allRules() {
		if lint.Ignorable(r.ID, allRules()) == nil {
			words = append(words, r.ID+"\t"+r.Doc)
		}
	}
	return words
}
