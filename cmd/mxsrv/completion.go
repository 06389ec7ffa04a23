package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
)

func completionCommand(u *ui) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print a script with which a shell completes commands and flags",
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
