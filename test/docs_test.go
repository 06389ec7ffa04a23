package test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"go.yaml.in/yaml/v2"

	"github.com/mxsrv/mxsrv/plugin/corefile"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/test/rig"
)

// pages returns the text of README, of that of the examples, and of all pages of the
// manual, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, path := range []string{"../README.md", "../examples/README.md"} {
		texts[path] = read(t, path)
	}
	err := filepath.WalkDir("../docs", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			texts[path] = read(t, path)
		}
		return err
	})
	if err != nil || len(texts) < 12 {
		t.Fatalf("%d pages, want at least 12 (%v)", len(texts), err)
	}
	return texts
}

// blocksOf returns the blocks of a page that are marked with a word.
func blocksOf(page, mark string) (blocks []string) {
	for _, m := range regexp.MustCompile("(?s)\n~~~ "+mark+"\n(.*?\n)~~~\n").FindAllStringSubmatch(page, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// tableWords returns the first word of each row of the tables of a page that begins
// with a keyword.
func tableWords(page string) (words []string) {
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z][a-z0-9-]*)").FindAllStringSubmatch(page, -1) {
		words = append(words, m[1])
	}
	return words
}

// sameWords reports an error for each word that a place lacks, or has too much.
func sameWords(t *testing.T, place string, got, want []string) {
	t.Helper()
	for _, word := range want {
		if !slices.Contains(got, word) {
			t.Errorf("%s lacks %q", place, word)
		}
	}
	for _, word := range got {
		if !slices.Contains(want, word) {
			t.Errorf("%s has %q, want one of %q", place, word, want)
		}
	}
}

// TestReadmeCorefiles starts a server with each block of README and the manual that is
// marked as a Corefile.
func TestReadmeCorefiles(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../examples/definition-files")); err != nil {
		t.Fatal(err)
	}
	for _, keys := range []string{"certs", "keys"} {
		if err := os.CopyFS(filepath.Join(dir, keys), os.DirFS("../examples/mail-domain/"+keys)); err != nil {
			t.Fatal(err)
		}
	}
	for _, zone := range []string{"example.com.", "example.org."} {
		write(t, filepath.Join(dir, "db."+strings.TrimSuffix(zone, ".")), strings.ReplaceAll(overlayZone, "example.com.", zone))
	}
	key, n := writeKey(t, dir, "example.org."), 0
	for _, path := range slices.Sorted(maps.Keys(pages(t))) {
		for i, block := range blocksOf(pages(t)[path], "corefile") {
			n++
			t.Run(fmt.Sprintf("%s block %d", filepath.Base(path), i+1), func(t *testing.T) {
				block = regexp.MustCompile(`key file \S+`).ReplaceAllString(onLoopback(block), "key file "+key)
				start(t, dir, withEtcd(t, "../examples/etcd", block))
			})
		}
	}
	if n < 15 {
		t.Errorf("%d blocks, want at least 15", n)
	}
}

// onLoopback returns a Corefile whose ports, those of README or the defaults, are on
// loopback and such as start replaces.
func onLoopback(corefile string) string {
	corefile = regexp.MustCompile(`(?m)^\S.* \{$`).ReplaceAllStringFunc(corefile, func(line string) string {
		var keys []string
		for key := range strings.FieldsSeq(strings.TrimSuffix(line, " {")) {
			if !regexp.MustCompile(`:\d+$`).MatchString(key) {
				key += ":1053"
			}
			keys = append(keys, key)
		}
		return strings.Join(keys, " ") + " {\n    bind 127.0.0.1"
	})
	corefile = regexp.MustCompile(`(?m)^    prometheus$`).ReplaceAllString(corefile, "    prometheus 127.0.0.1:1054")
	return regexp.MustCompile(`(?m)^    ready$`).ReplaceAllString(corefile, "    ready 127.0.0.1:1055")
}

// TestDocsRules: the page has every rule, as its documentation says it, and no other.
func TestDocsRules(t *testing.T) {
	listed := map[string]string{}
	item := regexp.MustCompile("(?m)^\\* `([a-z0-9-]+)`: (.*\n(?:  .*\n)*)")
	for _, m := range item.FindAllStringSubmatch(read(t, "../docs/rules.md"), -1) {
		listed[m[1]] = strings.Join(strings.Fields(m[2]), " ")
	}
	var rules []struct{ ID, Doc, RFC string }
	text, err := exec.Command(buildTool(t), "check", "--rules", "--json").Output()
	if err := errors.Join(err, json.Unmarshal(text, &rules)); err != nil || len(rules) <= len(lint.Rules()) {
		t.Fatalf("%d rules of the tool (%v), and %d of the server", len(rules), err, len(lint.Rules()))
	}
	for _, r := range rules {
		want := r.Doc
		if r.RFC != "" {
			want += " (" + r.RFC + ")"
		}
		if got := listed[r.ID]; got != want+"." {
			t.Errorf("docs/rules.md has %q for the rule, want\n* `%s`: %s.", got, r.ID, want)
		}
		delete(listed, r.ID)
	}
	for id := range listed {
		t.Errorf("docs/rules.md has the rule %s, and there is none", id)
	}
}

