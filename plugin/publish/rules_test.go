package publish

import (
	"fmt"
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
		s := newStage(t, "mxsrv {\n ignore mail-single-host minimal-strips-glue\n host a 192.0.2.1\n mail @ 10 a\n}", [2]string{"#", "#"}, "minimal")
		s.edit(t, [2]string{"mail b 10 a\nhost c 127.0.0.1", "#"})
		expectRules(t, s.log.warnings, "address-special")
	})
}

// TestExcludedWords: a fragment says what is wrong with its words as a file does.
func TestExcludedWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, log, k := followFragments(t, "mxsrv {\n host a 192.0.2.1\n}")
		for text, want := range map[string]string{
			"mx b 10 a":              `unknown word "mx": write mail NAME... PREFERENCE HOST...`,
			"maill b 10 a":           `unknown word "maill": write mail`,
			"mail b 10 a ; why":      `";": write "#" before a comment`,
			"mail b 10 none":         `"none" takes no numbers: write it alone`,
			"mail b 10 {$HOST}":      `"{$HOST}": only the Corefile has variables, written {$NAME}: write the value here`,
			"mail b 10 \"\"":         `"" is no word: write one, or set the variable of the Corefile that it comes from`,
			"mail b 10 \"a c\"":      `"a c" is one word, as quotes and variables make it: write each word by itself`,
			"host a {\n ttl 60\n}\n": "usage: host NAME ADDRESS...",
		} {
			*log = recorder{}
			k.edit(put("words", text))
			expect(t, text, log.errors, "excluded: etcd:words:1: error: "+want+" [syntax]")
		}
	})
}

// TestExcludedByRules: of fragments that make a set too large the youngest are excluded. One that forgets a final dot
// is served, with a warning: another may declare that name.
func TestExcludedByRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, log, k := followFragments(t, "mxsrv {\n host a 192.0.2.1\n}")
		targets := func(from int) string {
			text := "service _s._tcp 0 0 1"
			for i := range 300 {
				text += fmt.Sprintf(" host-%d.example.net.", from+i)
			}
			return text
		}
		for i := range 7 {
			k.edit(put(fmt.Sprint(i), targets(1000+300*i)))
		}
		if s := p.Status(); s.Excluded != 2 || !strings.HasPrefix(strings.Join(log.errors, "\n"), "excluded: etcd:5:1: error: the SRV answer of ") {
			t.Errorf("%d are excluded, want 2\n%s", s.Excluded, strings.Join(log.errors, "\n"))
		}
		*log = recorder{}
		k.edit(put("7", "mail @ 10 a.example.org"))
		expect(t, "no final dot", log.errors)
		expectRules(t, log.warnings, "final-dot-missing", "mail-single-host")
	})
}
