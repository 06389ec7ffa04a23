package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/mxsrv/mxsrv/test/rig"
)

// TestSkyDNSCompared: in the answers of the etcd plugin for random trees, mxsrv check --online finds nothing but what
// it fails for: names above a key that is wrong, and NS records with a name below ns.dns. In those of mxsrv it finds nothing.
func TestSkyDNSCompared(t *testing.T) {
	c := &cluster{Cluster: rig.Etcd(t, 1), t: t}
	var trees []*skydnsTree
	for n := range orLong(t, 40, 1000) {
		trees = append(trees, newSkyDNSTree(n))
	}
	s, _ := startBesideEtcd(t, c, trees)
	tool := buildTool(t)
	compare := func(port string) (findings []string) {
		out, err := exec.Command(tool, "check", "--online", "--server", s.at[port], filepath.Join(s.Dir, "Corefile")).Output()
		if failed, ok := err.(*exec.ExitError); err != nil && (!ok || failed.ExitCode() != 1) {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "etcd:/skydns/") })
	}
	if found := compare(":1053"); len(found) > 0 {
		t.Errorf("mxsrv: %q", found)
	}
	fails := regexp.MustCompile(`: error: (\S+) of (\S+): the server has no answer: `)
	found := compare(":1055")
	for _, line := range found {
		m := fails.FindStringSubmatch(line)
		if m == nil || !slices.ContainsFunc(trees, func(tree *skydnsTree) bool {
			return dns.IsSubDomain(tree.zone, m[2]) && (tree.broken(m[2]) || m[1] == "NS")
		}) {
			t.Errorf("etcd: %s", line)
		}
	}
	if len(found) == 0 {
		t.Error("no tree has a key that is wrong")
	}
}

// moved is a tree with what the etcd plugin and mxsrv answer alike, or otherwise by design.
var moved = map[string]string{
	"/dns/ns/a":    `{"host":"192.0.2.53"}`,
	"/dns/apex/x1": `{"host":"192.0.2.80"}`,
	"/db/x1":       `{"host":"192.0.2.1","port":5432,"weight":50}`,
	"/db/x2":       `{"host":"2001:db8::2","port":5432,"ttl":60}`,
	"/many/x1":     `{"host":"192.0.2.3","targetstrip":1}`,
	"/many/x2":     `{"host":"192.0.2.4","targetstrip":1}`,
	"/www":         `{"host":"x1.db.example.com"}`,
	"/out":         `{"host":"www.example.net"}`,
	"/mail/m1":     `{"host":"192.0.2.5","mail":true,"priority":20}`,
	"/txt":         `{"text":"heritage=external-dns"}`,
}

// TestSkyDNSMoving runs what the page says of moving, with the Corefiles of it, and finds no difference; then with a key
// that is wrong, with a name of too many, and with a server that reads another tree.
func TestSkyDNSMoving(t *testing.T) {
	c := &cluster{Cluster: rig.Etcd(t, 1), t: t}
	for name, value := range moved {
		c.do(clientv3.OpPut("/skydns/com/example"+name, value), clientv3.OpPut("/other/com/example"+name, value))
	}
	page := read(t, "../docs/skydns.md")
	var old strings.Builder
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]*)` \\| `[^`]*`( `}`)? \\|$").FindAllStringSubmatch(page, -1) {
		old.WriteString(m[1] + "\n")
	}
	here := strings.NewReplacer("127.0.0.1:2379", c.Members[0].Addr(), "mxsrv {\n", "bind 127.0.0.1\n    mxsrv {\n")
	etcd := start(t, t.TempDir(), here.Replace("example.com:1053 {\n    bind 127.0.0.1\n"+old.String()+"}\n"))
	write(t, filepath.Join(etcd.Dir, "Corefile.mxsrv"), here.Replace(blocksOf(page, "corefile")[0]))

	_, moving, _ := strings.Cut(page, "\n## Moving\n")
	commands := strings.NewReplacer("127.0.0.1:53 ", etcd.addr+" ", "1053", freePort(t)).Replace(blocksOf(moving, "sh")[0])
	path := "PATH=" + filepath.Dir(buildTool(t)) + ":" + filepath.Dir(coredns) + ":" + os.Getenv("PATH")
	script := func(text string) (string, error) {
		cmd := exec.Command("bash", "-e", "-c", text)
		cmd.Dir, cmd.Env = etcd.Dir, append(os.Environ(), path)
		p, err := rig.Start(cmd) // with the server that it starts, which ends with it
		if err != nil {
			t.Fatal(err)
		}
		defer p.Kill()
		code, err := p.Wait(rig.Limit)
		if err != nil {
			t.Fatal(err)
		}
		if code != 0 {
			err = fmt.Errorf("exit status %d", code)
		}
		return p.String(), err
	}
	if out, err := script(commands); err != nil || strings.Contains(out, "error:") {
		t.Fatalf("%v\n%s\n%s", err, out, commands)
	}

	lines := strings.Split(strings.TrimSpace(commands), "\n")
	compare := lines[len(lines)-1]
	c.do(clientv3.OpPut("/skydns/com/example/db/x3", "no JSON"))
	out, err := script(compare)
	for _, line := range []string{"etcd:/skydns/com/example/db/x3:1: error: ", "SRV of db.example.com.: the server has no answer"} {
		if err == nil || !strings.Contains(out, line) {
			t.Errorf("with a key that is wrong: %v, no %q in\n%s", err, line, out)
		}
	}
	c.do(clientv3.OpDelete("/skydns/com/example/db/x3"))
	const tooMany = 2001
	for n := 0; n < tooMany; {
		var ops []clientv3.Op
		for ; n < tooMany && len(ops) < 100; n++ {
			ops = append(ops, clientv3.OpPut(fmt.Sprint("/skydns/com/example/full/x", n), `{"host":"192.0.2.1"}`))
		}
		c.do(ops...)
	}
	out, err = script(compare)
	if want := "A of full.example.com.: the server has 192.0.2.1, which the definitions do not"; err == nil || !strings.Contains(out, want) {
		t.Errorf("with too many keys: %v, no %q in\n%.2000s", err, want, out)
	}
	c.do(clientv3.OpDelete("/skydns/com/example/full/", clientv3.WithPrefix()))
	c.do(clientv3.OpPut("/other/com/example/many/x2", `{"host":"192.0.2.9","targetstrip":1}`), clientv3.OpDelete("/other/com/example/www"))
	write(t, filepath.Join(etcd.Dir, "Corefile"), strings.Replace(read(t, filepath.Join(etcd.Dir, "Corefile")), "/skydns", "/other", 1))
	etcd.restart(t)
	out, err = script(compare)
	for _, line := range []string{
		"A of many.example.com.: the server has 192.0.2.9 instead of 192.0.2.4: ", "A of www.example.com.: the server lacks 192.0.2.1: ", "note: 5 errors and ",
	} {
		if err == nil || !strings.Contains(out, line) {
			t.Errorf("with another tree: %v, no %q in\n%s", err, line, out)
		}
	}
}
