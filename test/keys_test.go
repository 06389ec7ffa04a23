package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestKeyFiles: a renewed certificate is in TLSA answers, whether the Corefile or a definitions file names it. A key file
// that is broken, private or gone changes nothing, and says so without a line of what it has.
func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "defs"), 0o700); err != nil {
		t.Fatal(err)
	}
	first := newCertificate(t)
	for _, name := range []string{"a.pem", "b.pem"} {
		write(t, filepath.Join(dir, "defs", name), first.pem)
	}
	write(t, filepath.Join(dir, "defs", "b.conf"), "host b 192.0.2.2 {\n tlsa 25 b.pem\n}\n")
	s := start(t, dir, strings.Replace(followed, "host stay 192.0.2.1", "host a 192.0.2.1 {\n tlsa 25 a.pem\n }\nhost stay 192.0.2.1", 1))

	for _, of := range []struct{ name, line string }{{"a", "Corefile:7"}, {"b", "defs/b.conf:2"}} {
		path := filepath.Join(s.Dir, "defs", of.name+".pem")
		question := "_25._tcp." + of.name + ".example.org."
		served := func() string { return format(s.ask(t, "udp", query(t, question+" TLSA"))) }
		tlsa := func(c *certificate) string { return fmt.Sprintf("%s 3600 IN TLSA 3 1 1 %s\n", question, c.digest) }
		serving := first
		if got := served(); got != tlsa(first) {
			t.Fatalf("%s\nwant\n%s\n%s", got, tlsa(first), s)
		}
		for _, step := range []struct {
			name   string
			change func(*certificate)
			want   string // how the error starts; "" if the key is served
		}{
			{"renewed", func(c *certificate) { write(t, path, c.pem+first.pem) }, ""},
			{"broken", func(c *certificate) { write(t, path, strings.Replace(c.pem, "M", "?", 1)) }, of.line + `: error: "` + of.name + `.pem": it has no public key`},
			{"corrected", func(c *certificate) { write(t, path, c.pem) }, ""},
			{"private", func(c *certificate) { write(t, path, c.private) }, of.line + `: error: "` + of.name + `.pem" has a private key`},
			{"private beside its certificate", func(c *certificate) { write(t, path, c.private+c.pem) }, of.line + `: error: "` + of.name + `.pem" has a private key`},
			{"gone", func(*certificate) { _ = os.Remove(path) }, of.line + `: error: "` + of.name + `.pem": no such file or directory: create defs/` + of.name + ".pem"},
			{"renamed over", func(c *certificate) {
				write(t, path+".new", c.pem)
				if err := os.Rename(path+".new", path); err != nil {
					t.Fatal(err)
				}
			}, ""},
		} {
			c, before := newCertificate(t), s.rejected()
			step.change(c)
			if step.want == "" {
				serving = c
				eventually(t, s, of.name+" "+step.name+": it is served", func() bool { return served() == tlsa(c) })
			} else {
				eventually(t, s, of.name+" "+step.name+": it is rejected", func() bool { return s.rejected() > before })
			}
			if got := served(); got != tlsa(serving) || !strings.Contains(s.String(), step.want) {
				t.Errorf("%s %s: %s\nwant\n%s\nand the error %s\n%s", of.name, step.name, got, tlsa(serving), step.want, s)
			}
			for line := range strings.Lines(c.pem + c.private) {
				if line = strings.TrimSpace(line); len(line) > 12 && strings.Contains(s.String(), line) {
					t.Errorf("%s %s: %q is in the log\n%s", of.name, step.name, line, s)
				}
			}
		}
	}
}
