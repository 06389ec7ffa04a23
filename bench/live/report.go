package main

import (
	"fmt"
	"io"
)

// A table is what has come out.
type table []row

type row struct{ what, figure, demand, met string }

// add adds a figure of which nothing is demanded.
func (t *table) add(what, figure string, args ...any) {
	*t = append(*t, row{what: what, figure: fmt.Sprintf(figure, args...)})
}

// demand adds a figure with what is demanded of it.
func (t *table) demand(met bool, demand, what, figure string, args ...any) {
	said := "yes"
	if !met {
		said = "**no**"
	}
	*t = append(*t, row{what, fmt.Sprintf(figure, args...), demand, said})
}

// write writes the table in Markdown.
func (t table) write(w io.Writer) {
	fmt.Fprintln(w, "| what | figure | demand | met |\n|--|--|--|--|")
	for _, r := range t {
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", r.what, r.figure, r.demand, r.met)
	}
}
