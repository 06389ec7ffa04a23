package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
)

// TestPlugins: the plugins that check knows are those of the CoreDNS that the server is built with.
func TestPlugins(t *testing.T) {
	if !slices.Equal(corednsPlugins, dnsserver.Directives) {
		t.Errorf("%q,\nwant %q", corednsPlugins, dnsserver.Directives)
	}
	if version, _, _ := strings.Cut(strings.TrimPrefix(coredns, "CoreDNS "), " "); !strings.HasPrefix(coremain.CoreVersion, version+".") {
		t.Errorf("%s, want %s", coredns, coremain.CoreVersion)
	}
}

// TestMisspelled: what is near to a plugin is a slip, and what others have made is not.
func TestMisspelled(t *testing.T) {
	for name, want := range map[string]string{
		"fowrard": "forward", "mxsvr": "mxsrv", "mxsr": "mxsrv", "fiel": "file", "erors": "errors", "cahce": "cache",
		"prometeus": "prometheus", "lgo": "log", "kubernets": "kubernetes", "Forward": "forward",
		"fanout": "", "redis": "", "mysql": "", "unbound": "", "records": "", "recursor": "", "rrl": "", "git": "", "ens": "",
		"k8s_gateway": "", "alternate": "", "netbox": "", "gslb": "", "mdns": "", "dump": "", "blocklist": "", "x": "",
	} {
		if got, ok := misspelled(name); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %s, %v, want %q", name, got, ok, want)
		}
	}
}
