package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	plugchange "github.com/mxsrv/mxsrv/plugin/change"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/coredns/caddy/caddyfile"
	"github.com/spf13/cobra"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/etcd"
)

// storing is what the command line says of where definitions are kept in etcd,
// and of who serves them. What a flag says goes before what a Corefile does.
type storing struct {
	reading
	corefile           string
	endpoints          []string
	prefix             string
	user, passwordFile string
	cert, key, cacert  string
	timeout            time.Duration
}

const (
	defaultEndpoint = "127.0.0.1:2379"

	// passwordVariable is for what should not be seen in a list of processes.
	passwordVariable = "MXSRV_PASSWORD"
)

func (o *storing) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.corefile, "corefile", "", "the `COREFILE` of the servers, which says where etcd is, what the zones are, and what is declared beside etcd")
	f.StringSliceVar(&o.endpoints, "etcd", nil, "the `ENDPOINT`s of etcd, HOST:PORT or URLs with commas between; "+defaultEndpoint+" if nothing is said")
	f.StringVar(&o.prefix, "prefix", "", "the `PREFIX` of the keys; "+etcd.DefaultPrefix+" if nothing is said")
	f.StringVar(&o.user, "user", "", "the user of etcd, `NAME[:PASSWORD]`; a password here is seen by all who may list processes: rather put it into "+passwordVariable+" or a file")
	f.StringVar(&o.passwordFile, "password-file", "", "the `FILE` whose first line is the password of the user")
	f.StringVar(&o.cert, "cert", "", "the `FILE` with the certificate to show to etcd")
	f.StringVar(&o.key, "key", "", "the `FILE` with the key of the certificate")
	f.StringVar(&o.cacert, "cacert", "", "the `FILE` with the CA of the certificate of etcd")
	f.DurationVar(&o.timeout, "timeout", 0, "how long a request may take; 5s if nothing is said")
	o.reading.flags(c)
	f.Lookup("zone").Usage = "the `ZONE` of relative names, if there is no Corefile; several with several --zone. With neither names are absolute"
}

// A store is the part of etcd that holds fragments, and who serves them.
type store struct {
	*etcd.Config
	critics []*critic
	client  *clientv3.Client // nil before dial
}

// store returns what the flags say, without asking etcd.
func (o *storing) store() (*store, error) {
	s, err := o.declared()
	if err == nil {
		err = o.override(s.Config)
	}
	return s, err
}

// open returns the store that the flags choose, ready to be asked.
func (o *storing) open() (*store, error) {
	s, err := o.store()
	if err == nil {
		err = s.dial()
	}
	return s, err
}

// declared returns what the Corefile says, or the defaults.
func (o *storing) declared() (*store, error) {
	if o.corefile != "" {
		return o.fromCorefile()
	}
	zones, err := o.origins()
	if err != nil {
		return nil, err
	}
	return &store{Config: etcd.New(defaultEndpoint), critics: []*critic{newCritic(zones)}}, nil
}

// fromCorefile returns the one place in etcd that a Corefile names, and a critic of
// each server block that serves what is there.
func (o *storing) fromCorefile() (*store, error) {
	if len(o.zones) > 0 {
		return nil, withHint(errors.New("--zone and --corefile: the Corefile says the zones"), "--corefile %s, without --zone", o.corefile)
	}
	text, err := os.ReadFile(o.corefile)
	if err != nil {
		return nil, fmt.Errorf("%s: %v", o.corefile, pathCause(err))
	}
	blocks, err := caddyfile.Parse(o.corefile, bytes.NewReader(text), nil)
	if err != nil {
		return nil, withHint(err, "mxsrv check %s", o.corefile)
	}
	s := new(store)
	for _, b := range blocks {
		stanzas := o.stanzas(o.corefile, b)
		errs := slices.DeleteFunc(stanzas.Errs, func(e definition.Error) bool { // the password may be known to the servers alone
			return o.user != "" && strings.HasPrefix(e.Text, "credentials:")
		})
		if len(errs) > 0 {
			return nil, withHint(errs, "mxsrv check %s", o.corefile)
		}
		for _, e := range stanzas.Etcds {
			if err := s.add(e, blockCritic(stanzas, e, optionsOf(stanzas, b)), o.prefix); err != nil {
				return nil, err
			}
		}
	}
	if s.Config == nil {
		return nil, withHint(fmt.Errorf("%s names no etcd with such a prefix in any mxsrv block", o.corefile), "--etcd ENDPOINT --zone ZONE, without --corefile")
	}
	return s, nil
}

