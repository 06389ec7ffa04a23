package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// A server is a CoreDNS that was started here, and somebody who asks it.
type server struct {
	*process
	*asker
	dir  string
	port int
}

// mail is what stands in the Corefile beside the definitions in etcd.
const mail = `		host mx1 192.0.2.10
		host mx2 198.51.100.10
		mail @ 10 mx1
		mail @ 20 mx2
`

// followingEtcd has the definitions of a store, and a snapshot.
func followingEtcd(s *store, lines string) string {
	return fmt.Sprintf("\tmxsrv {\n%s\t\tetcd %s {\n\t\t\tsnapshot snapshot\n\t\t}\n\t}\n", lines, s.Endpoints[0])
}

// site makes a place for a server with some plugins.
func (r *run) site(plugins string) (*server, error) {
	dir, err := r.newDir()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	corefile := fmt.Sprintf("%s:%d {\n\tbind 127.0.0.1\n%s}\n", zone, port, plugins)
	return &server{dir: dir, port: port}, os.WriteFile(filepath.Join(dir, "Corefile"), []byte(corefile), 0o600)
}

// serve starts a server with some plugins.
func (r *run) serve(cores, plugins string) (*server, error) {
	s, err := r.site(plugins)
	if err != nil {
		return nil, err
	}
	return s, r.start(s, cores)
}

func (r *run) start(s *server, cores string) (err error) {
	if s.process, err = launch(r, s.dir, cores, filepath.Join(r.dir, "server"), "-conf", "Corefile"); err != nil {
		return err
	}
	if s.asker, err = newAsker(s.process, s.port); err != nil {
		s.process.stop()
	}
	return err
}

func (s *server) stop() {
	s.asker.close()
	s.process.stop()
}

func (r *run) newDir() (string, error) { return os.MkdirTemp(r.dir, "") }