// TestDocsWords: the pages of authoritative, of etcd and of checks have the words that the server
// names when it meets another.
func TestDocsWords(t *testing.T) {
	for _, tc := range []struct{ page, stanza string }{
		{"../docs/authoritative.md", "mxsrv example.org {\nauthoritative {\nns a.example.net.\nnosuch\n}\n}\n"},
		{"../docs/health.md", "mxsrv example.org {\nchecks {\nnosuch\n}\n}\n"},
		{"../docs/etcd.md", "mxsrv example.org {\netcd 127.0.0.1:2379 {\nnosuch\n}\n}\n"},
	} {
		d := caddyfile.NewDispenser("Corefile", strings.NewReader(tc.stanza))
		b := corefile.Read(&d, corefile.Env{Origins: func(args, _ []string) []string { return args }})
		if len(b.Errs) != 1 {
			t.Fatalf("%s: %v, want one error", tc.page, b.Errs)
		}
		_, named, _ := strings.Cut(b.Errs[0].Text, "write ")
		var want []string
		for _, word := range regexp.MustCompile(`\b[a-z]+\b`).FindAllString(named, -1) {
			if !slices.Contains([]string{"one", "of", "or", "with", "a", "duration"}, word) {
				want = append(want, word)
			}
		}
		if len(want) < 5 {
			t.Errorf("%s: %q in %s", tc.page, want, named)
		}
		sameWords(t, tc.page, tableWords(read(t, tc.page)), want)
	}
}

// TestDocsTool: the tool prints what the pages show.
func TestDocsTool(t *testing.T) {
	tool, n := buildTool(t), 0
	for path, page := range pages(t) {
		for _, block := range blocksOf(page, "txt") {
			command, want, _ := strings.Cut(block, "\n")
			args, ok := strings.CutPrefix(command, "$ go run ./cmd/mxsrv ")
			if !ok {
				continue
			}
			n++
			cmd := exec.Command(tool, strings.Fields(args)...)
			cmd.Dir = ".."
			if out, err := cmd.Output(); string(out) != want {
				t.Errorf("mxsrv %s: %v\n%s\n%s has\n%s", args, err, out, path, want)
			}
		}
	}
	if n < 2 {
		t.Errorf("%d blocks, want at least 2", n)
	}
}

// TestDocsCommands: each command of the tool that the pages name exists, with the flags
// that they give it.
func TestDocsCommands(t *testing.T) {
	tool := buildTool(t)
	helps := map[string]string{}
	for path, page := range pages(t) {
		for _, block := range blocksOf(page, "sh") {
			block = strings.ReplaceAll(block, "\\\n", " ")
			for _, m := range regexp.MustCompile(`(?m)(?:^|[ (;])(?:go run \./cmd/)?mxsrv ([a-z]+)([^#;|&\n]*)`).FindAllStringSubmatch(block, -1) {
				help, ok := helps[m[1]]
				if !ok {
					out, err := exec.Command(tool, m[1], "--help").Output()
					if err != nil || !strings.Contains(string(out), "Usage:\n  mxsrv "+m[1]) {
						t.Errorf("%s has the command %q: %v\n%s", path, m[1], err, out)
					}
					help = string(out)
					helps[m[1]] = help
				}
				flags, _, _ := strings.Cut(m[2], " -- ")
				flags = regexp.MustCompile(`"[^"]*"`).ReplaceAllString(flags, "")
				for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(flags, -1) {
					if !regexp.MustCompile(flag + `\b`).MatchString(help) {
						t.Errorf("%s gives %s to mxsrv %s, which has none", path, flag, m[1])
					}
				}
			}
		}
	}
	if len(helps) < 10 {
		t.Errorf("%d commands, want at least 10", len(helps))
	}
}

