package lint

import (
	"slices"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestTexts: a text comes once, with all records that have it in their order: those of other keys are between them.
func TestTexts(t *testing.T) {
	set, errs := definition.Read("x", `mail a b c 10 mx {
    dkim s1 ed25519:11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
    dkim s2 revoked
}`, definition.Zones{"example.org."})
	if errs != nil {
		t.Fatal(errs)
	}
	var got []string
	for text, records := range (&pass{set: set}).texts(dkim) {
		got = append(got, text)
		for _, r := range records {
			got = append(got, string(r.Owner))
		}
	}
	want := []string{
		"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
		"s1._domainkey.a.example.org.", "s1._domainkey.b.example.org.", "s1._domainkey.c.example.org.",
		"v=DKIM1; p=", "s2._domainkey.a.example.org.", "s2._domainkey.b.example.org.", "s2._domainkey.c.example.org.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}
