package file

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/source"
)

// public returns a public key in PEM form, always the same for a name: of Ed25519, RFC 8410 §10.1.
func public(name string) string {
	key := sha256.Sum256([]byte(name))
	return "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA" + base64.StdEncoding.EncodeToString(key[:]) + "\n-----END PUBLIC KEY-----\n"
}

// private returns a new private key in PEM form.
func private(t *testing.T) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// keyName returns the name of the public key that a TLSA record is of.
func keyName(r *definition.Record) string {
	for name := range strings.SplitSeq("a b c d e f g h i j k l m n o p", " ") {
		block, _ := pem.Decode([]byte(public(name)))
		if sum := sha256.Sum256(block.Bytes); r.Data == "\x03\x01\x01"+string(sum[:]) {
			return name
		}
	}
	return fmt.Sprintf("%x", r.Data)
}

// published writes the keys of TLSA records as "PORT NAME", and errors, as tests have them.
func (d folder) published(c *change.Content) string {
	set, errs := c.Read()
	var words []string
	for i := range set.Records {
		if r := &set.Records[i]; r.Type == dns.TypeTLSA {
			words = append(words, strings.TrimPrefix(r.Owner.Labels()[0], "_")+keyName(r))
		}
	}
	slices.Sort(words)
	for _, e := range errs {
		words = append(words, strings.ReplaceAll(e.Error(), d.path+string(filepath.Separator), ""))
	}
	return strings.Join(words, " ")
}

// tlsa declares a host with the keys of its ports, each "PORT FILE".
func tlsa(keys ...string) string {
	return "host mx 192.0.2.1 {\n tlsa " + strings.Join(keys, "\n tlsa ") + "\n}\n"
}

// inline returns the source of a stanza with the text of a file.
func (d folder) inline(text string) *Inline {
	return &Inline{Name: "key files", Root: d.path, Interval: interval,
		Read: func(files func(string) (string, error)) (*definition.Set, definition.Errors) {
			r := definition.NewReader(definition.Zones{"example.org."})
			r.SetFiles(files)
			r.Text(definition.Pos{Source: "a.conf", Line: 1}, text, nil)
			return r.Set()
		}}
}

