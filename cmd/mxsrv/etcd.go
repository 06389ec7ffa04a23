package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/coredns/caddy/caddyfile"
	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/store"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// storeFlags say where definitions are in etcd, and which servers serve them. A flag takes precedence over the
// Corefile.
type storeFlags struct {
	readFlags
	corefile           string
	endpoints          []string
	prefix             string
	user, passwordFile string
	cert, key, cacert  string
	timeout            time.Duration

	trees map[*store.Simulator]*etcd.Source // of the server blocks that have one beside the fragments
}

const (
	defaultEndpoint = "127.0.0.1:2379"

	// passwordVariable keeps the password out of the list of processes.
	passwordVariable = "MXSRV_PASSWORD"
)

func (f *storeFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.corefile, "corefile", "",
		"the `COREFILE` of the servers, for the place in etcd, the zones, and what is declared beside etcd "+
			"(default ./Corefile, if there is one, without --etcd and --zone)")
	flags.StringVar(&f.prefix, "prefix", "", "the `PREFIX` of the keys (default "+etcd.DefaultPrefix+")")
	f.addConnection(c)
	f.readFlags.add(c)
	flags.Lookup("zone").Usage = "the `ZONE` of relative names, if there is no Corefile; repeat it for several. Without either names must be absolute"
}

// connectionFlags are those of addConnection.
var connectionFlags = []string{"etcd", "user", "password-file", "cert", "key", "cacert", "timeout"}

// addConnection adds the flags that say how to reach etcd.
func (f *storeFlags) addConnection(c *cobra.Command) {
	flags := c.Flags()
	flags.StringSliceVar(&f.endpoints, "etcd", nil, "the `ENDPOINT`s of etcd, HOST:PORT or URLs, with commas between (default "+defaultEndpoint+")")
	flags.StringVar(&f.user, "user", "", "the user of etcd, `NAME[:PASSWORD]`; a list of processes shows a password here: put it into "+passwordVariable+" or a file")
	flags.StringVar(&f.passwordFile, "password-file", "", "the `FILE` whose first line is the password of the user")
	flags.StringVar(&f.cert, "cert", "", "the `FILE` with the certificate of this client")
	flags.StringVar(&f.key, "key", "", "the `FILE` with the key of the certificate")
	flags.StringVar(&f.cacert, "cacert", "", "the `FILE` with the CA of the certificates of etcd")
	flags.DurationVar(&f.timeout, "timeout", 0, "how long a request may take (default 5s)")
}

// store returns the store that the flags name, without a connection.
func (f *storeFlags) store() (*store.Store, error) {
	_, missing := os.Stat(defaultCorefile)
	if f.corefile == "" && len(f.endpoints)+len(f.zones) == 0 && missing == nil {
		f.corefile = defaultCorefile
	}
	zones, err := f.parseZones()
	s := &store.Store{Config: etcd.New(defaultEndpoint), Simulators: []*store.Simulator{store.NewSimulator(zones)}}
	if f.corefile != "" {
		s, err = f.fromCorefile()
	}
	if err != nil {
		return nil, err
	}
	return s, f.override(s.Config)
}

// open connects to a store and calls run with the fragments that are there, and the revision of etcd.
func (f *storeFlags) open(u *ui, s *store.Store, run func(entries []store.Entry, revision int64) error) (err error) {
	defer s.Close()
	var entries []store.Entry
	var revision int64
	u.during(doing("reading etcd, %v", s), func() {
		if entries, revision, err = s.Open(context.Background()); err == nil {
			f.readTrees(u, s)
		}
	})
	if err != nil {
		return err
	}
	return run(entries, revision)
}

// readTrees gives the server blocks their trees, if the user of a store may read them.
func (f *storeFlags) readTrees(u *ui, s *store.Store) {
	for _, sim := range s.Simulators {
		e := f.trees[sim]
		if e == nil {
			continue
		}
		config := *s.Config
		config.SetPrefix(e.Config.Prefix)
		var err error
		if sim.Tree, err = store.ReadTree(context.Background(), &etcd.Source{Config: &config, Tree: e.Tree}); err != nil {
			u.note("%v: the tree in etcd does not count", err)
		}
	}
}

