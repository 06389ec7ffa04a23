package main

import (
	"context"

	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// serveFragments judges what a server block serves that has definitions in etcd too,
// as they are now. Etcd may be out of reach from here; then the rest is judged.
func serveFragments(u *ui, name string, stanzas *corefile.Block, opt lint.Options) *served {
	e := stanzas.Etcds[0] // a block has one
	s := &store{Config: e.Config}
	var all []kept
	if len(stanzas.Errs) == 0 {
		var err error
		if all, err = s.listOnce(); err != nil {
			u.note("%s: %v: what is in etcd is not looked at", name, err)
		}
	}
	v := blockCritic(stanzas, e, opt).judge(texts(all))
	served := &served{name: name, pos: opt.Pos, zones: opt.Zones, passed: opt.Fallthrough, index: v.index, findings: v.findings}
	for _, k := range all {
		served.leftOut = append(served.leftOut, v.out[k.Key]...)
	}
	return served
}

// listOnce lists all fragments with a client of its own.
func (s *store) listOnce() ([]kept, error) {
	if err := s.dial(); err != nil {
		return nil, err
	}
	defer s.close()
	all, _, err := s.list(context.Background())
	return all, err
}
