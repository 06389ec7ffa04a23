package main

import (
	"os"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	"sigs.k8s.io/yaml"

	"sigs.k8s.io/external-dns/apis/v1alpha1"
)

// kinds are the types of what the manifests have.
var kinds = map[string]func() any{
	"v1/Namespace":                                    func() any { return new(core.Namespace) },
	"v1/ConfigMap":                                    func() any { return new(core.ConfigMap) },
	"v1/Secret":                                       func() any { return new(core.Secret) },
	"v1/Service":                                      func() any { return new(core.Service) },
	"v1/ServiceAccount":                               func() any { return new(core.ServiceAccount) },
	"apps/v1/Deployment":                              func() any { return new(apps.Deployment) },
	"policy/v1/PodDisruptionBudget":                   func() any { return new(policy.PodDisruptionBudget) },
	"networking.k8s.io/v1/NetworkPolicy":              func() any { return new(networking.NetworkPolicy) },
	"rbac.authorization.k8s.io/v1/ClusterRole":        func() any { return new(rbac.ClusterRole) },
	"rbac.authorization.k8s.io/v1/ClusterRoleBinding": func() any { return new(rbac.ClusterRoleBinding) },
	"externaldns.k8s.io/v1alpha1/DNSEndpoint":         func() any { return new(v1alpha1.DNSEndpoint) },
}

// TestManifests: the manifests have no field that Kubernetes does not know.
func TestManifests(t *testing.T) {
	for name, want := range map[string]int{"kubernetes.yaml": 5, "external-dns.yaml": 7} {
		text, err := os.ReadFile("../../docs/deploy/" + name)
		if err != nil {
			t.Fatal(err)
		}
		documents := strings.Split(string(text), "\n---\n")
		if len(documents) != want {
			t.Errorf("%s has %d documents, want %d", name, len(documents), want)
		}
		for _, document := range documents {
			var head struct{ APIVersion, Kind string }
			if err := yaml.Unmarshal([]byte(document), &head); err != nil {
				t.Fatal(err)
			}
			kind := kinds[head.APIVersion+"/"+head.Kind]
			if kind == nil {
				t.Errorf("%s has a %s/%s", name, head.APIVersion, head.Kind)
				continue
			}
			if err := yaml.UnmarshalStrict([]byte(document), kind()); err != nil {
				t.Errorf("%s, %s: %v", name, head.Kind, err)
			}
		}
	}
}
