package publish

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
)

// TestImpossiblePlugins: definitions that cannot be served beside other plugins are not, even
// before a source has delivered.
func TestImpossiblePlugins(t *testing.T) {
	const stanza = "mxsrv example.org a.example.org {\n host b 192.0.2.1\n}"
	p, _ := newPublisher(t, configOf(stanza, t.Name()))
	if err := p.Load(); err != nil {
		t.Fatal(err)
	}
	late, _ := newPublisher(t, configOf(stanza, t.Name()))
	for _, p := range []*Publisher{p, late} {
		err := p.SetPlugins(lint.Plugins{Signed: definition.Zones{"example.org."}})
		if err == nil || !strings.Contains(err.Error(), "zone a.example.org. is within example.org.,") {
			t.Errorf("%v, want nested-signed", err)
		}
	}
	if err := p.SetPlugins(lint.Plugins{}); err != nil {
		t.Errorf("without dnssec: %v", err)
	}
}

// TestIgnoredWarnings: a load and a patch warn of nothing that is accepted.
func TestIgnoredWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "mxsrv {\n ignore mail-single-host minimal-strips-glue\n host a 192.0.2.1\n mail @ 10 a\n}", [2]string{"#", "#"})
		s.SetPlugins(lint.Plugins{Before: []string{"minimal"}})
		s.edit(t, [2]string{"mail b 10 a\nhost c 127.0.0.1", "#"})
		expectRules(t, s.log.warnings, "address-special")
	})
}