// add adds who serves a place in etcd, unless another prefix is asked for. All
// that are added must be one place.
func (s *store) add(e *etcd.Source, c *critic, prefix string) error {
	wanted := *e.Config
	if prefix != "" {
		wanted.SetPrefix(prefix)
	}
	switch {
	case wanted.Prefix != e.Config.Prefix:
		return nil
	case s.Config == nil:
		s.Config = &wanted
	case s.String() != e.Config.String():
		return withHint(fmt.Errorf("%v: another place in etcd than that of a server block before, %v: choose one", e.Pos, s.Config), "--prefix %s", e.Config.Prefix)
	}
	s.critics = append(s.critics, c)
	return nil
}

// override lets flags go before what c says.
func (o *storing) override(c *etcd.Config) error {
	if o.prefix != "" {
		c.SetPrefix(o.prefix)
	}
	if o.timeout < 0 {
		return withHint(fmt.Errorf("timeout %v: write a duration above 0", o.timeout), "--timeout 5s")
	}
	if o.timeout > 0 {
		c.Timeout = o.timeout
	}
	if err := o.login(c); err != nil {
		return err
	}
	return o.reach(c)
}

// login sets the user. A password of the Corefile is that of its user.
func (o *storing) login(c *etcd.Config) error {
	if o.user == "" && o.passwordFile != "" && c.Username == "" {
		return withHint(errors.New("--password-file is for a user"), "--user NAME --password-file %s", o.passwordFile)
	}
	name, password, given := strings.Cut(o.user, ":")
	switch {
	case o.passwordFile != "":
		text, err := os.ReadFile(o.passwordFile)
		if err != nil {
			return fmt.Errorf("%s: %v", o.passwordFile, pathCause(err))
		}
		password, _, _ = strings.Cut(string(text), "\n")
		password = strings.TrimSuffix(password, "\r")
	case !given:
		password = os.Getenv(passwordVariable)
	}
	if name != "" {
		c.Username, c.Password = name, password
	}
	if name == "" && c.Username != "" && password != "" {
		c.Password = password
	}
	if c.Username != "" && c.Password == "" {
		return withHint(fmt.Errorf("no password of user %q: put it into %s", c.Username, passwordVariable), "--user %s --password-file FILE", c.Username)
	}
	return nil
}

// reach sets the endpoints and TLS. Endpoints come with TLS of their own: what the
// Corefile says is for its own ones.
func (o *storing) reach(c *etcd.Config) error {
	if len(o.endpoints) > 0 {
		c.Endpoints, c.TLS = etcd.New(o.endpoints...).Endpoints, nil
	}
	var files []string
	if (o.cert == "") != (o.key == "") {
		return withHint(errors.New("a certificate and its key belong together"), "--cert FILE --key FILE")
	}
	if o.cert != "" {
		files = append(files, o.cert, o.key)
	}
	if o.cacert != "" {
		files = append(files, o.cacert)
	}
	if files == nil {
		return nil
	}
	if err := c.SetTLS(files...); err != nil {
		return fmt.Errorf("%s: %v: write files in PEM form", strings.Join(files, " "), err)
	}
	return nil
}

func (s *store) dial() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.Timeout)
	defer cancel()
	err := insist(ctx, func() (err error) {
		s.client, err = clientv3.New(s.Impatient())
		return err
	})
	if err != nil {
		return s.failure(err)
	}
	return nil
}

func (s *store) close() {
	if s.client != nil {
		s.client.Close()
	}
}

// A kept fragment is one as it is in etcd.
type kept struct {
	plugchange.Fragment
	changed int64            // the revision of its last change
	lease   clientv3.LeaseID // 0 if it is to stay
}

func keptOf(kv *mvccpb.KeyValue) kept {
	f := plugchange.Fragment{Key: string(kv.Key), Text: string(kv.Value), Created: kv.CreateRevision}
	return kept{f, kv.ModRevision, clientv3.LeaseID(kv.Lease)}
}