// TestKeys: what is delivered while key files are changed in all the ways in which programs that renew certificates and
// Kubernetes change them, whether a definitions file names them or the Corefile. At first there is k.pem with the key
// a, or what prepare makes.
func TestKeys(t *testing.T) {
	const missing = `a.conf:2: "k.pem": no such file or directory: create k.pem, or write the path of another file`
	for _, tc := range []struct {
		name    string
		prepare func(folder)
		change  func(folder)
		want    []string // the keys at the start, then at each delivery; errors as they start
	}{
		{"nothing happens", nil, func(d folder) {}, []string{"25a"}},
		{"renewed", nil, func(d folder) { d.write("k.pem", public("b")) }, []string{"25a", "25b"}},
		{"touched", nil, func(d folder) { d.touch("k.pem") }, []string{"25a"}},
		{"touched, then renewed", nil,
			func(d folder) { d.touch("k.pem"); wait(8); d.write("k.pem", public("b")) }, []string{"25a", "25b"}},
		{"written as it was", nil, func(d folder) { d.write("k.pem", public("a")) }, []string{"25a"}},
		{"renamed over", nil, func(d folder) { d.write("new", public("b")); d.rename("new", "k.pem") }, []string{"25a", "25b"}},
		{"renewed twice", nil,
			func(d folder) { d.write("k.pem", public("b")); wait(8); d.write("k.pem", public("c")) }, []string{"25a", "25b", "25c"}},
		{"as certbot does",
			func(d folder) { d.write("archive/k1.pem", public("a")); d.link("archive/k1.pem", "k.pem") },
			func(d folder) { d.write("archive/k2.pem", public("b")); d.link("archive/k2.pem", "k.pem") },
			[]string{"25a", "25b"}},
		{"as the secrets of Kubernetes are",
			func(d folder) {
				d.write("..2026_1/k.pem", public("a"))
				d.link("..2026_1", "..data")
				d.link("..data/k.pem", "k.pem")
			},
			func(d folder) {
				d.write("..2026_2/k.pem", public("b"))
				d.link("..2026_2", "..data")
				d.ok(os.RemoveAll(filepath.Join(d.path, "..2026_1")))
			},
			[]string{"25a", "25b"}},
		{"truncated, then written", nil,
			func(d folder) { d.write("k.pem", ""); wait(3); d.write("k.pem", public("b")) }, []string{"25a", "25b"}},
		{"written in steps", nil, func(d folder) {
			for i := range len(public("b")) / 20 {
				d.write("k.pem", public("b")[:20*i])
				wait(3)
			}
			d.write("k.pem", public("b"))
		}, []string{"25a", "25b"}},
		{"gone for a moment", nil,
			func(d folder) { d.rename("k.pem", "old"); wait(3); d.rename("old", "k.pem") }, []string{"25a"}},
		{"gone, then new", nil,
			func(d folder) { d.remove("k.pem"); wait(3); d.write("k.pem", public("b")) }, []string{"25a", "25b"}},
		{"gone, and back", nil,
			func(d folder) { d.rename("k.pem", "old"); wait(9); d.rename("old", "k.pem") }, []string{"25a", missing, "25a"}},
		{"missing at the start", func(d folder) { d.remove("k.pem") },
			func(d folder) { d.write("k.pem", public("b")) }, []string{missing, "25b"}},
		{"same size and time", nil, func(d folder) { // a file system that counts in seconds
			wait(1)
			at := time.Now().Truncate(time.Second)
			for _, name := range []string{"b", "c"} {
				d.write("k.pem", public(name))
				d.ok(os.Chtimes(filepath.Join(d.path, "k.pem"), at, at))
				wait(polls)
			}
		}, []string{"25a", "25b", "25c"}},
		{"broken, then renewed", nil,
			func(d folder) { d.write("k.pem", "SECRET"); wait(9); d.write("k.pem", public("b")) },
			[]string{"25a", "a.conf:2: ", "25b"}},
		{"a private key", nil, func(d folder) { d.write("k.pem", private(d.t)) }, []string{"25a", "a.conf:2: "}},
		{"a named pipe", nil, func(d folder) { d.remove("k.pem"); d.ok(syscall.Mkfifo(filepath.Join(d.path, "k.pem"), 0o600)) },
			[]string{"25a", `a.conf:2: "k.pem": no regular file: write the path of a certificate, public key or policy`}},
		{"a directory", nil, func(d folder) { d.remove("k.pem"); d.write("k.pem/k", "") },
			[]string{"25a", `a.conf:2: "k.pem": is a directory: write the path of a certificate, public key or policy`}},
		{"as large as may be", nil,
			func(d folder) { d.write("k.pem", public("b")+strings.Repeat("\n", 1<<16-len(public("b")))) }, []string{"25a", "25b"}},
		{"an octet too large", nil,
			func(d folder) { d.write("k.pem", public("b")+strings.Repeat("\n", 1<<16+1-len(public("b")))) },
			[]string{"25a", `a.conf:2: "k.pem": 65537 octets, of which a file may have at most 65536: write the path of `}},
		{"a device", nil, func(d folder) { d.link("/dev/zero", "k.pem") },
			[]string{"25a", `a.conf:2: "k.pem": no regular file: write the path of `}},
		{"replaced all the time", nil, func(d folder) {
			for _, name := range strings.Fields("b c d e f g h i j k l m n o p") {
				d.write("new", public(name))
				d.rename("new", "k.pem")
				wait(1)
			}
		}, []string{"25a", "25h", "25o", "25p"}},
		{"removed and written all the time", nil, func(d folder) {
			for _, name := range strings.Fields("b c d e f g h") {
				d.remove("k.pem")
				wait(1)
				d.write("k.pem", public(name))
				wait(1)
			}
		}, []string{"25a", "25h"}},
	} {
		for _, from := range []string{"file", "Corefile"} {
			t.Run(tc.name+" in a "+from, func(t *testing.T) {
				d := folder{t, t.TempDir()}
				synctest.Test(t, func(t *testing.T) {
					d.t = t
					d.write("k.pem", public("a"))
					if tc.prepare != nil {
						tc.prepare(d)
					}
					text := tlsa("25 k.pem")
					d.write("a.conf", text)
					f := source.Source(d.inline(text))
					if from == "file" {
						f = d.source("a.conf")
					}
					got := d.follow(f, func() { tc.change(d); wait(polls) })
					if !slices.EqualFunc(got, tc.want, matches) {
						t.Errorf("delivered %q\nwant %q", got, tc.want)
					}
				})
			})
		}
	}
}

// matches reports whether keys are as they should be, or an error starts as it should and has nothing of a file.
func matches(got, want string) bool {
	if !strings.HasPrefix(want, "a.conf:") {
		return got == want
	}
	return strings.HasPrefix(got, want) && !strings.Contains(got, "SECRET") && !strings.Contains(got, "KEY-----")
}

