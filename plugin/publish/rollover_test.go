package publish

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRollover: a key that comes without the one before is warned of once, however it comes, with the time until which
// somebody may have the records of before.
func TestRollover(t *testing.T) {
	const (
		one   = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
		two   = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
		three = "sha256:3333333333333333333333333333333333333333333333333333333333333333"
	)
	for _, tc := range []struct {
		name          string
		before, after string // the keys of mx at port 25
		want          bool
	}{
		{"another key", one, two, true},
		{"two others", one + " " + two, three, true},
		{"two others, declared apart", one, two + " " + three, true},
		{"the next one beside", one, one + " " + two, false},
		{"the old one leaves", one + " " + two, two, false},
		{"the same", one, one, false},
		{"the first one", "", one, false},
		{"none any more", one, "", false},
	} {
		declare := func(keys string) string {
			text := "host mx 192.0.2.1\n"
			for key := range strings.FieldsSeq(keys) {
				text += "host mx 192.0.2.1 {\n ttl 300\n tlsa 25 " + key + "\n}\nhost other 192.0.2.2 {\n tlsa 25 " + one + "\n}\n"
			}
			return text
		}
		for _, way := range []struct{ name, was, is string }{
			{"a patch", "m.conf " + declare(tc.before), "m.conf " + declare(tc.after)},
			{"a load", "m.conf " + declare(tc.before), "m.conf ttl 1000\n" + declare(tc.after)},
		} {
			t.Run(tc.name+" by "+way.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := directory{t, t.TempDir()}
					d.write(way.was)
					p, log := d.publisher("mxsrv {\n file DIR/m.conf\n}", nil)
					if err := p.Load(); err != nil {
						t.Fatal(err)
					}
					p.Follow()
					defer p.Stop()
					d.write(way.is)
					expectRollover(t, d.lines(log.warnings...), tc.want)
					d.write(way.is + "mail a none\n")
					expectRollover(t, d.lines(log.warnings...), tc.want)
				})
			})
		}
		t.Run(tc.name+" by a reload", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				running, _ := loaded(t, "mxsrv {\n"+declare(tc.before)+"}")
				d := directory{t, ""}
				c := configOf("mxsrv {\n"+declare(tc.after)+"}", "the server")
				c.Accepted = func() []*Accepted { return []*Accepted{running.Accepted()} }
				p, log := newPublisher(t, c)
				if err := p.Load(); err != nil {
					t.Fatal(err)
				}
				if len(log.warnings) > 0 {
					t.Errorf("before it serves: %q", log.warnings)
				}
				p.Follow()
				defer p.Stop()
				d.write()
				expectRollover(t, log.warnings, tc.want)
			})
		})
	}
}

// expectRollover checks the warnings about the keys of mx, which have a TTL of 300 seconds, of a change in the last ten.
func expectRollover(t *testing.T, warnings []string, want bool) {
	t.Helper()
	var about []string
	for _, w := range warnings {
		if strings.Contains(w, "TLSA of ") {
			about = append(about, w)
		}
	}
	switch {
	case !want && len(about) > 0:
		t.Errorf("warnings %q, want none", about)
	case want && len(about) != 1:
		t.Errorf("warnings %q, want one", about)
	case want:
		_, rest, _ := strings.Cut(about[0], ": ")
		var until time.Time
		if _, after, ok := strings.Cut(rest, " until "); ok {
			until, _ = time.ParseInLocation(time.DateTime, after[:len(time.DateTime)], time.Local)
		}
		if left := time.Until(until); !strings.HasPrefix(rest, "TLSA of _25._tcp.mx.example.org.: none of the records of before is left") ||
			left < 280*time.Second || left > 300*time.Second || !strings.Contains(rest, " two TTLs, 10m0s, ") {
			t.Errorf("warning %q, %v before that", about[0], left)
		}
	}
}

// TestRolloverMany: of many names some are named, and the others counted.
func TestRolloverMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		declare := func(digit string) string {
			var text strings.Builder
			for i := range maxFindings + 5 {
				fmt.Fprintf(&text, "host mx%d 192.0.2.1 {\n tlsa 25 sha256:%s\n}\n", i, strings.Repeat(digit, 64))
			}
			return text.String()
		}
		d := directory{t, t.TempDir()}
		d.write("m.conf " + declare("1"))
		p, log := d.publisher("mxsrv {\n file DIR/m.conf\n ignore tlsa-one-key\n}", nil)
		if err := p.Load(); err != nil {
			t.Fatal(err)
		}
		p.Follow()
		defer p.Stop()
		d.write("m.conf " + declare("2"))
		if n := len(log.warnings); n != maxFindings+1 || log.warnings[maxFindings] != "TLSA of 5 names more: none of the records of before is left" {
			t.Errorf("%d warnings: %q", n, log.warnings)
		}
	})
}