// list returns all fragments, by key, and the revision of etcd.
func (s *store) list(ctx context.Context, options ...clientv3.OpOption) ([]kept, int64, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	options = append(options, clientv3.WithPrefix(), clientv3.WithSort(clientv3.SortByKey, clientv3.SortAscend))
	var r *clientv3.GetResponse
	err := insist(ctx, func() (err error) {
		r, err = s.client.Get(ctx, s.Prefix, options...)
		return err
	})
	if err != nil {
		return nil, 0, s.failure(err)
	}
	var all []kept
	for _, kv := range r.Kvs {
		all = append(all, keptOf(kv))
	}
	return all, r.Header.Revision, nil
}

// insist does what changes nothing in etcd, again if need be in the seconds in which
// its members have no leader.
func insist(ctx context.Context, do func() error) error {
	for again := (retry{}); ; again.wait(ctx) {
		err := do()
		leaderless := func(e error) bool { return errors.Is(err, e) }
		if ctx.Err() != nil || !slices.ContainsFunc([]error{rpctypes.ErrLeaderChanged, rpctypes.ErrNoLeader, rpctypes.ErrTimeoutDueToLeaderFail}, leaderless) {
			return err
		}
	}
}

// failure says of an error of etcd what it means here.
func (s *store) failure(err error) error {
	where := strings.TrimSuffix(s.String(), s.Prefix)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("no answer in %v", s.Timeout)
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return fmt.Errorf("etcd %s: user %q has no permission for this below %s: grant it with etcdctl role grant-permission", where, s.Username, s.Prefix)
	case errors.Is(err, rpctypes.ErrUserEmpty):
		return withHint(fmt.Errorf("etcd %s asks for a user: write --user", where), "--user NAME --password-file FILE")
	case status.Code(err) == codes.Unavailable:
		err = errors.New(grpcNoise.ReplaceAllString(status.Convert(err).Message(), ""))
	default:
		return fmt.Errorf("etcd %s: %v", where, err)
	}
	return withHint(fmt.Errorf("etcd %s: %v", where, err), "etcdctl --endpoints %s endpoint health", where)
}

// grpcNoise is what stands around the reason for which a connection is not made.
var grpcNoise = regexp.MustCompile(`connection error: desc = |transport: |(Error while dialing|authentication handshake failed): |"`)

// key returns the key of a name; the key itself is taken too, as get prints it.
func (s *store) key(name string) string {
	if strings.HasPrefix(name, s.Prefix) {
		return name
	}
	return s.Key(name)
}

// name returns the name of a key.
func (s *store) name(key string) string { return strings.TrimPrefix(key, s.Prefix) }

// own reports whether a key is one of the servers' own, which is not for people
// to see.
func (s *store) own(key string) bool { return strings.HasPrefix(s.name(key), ".") }

// properName is what can be told apart in a shell, in a log and in a path.
var properName = regexp.MustCompile(`^[^\s/.#"'\\][^\s"'\\]*$`)

// properKeys makes keys of names, those of folders too if they end in "/".
func (s *store) properKeys(names []string) ([]string, error) {
	var keys []string
	for _, name := range names {
		key := s.key(name)
		if !properName.MatchString(s.name(key)) {
			return nil, fmt.Errorf("name %q: write one like mail or customers/example.com, without blanks and quotes, that does not start with a dot", name)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// isOneOf reports whether a key is one of some, or in the folder of one.
func isOneOf(key string, keys []string) bool {
	for _, k := range keys {
		if key == k || strings.HasSuffix(k, "/") && strings.HasPrefix(key, k) {
			return true
		}
	}
	return false
}

// choose returns the fragments that have one of some names, and an error for a
// name that none has. Without names it is all but the servers' own.
func (s *store) choose(all []kept, names []string) ([]kept, error) {
	keys, err := s.properKeys(names)
	if err != nil {
		return nil, err
	}
	var chosen []kept
	used := map[string]bool{}
	for _, k := range all {
		if len(keys) == 0 && !s.own(k.Key) {
			chosen = append(chosen, k)
		}
		for _, key := range keys {
			if isOneOf(k.Key, []string{key}) {
				chosen, used[key] = append(chosen, k), true
				break
			}
		}
	}
	for i, key := range keys {
		if !used[key] {
			return nil, withHint(fmt.Errorf("there is no %s in etcd", key), "mxsrv get, without %s, lists all", names[i])
		}
	}
	return chosen, nil
}
