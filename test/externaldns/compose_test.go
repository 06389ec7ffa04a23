package main

import (
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
)

// TestCompose: the file for Docker Compose has no field that it does not know.
func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../../docs/deploy/compose.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(project.Services) != 4 {
		t.Errorf("it has the services %v, want 4", project.ServiceNames())
	}
}
