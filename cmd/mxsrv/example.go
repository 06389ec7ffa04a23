package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/internal/example"
)

func exampleCommand(u *ui) *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Print a Corefile to begin with",
		Example: `  mxsrv example > Corefile              one of each thing that can be declared, on port 1053 of this machine
  mxsrv check                           after a change: is it right?`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(u.out, example.Corefile)
			return err
		},
	}
}
