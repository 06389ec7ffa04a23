package store

import (
	"context"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// A Tree is what the keys of the etcd plugin of CoreDNS declare.
type Tree struct {
	Declared *definition.Set
	Keys     int            // how many there are
	Excluded []lint.Finding // why some of them declare nothing
}

// ReadTree lists the keys of a tree.
func ReadTree(ctx context.Context, source *etcd.Source) (*Tree, error) {
	edits, err := source.List(ctx)
	if err != nil {
		return nil, (&Store{Config: source.Config}).failure(err)
	}
	tree := source.Tree()
	_, errs := tree.Apply(edits)
	t := &Tree{Declared: new(definition.Set), Keys: len(edits)}
	tree.DeclareAll(t.Declared)
	t.Excluded = lint.Check(new(definition.Set).Index(), errs, lint.Options{})
	return t, nil
}
