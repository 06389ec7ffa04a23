// Command externaldns is one loop of ExternalDNS with --provider=webhook and --registry=txt: its client of the
// protocol, its registry and its plan are the real ones. What a cluster would have is on standard input, endpoints in
// JSON, instead of a source; so none of the clients of Kubernetes and of clouds is needed. It prints what was changed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/pkg/apis/externaldns"
	"sigs.k8s.io/external-dns/plan"
	"sigs.k8s.io/external-dns/provider"
	"sigs.k8s.io/external-dns/provider/webhook"
	"sigs.k8s.io/external-dns/registry/txt"
)

func main() {
	changes, err := loop(context.Background(), os.Args[1])
	switch {
	case errors.Is(err, provider.SoftError):
		fmt.Fprintln(os.Stderr, "soft error:", err)
		os.Exit(1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
	fmt.Printf("%d created, %d updated, %d deleted\n", len(changes.Create), len(changes.UpdateNew), len(changes.Delete))
}

// loop does what RunOnce of the controller does, and returns the changes that were made.
func loop(ctx context.Context, url string) (*plan.Changes, error) {
	var wished []*endpoint.Endpoint
	if err := json.NewDecoder(os.Stdin).Decode(&wished); err != nil {
		return nil, err
	}
	cfg := externaldns.NewConfig()
	cfg.WebhookProviderURL = url
	cfg.WebhookProviderReadTimeout, cfg.WebhookProviderWriteTimeout = 10*time.Second, 20*time.Second
	cfg.ManagedDNSRecordTypes = endpoint.KnownRecordTypes
	cfg.TXTOwnerID, cfg.TXTPrefix, cfg.TXTWildcardReplacement = "mine", "_owner-%{record_type}.", "any"
	p, err := webhook.New(ctx, cfg, nil)
	if err != nil {
		return nil, err
	}
	registry, err := txt.New(cfg, p)
	if err != nil {
		return nil, err
	}
	current, err := registry.Records(ctx)
	if err != nil {
		return nil, err
	}
	desired, err := registry.AdjustEndpoints(endpoint.MergeEndpoints(wished))
	if err != nil {
		return nil, err
	}
	planned := (&plan.Plan{
		Policies:       []plan.Policy{&plan.SyncPolicy{}},
		Current:        current,
		Desired:        desired,
		DomainFilter:   endpoint.MatchAllDomainFilters{registry.GetDomainFilter()},
		ManagedRecords: cfg.ManagedDNSRecordTypes,
		OwnerID:        registry.OwnerID(),
	}).Calculate()
	if !planned.Changes.HasChanges() {
		return planned.Changes, nil
	}
	return planned.Changes, registry.ApplyChanges(ctx, planned.Changes)
}