// TestDocsPlugins: the page names the plugins of CoreDNS that our binary lacks, and no
// other.
func TestDocsPlugins(t *testing.T) {
	out, err := exec.Command(coredns, "-plugins").Output()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		have[strings.TrimPrefix(strings.TrimSpace(line), "dns.")] = true
	}
	var want, got []string
	for _, name := range dnsserver.Directives {
		if !have[name] {
			want = append(want, name)
		}
	}
	_, sentence, _ := strings.Cut(read(t, "../docs/compatibility.md"), "\nThey leave out ")
	sentence, _, _ = strings.Cut(sentence, ".\n")
	for _, m := range regexp.MustCompile(`\*(\w+)\*`).FindAllStringSubmatch(sentence, -1) {
		got = append(got, m[1])
	}
	sameWords(t, "docs/compatibility.md", got, want)
	if !have["mxsrv"] || !have["file"] {
		t.Errorf("plugins\n%s", out)
	}
}

// TestDocsLinesOfMail: the page, the language and README have the words of the lines in the blocks of mail domains and hosts.
func TestDocsLinesOfMail(t *testing.T) {
	mail, host := definition.Lines()
	_, page, _ := strings.Cut(read(t, "../docs/mail.md"), "\nIn the block of `mail`:\n")
	ofMail, ofHost, _ := strings.Cut(page, "\nIn the block of `host`:\n")
	ofHost, _, _ = strings.Cut(ofHost, "\n## ")
	sameWords(t, "docs/mail.md of mail", tableWords(ofMail), mail)
	sameWords(t, "docs/mail.md of hosts", tableWords(ofHost), host)
	for place, want := range map[string][]string{"host NAME ADDRESS...": host, "mail NAME... PREFERENCE HOST...": mail} {
		_, line, _ := strings.Cut(read(t, "../README.md"), "\n    "+place)
		line, _, _ = strings.Cut(line, "\n")
		_, words, _ := strings.Cut(line, "in its block: ")
		sameWords(t, "README of "+place, strings.Fields(words), want)
	}
}

// TestDocsAnswers: dig prints what the page of mail shows of the example.
func TestDocsAnswers(t *testing.T) {
	dig, example := rig.Peer(t, "dig"), "../examples/mail-domain"
	s, n := start(t, example, read(t, example+"/Corefile")), 0
	host, port, _ := strings.Cut(s.addr, ":")
	for _, block := range blocksOf(read(t, "../docs/mail.md"), "txt") {
		for command := range strings.SplitSeq("\n"+block, "\n$ dig ") {
			if command, want, ok := strings.Cut(strings.TrimPrefix(command, "\n"), "\n"); ok && strings.HasPrefix(command, "+") {
				n++
				got := output(t, dig, append([]string{"@" + host, "-p", port}, strings.Fields(command)...)...)
				if strings.TrimSpace(got) != strings.TrimSpace(want) {
					t.Errorf("dig %s\n%s\nwant\n%s", command, got, want)
				}
			}
		}
	}
	if n < 10 {
		t.Errorf("%d commands, want at least 10", n)
	}
}

// TestDocsLog: what the page shows of the log is logged by the last Corefile of README, at its start, when a file changes
// and when etcd is away for a while.
func TestDocsLog(t *testing.T) {
	dir, etcd, corefiles := t.TempDir(), rig.Etcd(t, 1), blocksOf(read(t, "../README.md"), "corefile")
	if err := os.CopyFS(dir, os.DirFS("../examples/definition-files")); err != nil {
		t.Fatal(err)
	}
	const usual = "127.0.0.1:2379"
	proxy := rig.ProxyTo(t, etcd.Members[0].Addr())
	s := start(t, dir, strings.ReplaceAll(onLoopback(corefiles[len(corefiles)-1]), usual, proxy.Address()))
	logged := func(part string) func() bool { return func() bool { return strings.Contains(s.String(), part) } }
	eventually(t, s, "a start", logged(" loaded 10 names "))
	write(t, filepath.Join(s.Dir, "hosts.conf"), read(t, filepath.Join(dir, "hosts.conf"))+"mail @ none\n")
	eventually(t, s, "a change", logged(" patched 1 name, "))
	proxy.Cut()
	eventually(t, s, "a loss", logged(" watch lost: "))
	proxy.Restore()
	eventually(t, s, "a return", logged(": back after "))

	chance := regexp.MustCompile(`(in|after) [\d.]+(µ|m|)s\b|Corefile:\d+|watch lost: .*: answers`)
	log := chance.ReplaceAllString(strings.ReplaceAll(s.String(), proxy.Address(), usual), "...")
	for line := range strings.Lines(blocksOf(read(t, "../docs/operation.md"), "txt")[0]) {
		if want := chance.ReplaceAllString(line, "..."); strings.Count(log, want) != 1 {
			t.Errorf("%d times in the log, want once: %s\n%s", strings.Count(log, want), want, log)
		}
	}
}

