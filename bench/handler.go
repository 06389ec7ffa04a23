package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Of the handler alone there are the Go benchmarks of the module, brought
// together by benchstat.

// handlerFigures has a row for each benchmark, by unit.
type handlerFigures struct {
	names   []string
	figures map[string]map[string]string // by name and unit, with the confidence
}

func benchHandler(ctx context.Context, p plan, dir string) (*handlerFigures, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", ".", "-benchmem",
		"-benchtime", p.benchtime, "-count", fmt.Sprint(p.handlerRounds), ".")
	cmd.Dir = ".."
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test -bench: %v\n%s", err, out)
	}
	path := dir + "/benchmarks"
	if err := os.WriteFile(path, out, 0o644); err != nil {
		return nil, err
	}
	cmd = exec.CommandContext(ctx, "go", "tool", "benchstat", "-format", "csv", path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	table, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("benchstat: %v\n%s", err, stderr.String())
	}
	return parseBenchstat(string(table))
}

// parseBenchstat reads the tables of benchstat, one for each unit, each after a
// line with the unit in its second field.
func parseBenchstat(text string) (*handlerFigures, error) {
	h := &handlerFigures{figures: map[string]map[string]string{}}
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("benchstat: %v", err)
	}
	unit := ""
	for _, f := range lines {
		switch {
		case len(f) >= 2 && f[0] == "" && strings.HasSuffix(f[1], "/op"):
			unit = f[1]
		case len(f) >= 3 && unit != "" && f[0] != "" && f[0] != "geomean":
			h.set(f[0], unit, f[1])
			h.set(f[0], unit+" CI", f[2])
		}
	}
	if len(h.names) == 0 {
		return nil, fmt.Errorf("benchstat has no benchmark:\n%s", text)
	}
	return h, nil
}

func (h *handlerFigures) set(name, unit, figure string) {
	if h.figures[name] == nil {
		h.names = append(h.names, name)
		h.figures[name] = map[string]string{}
	}
	h.figures[name][unit] = figure
}
