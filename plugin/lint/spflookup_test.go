package lint_test

import (
	"slices"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/lint"
)

// TestSPFLookups: the terms that ask DNS, up to all, and what they ask about.
func TestSPFLookups(t *testing.T) {
	const owner = "m.example.org."
	for text, want := range map[string][]lint.SPFLookup{
		"v=spf1":                      nil,
		"v=spf1 ip4:192.0.2.1 -all a": nil,
		"v=spf1 a/24 ~MX:a.b//64 ptr exp=x.y ?all": {{"a/24", "a", owner, false}, {"~MX:a.b//64", "mx", "a.b.", false}, {"ptr", "ptr", owner, false}},
		"V=SPF1 include:A.b exists:%{i}.x":         {{"include:A.b", "include", "a.b.", true}, {"exists:%{i}.x", "exists", "", false}},
		"v=spf1 redirect=a.b a":                    {{"a", "a", owner, false}, {"redirect=a.b", "redirect", "a.b.", true}},
		"v=spf1 redirect=a.b all":                  nil,
	} {
		if got := slices.Collect(lint.SPFLookups(text, owner)); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	for range lint.SPFLookups("v=spf1 a mx", owner) {
		break // which ends it
	}
}

func TestIsSPF(t *testing.T) {
	for text, want := range map[string]bool{
		"v=spf1": true, "V=SPF1 -all": true, "v=spf10": false, "v=spf1-all": false, " v=spf1": false, "v=spf": false, "": false,
	} {
		if lint.IsSPF(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