// fromCorefile returns the one store that a Corefile names, with all server blocks that serve it.
func (f *storeFlags) fromCorefile() (*store.Store, error) {
	if len(f.zones) > 0 {
		return nil, hint.Add(errors.New("--zone and --corefile: the zones are in the Corefile"), "--corefile %s, without --zone", f.corefile)
	}
	text, err := readText(f.corefile)
	if err != nil {
		return nil, err
	}
	blocks, err := caddyfile.Parse(f.corefile, strings.NewReader(text), nil)
	if err != nil {
		return nil, hint.Add(lint.Err(unparsed(f.corefile, text, err).findings), "mxsrv check %s", f.corefile)
	}
	s := new(store.Store)
	f.trees = make(map[*store.Simulator]*etcd.Source)
	for _, b := range blocks {
		if err := f.extend(s, b); err != nil {
			return nil, err
		}
	}
	if s.Config == nil {
		such := ""
		if f.prefix != "" {
			such = " with such a prefix"
		}
		return nil, hint.Add(fmt.Errorf("%s names no etcd%s in any mxsrv block", f.corefile, such),
			"--etcd ENDPOINT --zone ZONE, instead of the Corefile")
	}
	return s, nil
}

// extend adds a server block to a store, if it serves fragments below the prefix that is asked for.
func (f *storeFlags) extend(s *store.Store, b caddyfile.ServerBlock) error {
	stanzas := f.stanzas(f.corefile, b)
	stanzas.Errs = slices.DeleteFunc(stanzas.Errs, func(e definition.Error) bool { // only the servers may know their password
		return f.user != "" && strings.HasPrefix(e.Text, "credentials:")
	})
	if err := lint.Err(lint.Check(new(definition.Set).Index(), stanzas.Errs, lint.Options{})); err != nil {
		return hint.Add(err, "mxsrv check %s", f.corefile)
	}
	e := stanzas.Fragments()
	if e == nil {
		return nil
	}
	config := *e.Config
	if f.prefix != "" {
		config.SetPrefix(f.prefix)
	}
	switch {
	case config.Prefix != e.Config.Prefix:
		return nil
	case s.Config == nil:
		s.Config = &config
	case s.String() != config.String():
		return hint.Add(fmt.Errorf("%v: another place in etcd than that of a server block before, %v: choose one", e.Pos, s.Config), "--prefix %s", config.Prefix)
	}
	sim := simulator(stanzas, b)
	s.Simulators = append(s.Simulators, sim)
	if i := slices.IndexFunc(stanzas.Etcds, func(e *etcd.Source) bool { return e.Tree != nil }); i >= 0 {
		f.trees[sim] = stanzas.Etcds[i]
	}
	return nil
}

func (f *storeFlags) override(c *etcd.Config) error {
	if f.prefix != "" {
		c.SetPrefix(f.prefix)
	}
	if f.timeout < 0 {
		return hint.Add(fmt.Errorf("timeout %v: write a duration above 0", f.timeout), "--timeout 5s")
	}
	if f.timeout > 0 {
		c.Timeout = f.timeout
	}
	if err := f.login(c); err != nil {
		return err
	}
	return f.connection(c)
}

// login sets the user and the password: of the flags, the password file or the environment. The password of the Corefile
// is for the user of the Corefile only.
func (f *storeFlags) login(c *etcd.Config) error {
	name, password, given := strings.Cut(f.user, ":")
	if f.passwordFile != "" {
		text, err := os.ReadFile(f.passwordFile)
		if err != nil {
			return pathError(f.passwordFile, err)
		}
		password, _, _ = strings.Cut(string(text), "\n")
		password = strings.TrimSuffix(password, "\r")
	} else if !given {
		password = os.Getenv(passwordVariable)
	}
	if name != "" {
		c.Username, c.Password = name, password
	} else if c.Username != "" && password != "" {
		c.Password = password
	}
	switch {
	case c.Username == "" && f.passwordFile != "":
		return hint.Add(errors.New("--password-file is for a user"), "--user NAME --password-file %s", f.passwordFile)
	case c.Username != "" && c.Password == "":
		return hint.Add(fmt.Errorf("no password of user %q: put it into %s", c.Username, passwordVariable), "--user %s --password-file FILE", c.Username)
	}
	return nil
}

// connection sets the endpoints and TLS. The TLS of the Corefile is for the endpoints of the Corefile only.
func (f *storeFlags) connection(c *etcd.Config) error {
	if slices.ContainsFunc(f.endpoints, func(e string) bool { return strings.Contains(e, "@") }) { // which messages would show
		return hint.Add(errors.New("--etcd has a user in an endpoint: write HOST:PORT and --user"), "--etcd HOST:PORT --user NAME --password-file FILE")
	}
	if len(f.endpoints) > 0 {
		c.Endpoints, c.TLS = etcd.New(f.endpoints...).Endpoints, nil
	}
	if (f.cert == "") != (f.key == "") {
		return hint.Add(errors.New("a certificate and its key belong together"), "--cert FILE --key FILE")
	}
	files := slices.DeleteFunc([]string{f.cert, f.key, f.cacert}, func(file string) bool { return file == "" })
	if len(files) == 0 {
		return nil
	}
	if err := c.SetTLS(files...); err != nil {
		return fmt.Errorf("%s: %v: write files in PEM form", strings.Join(files, " "), err)
	}
	return nil
}