// TestDocsWebServer: nginx serves the policy of a domain with the configuration of the page.
func TestDocsWebServer(t *testing.T) {
	nginx, dir, policy := rig.Peer(t, "nginx"), publicDir(t), read(t, "../examples/mail-domain/policy.txt")
	if err := os.MkdirAll(filepath.Join(dir, "mta-sts.example.com/.well-known"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "mta-sts.example.com/.well-known/mta-sts.txt"), policy)
	c, addr := newCertificate(t), "127.0.0.1:"+freePort(t)
	write(t, filepath.Join(dir, "web.pem"), c.private+c.pem)
	block := strings.NewReplacer("/srv/www", dir, "listen 443", "listen "+addr, "    listen [::]:443 ssl;\n", "",
		"/etc/ssl/mta-sts/fullchain.pem", "web.pem", "/etc/ssl/mta-sts/privkey.pem", "web.pem",
	).Replace(blocksOf(read(t, "../docs/mail.md"), "nginx")[0])
	conf := filepath.Join(dir, "nginx.conf")
	write(t, conf, "daemon off;\npid nginx.pid;\nerror_log stderr notice;\nevents {}\nhttp {\naccess_log off;\n"+
		"types { text/plain txt; }\n"+block+"}\n")
	command(t, "chmod", "-R", "a+rX", dir)
	runProcess(t, exec.Command(nginx, "-p", dir, "-e", "stderr", "-c", conf), "start worker process ")

	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}}
	for domain, want := range map[string]string{"example.com": "200 text/plain " + policy, "example.org": "404 text/html "} {
		resp, err := client.Get("https://mta-sts." + domain + "/.well-known/mta-sts.txt")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if got := fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Content-Type"), " ", string(body)); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", domain, err, got, want)
		}
	}
}

// TestDocsManifests: the YAML of the pages reads, and what is a server block in a
// ConfigMap is served.
func TestDocsManifests(t *testing.T) {
	blocks := blocksOf(read(t, "../docs/recipes.md"), "yaml")
	for _, block := range blocks {
		var m struct {
			Kind string
			Data map[string]string
		}
		if err := yaml.Unmarshal([]byte(block), &m); err != nil || len(m.Data) == 0 {
			t.Errorf("%v\n%s", err, block)
		}
		for name, text := range m.Data {
			if !strings.HasSuffix(name, ".server") {
				t.Errorf("k3s does not import %s", name)
			}
			start(t, t.TempDir(), onLoopback(strings.ReplaceAll(text, ":53 ", ":1053 ")))
		}
	}
	if len(blocks) == 0 {
		t.Error("no blocks")
	}
}

// TestDocsLines: no line is longer than 120 columns, except what a program prints.
func TestDocsLines(t *testing.T) {
	texts := pages(t)
	texts["../CHANGELOG.md"] = read(t, "../CHANGELOG.md")
	for path, page := range texts {
		n, prints := 0, false
		for line := range strings.Lines(page) {
			n++
			if rest, ok := strings.CutPrefix(line, "~~~"); ok {
				prints = strings.TrimSpace(rest) == "txt"
			}
			if columns := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); columns > 120 && !prints {
				t.Errorf("%s:%d: %d columns, want at most 120", path, n, columns)
			}
		}
	}
}

// TestDocsLinks: what the pages link to is there, and README leads to every page.
func TestDocsLinks(t *testing.T) {
	texts, linked := pages(t), map[string]bool{}
	for path, page := range texts {
		for _, m := range regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(page, -1) {
			file, heading, _ := strings.Cut(m[1], "#")
			target := filepath.Join(filepath.Dir(path), file)
			if file == "" {
				target = path
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", path, m[1], err)
			}
			if heading != "" && !slices.Contains(anchors(texts[target]), heading) {
				t.Errorf("%s links to %s: no such heading", path, m[1])
			}
			if path == "../README.md" {
				linked[target] = true
			}
		}
	}
	for path := range texts {
		if path != "../README.md" && !linked[path] {
			t.Errorf("README does not link to %s", path)
		}
	}
}

// anchors returns what links to the headings of a page end in.
func anchors(page string) (all []string) {
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		words := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(words, " ", "-"))
	}
	return all
}