// follow returns what a source loads, and what it delivers during a change.
func (d folder) follow(s source.Source, change_ func()) []string {
	got := []string{d.published(s.Load())}
	ctx, cancel := context.WithCancel(d.t.Context())
	go s.Run(ctx, func(c *change.Content) { got = append(got, d.published(c)) })
	time.Sleep(interval / polls / 2) // between two polls, lest it be chance which is first
	change_()
	synctest.Wait()
	cancel()
	synctest.Wait()
	return got
}

// TestKeysAndTexts: key files that come and go with the lines that name them, and changes of both.
func TestKeysAndTexts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(folder)
		want   []string
	}{
		{"a text and a key at once", func(d folder) { d.write("a.conf", tlsa("465 k.pem")); wait(2); d.write("k.pem", public("b")) },
			[]string{"25a", "465b"}},
		{"a new key is followed", func(d folder) {
			d.write("new.pem", public("n"))
			d.write("a.conf", tlsa("25 k.pem new.pem"))
			wait(9)
			d.write("new.pem", public("b"))
		}, []string{"25a", "25a 25n", "25a 25b"}},
		{"another text leaves the keys as they are", func(d folder) { d.write("a.conf", "# so\n"+tlsa("25 k.pem")) },
			[]string{"25a", "25a"}},
		{"a key that nobody names any more is not followed for long", func(d folder) {
			d.write("new.pem", public("n"))
			d.write("a.conf", tlsa("25 new.pem"))
			wait(9)
			d.write("k.pem", public("b"))
			wait(9)
			d.write("k.pem", public("c"))
		}, []string{"25a", "25n", "25n"}},
		{"a key in a folder above", func(d folder) {
			d.write("a.conf", tlsa("25 "+filepath.Join(d.path, "k.pem"), "465 ./x/../k.pem"))
		}, []string{"25a", "25a 465a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := folder{t, t.TempDir()}
			synctest.Test(t, func(t *testing.T) {
				d.t = t
				d.write("k.pem", public("a"))
				d.write("a.conf", tlsa("25 k.pem"))
				if got := d.follow(d.source("a.conf"), func() { tc.change(d); wait(polls) }); !slices.Equal(got, tc.want) {
					t.Errorf("delivered %q\nwant %q", got, tc.want)
				}
			})
		})
	}
}

// TestKeysRead: how often files are read, which costs more than a look at them.
func TestKeysRead(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(folder)
		want   int32
	}{
		{"nothing happens", func(folder) {}, 0},
		{"a text is touched", func(d folder) { d.touch("a.conf") }, 1},
		{"others may read a text", func(d folder) { d.ok(os.Chmod(filepath.Join(d.path, "a.conf"), 0o644)) }, 1},
		{"a key is touched", func(d folder) { d.touch("k.pem") }, 1},
		{"others may read a key", func(d folder) { d.ok(os.Chmod(filepath.Join(d.path, "k.pem"), 0o644)) }, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := folder{t, t.TempDir()}
			synctest.Test(t, func(t *testing.T) {
				d.t = t
				d.write("k.pem", public("a"))
				d.write("a.conf", tlsa("25 k.pem"))
				wait(1)
				var read atomic.Int32
				f := d.source("a.conf")
				f.Doing = func(step string) {
					if strings.HasPrefix(step, "reading") {
						read.Add(1)
					}
				}
				if got := d.follow(f, func() {
					wait(8 * polls)
					read.Store(0)
					tc.change(d)
					wait(8 * polls)
				}); !slices.Equal(got, []string{"25a"}) {
					t.Errorf("delivered %q", got)
				}
				if read.Load() != tc.want {
					t.Errorf("read %d times, want %d", read.Load(), tc.want)
				}
			})
		})
	}
}

// TestKeysNamedRelatively: whether a path is relative as it is written.
func TestKeysNamedRelatively(t *testing.T) {
	for _, tc := range []struct {
		text string
		want bool
	}{
		{host("a"), false},
		{tlsa("25 DIR/k.pem"), false},
		{tlsa("25 DIR/k.pem k.pem"), true},
		{tlsa("25 k.pem DIR/k.pem"), true},
	} {
		d := folder{t, t.TempDir()}
		d.write("k.pem", public("a"))
		d.write("a.conf", strings.ReplaceAll(tc.text, "DIR", d.path))
		f := d.source("a.conf")
		if d.published(f.Load()); f.NamesRelative() != tc.want {
			t.Errorf("%s: %v, want %v", tc.text, f.NamesRelative(), tc.want)
		}
	}
}
