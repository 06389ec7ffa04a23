package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/hint"
	"github.com/mxsrv/mxsrv/cmd/mxsrv/internal/webhook"
	"github.com/mxsrv/mxsrv/plugin/definition"
)

const webhookExamples = `  mxsrv webhook --zone example.org       beside ExternalDNS, until interrupted
  mxsrv webhook --corefile Corefile      with the place in etcd and the zones of a Corefile
  mxsrv webhook --zone example.org --domain-filter k8s.example.org
                                         names at and below k8s.example.org, and no others
  mxsrv webhook --zone example.org --dry-run
                                         write nothing, and say what would be written

  external-dns --provider=webhook --source=crd --managed-record-types=A --managed-record-types=MX \
      --txt-owner-id=mine --txt-prefix=_owner-%{record_type}. --txt-wildcard-replacement=any

Each name is a fragment in the folder --in below the prefix. Endpoints that servers would exclude are not served, which
the log says; one that is served already stays as it is. Keys that were edited since, or are not from ExternalDNS, are
left alone.

Exit status: 0 interrupted; 2 usage or I/O error.`

type webhookFlags struct {
	storeFlags
	listen, metrics, in string
	domains             []string
	dryRun              bool
}

func webhookCommand(u *ui) *cobra.Command {
	f := new(webhookFlags)
	c := &cobra.Command{
		Use:     "webhook",
		Short:   "Keep the endpoints of ExternalDNS in etcd",
		Long:    "Keep the endpoints of ExternalDNS in etcd: a provider for its --provider=webhook.",
		Example: webhookExamples,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return f.run(u) },
	}
	flags := c.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8888", "the `ADDRESS` for ExternalDNS; who reaches it writes to etcd")
	flags.StringVar(&f.metrics, "metrics", "127.0.0.1:8080", "the `ADDRESS` for /healthz, /readyz and /metrics; empty for none")
	flags.StringVar(&f.in, "in", "external-dns", "the `FOLDER` below the prefix for the fragments")
	flags.StringSliceVar(&f.domains, "domain-filter", nil, "a `DOMAIN` whose names are taken, with those below it; repeat it for several (default the zones)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "write nothing, and say what would be written")
	f.storeFlags.add(c)
	return c
}

func (f *webhookFlags) run(u *ui) error {
	p, err := f.provider(u)
	if err != nil {
		return err
	}
	defer p.Close()
	listeners, err := listenOn(f.listen, f.metrics)
	if err != nil {
		return err
	}
	note := fmt.Sprintf("listening on %s for ExternalDNS", listeners[0].Addr())
	if len(listeners) > 1 {
		note += fmt.Sprintf(", metrics on %s", listeners[1].Addr())
	}
	u.note("%s", note)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return serveUntil(ctx, listeners, p.Handler(), p.Status())
}

// provider returns what the flags mean, without a connection.
func (f *webhookFlags) provider(u *ui) (*webhook.Provider, error) {
	s, err := f.store()
	if err != nil {
		return nil, err
	}
	folder := strings.Trim(f.in, "/")
	if _, err := s.ParseName(folder + "/"); err != nil {
		return nil, fmt.Errorf("--in: %v", err)
	}
	var domains []definition.Name
	for _, text := range f.domains {
		d, err := definition.ParseName(text, ".")
		if err != nil {
			return nil, hint.Add(fmt.Errorf("--domain-filter: %v", err), "--domain-filter example.org")
		}
		domains = append(domains, d)
	}
	p := webhook.New(s, folder, domains)
	p.DryRun, p.Note = f.dryRun, u.note
	return p, nil
}

// listenOn returns listeners on addresses that are not empty, all or none.
func listenOn(addresses ...string) (listeners []net.Listener, err error) {
	for _, address := range addresses {
		if address == "" && len(listeners) > 0 {
			continue
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			for _, l := range listeners {
				l.Close()
			}
			return nil, hint.Add(fmt.Errorf("listen on %q: %v", address, err), "--listen 127.0.0.1:8888 --metrics 127.0.0.1:8080")
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// longestStop is how long requests may go on when the process is to end. Kubernetes waits for 30 seconds.
const longestStop = 20 * time.Second

// serveUntil serves each listener with its handler until ctx ends or one fails. Requests that run then are finished.
func serveUntil(ctx context.Context, listeners []net.Listener, handlers ...http.Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	failed := make([]error, len(listeners))
	for i, l := range listeners {
		server := webhook.NewServer(handlers[i])
		running.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed[i] = err
				cancel()
			}
		})
		running.Go(func() {
			<-ctx.Done()
			limited, stop := context.WithTimeout(context.Background(), longestStop)
			defer stop()
			server.Shutdown(limited) // what takes longer ends with the process
		})
	}
	running.Wait()
	return errors.Join(failed...)
}
