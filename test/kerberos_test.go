package test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestKerberos: kinit of MIT Kerberos, which takes the first of the servers of a priority and no notice of weights,
// comes to two of them as the weights say; with order fixed always to the heaviest. It does not come to one that is
// down, and hidden.
func TestKerberos(t *testing.T) {
	if os.Getenv(toolVar) == "" {
		inNamespaces(t, "kinit", "krb5kdc", "kdb5_util", "kadmin.local")
		return
	}
	ownResolver(t)
	const n = 300
	k := newRealm(t)
	for _, tc := range []struct {
		name, order, more string
		share             float64 // of the first KDC
	}{{"weighted", "weighted", "", .6}, {"fixed", "fixed", "", 1}, {"checked", "weighted", "0 90 88 kdc3\ncheck tcp", .6}} {
		t.Run(tc.name, func(t *testing.T) {
			s := start(t, t.TempDir(), strings.NewReplacer("ORDER", tc.order, "MORE", tc.more).Replace(kerberosCorefile))
			defer s.Kill()
			s.addr = "127.0.0.1:53"
			eventually(t, s, "two KDCs are answered", func() bool {
				return len(s.ask(t, "udp", query(t, "_kerberos._udp.example.org SRV")).Answer) == 2
			})
			first, second := k.tickets(t, 1), k.tickets(t, 2)
			for range n {
				k.command(t, 1, "kinit", "-k", "-t", filepath.Join(k.dir, "keytab"), "user")
			}
			first, second = k.tickets(t, 1)-first, k.tickets(t, 2)-second
			if off := math.Abs(float64(first) - n*tc.share); first+second != n || off > 6*math.Sqrt(n*tc.share*(1-tc.share)) {
				t.Errorf("the first KDC gave %d tickets and the second %d, want %.0f %% from the first", first, second, 100*tc.share)
			}
			t.Logf("%d and %d tickets", first, second)
		})
	}
}

const kerberosCorefile = `example.org {
    bind 127.0.0.1
    mxsrv {
        order ORDER
        host kdc1 127.0.0.2
        host kdc2 127.0.0.3
        host kdc3 127.0.0.4
        service _kerberos._udp _kerberos._tcp {
            0 6 88 kdc1
            0 4 88 kdc2
            MORE
        }
        checks {
            every 100ms
            probe 127.0.0.0/8
        }
    }
}
`

// A realm has two KDCs with the same database, each with a log of its own.
type realm struct{ dir string }

func newRealm(t *testing.T) realm {
	t.Helper()
	k := realm{t.TempDir()}
	write(t, filepath.Join(k.dir, "krb5.conf"), `[libdefaults]
    default_realm = EXAMPLE.ORG
    dns_lookup_kdc = true
    dns_lookup_realm = false
`)
	for i := 1; i <= 2; i++ {
		address := fmt.Sprintf("127.0.0.%d:88", i+1)
		write(t, k.path(i, "conf"), fmt.Sprintf(`[kdcdefaults]
    kdc_listen = %[2]s
    kdc_tcp_listen = %[2]s
[realms]
    EXAMPLE.ORG = {
        database_name = %[1]s/principal
        key_stash_file = %[1]s/stash
    }
[logging]
    kdc = FILE:%[3]s
`, k.dir, address, k.path(i, "log")))
	}
	k.command(t, 1, "kdb5_util", "create", "-s", "-r", "EXAMPLE.ORG", "-P", "secret")
	k.command(t, 1, "kadmin.local", "addprinc", "-randkey", "user")
	k.command(t, 1, "kadmin.local", "ktadd", "-k", filepath.Join(k.dir, "keytab"), "user")
	for i := 1; i <= 2; i++ {
		runProcess(t, k.cmd(i, "krb5kdc", "-n"), "starting")
	}
	return k
}

func (k realm) path(kdc int, ending string) string {
	return filepath.Join(k.dir, fmt.Sprintf("kdc%d.%s", kdc, ending))
}

func (k realm) cmd(kdc int, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+filepath.Join(k.dir, "krb5.conf"), "KRB5_KDC_PROFILE="+k.path(kdc, "conf"),
		"KRB5CCNAME=FILE:"+filepath.Join(k.dir, "cache"))
	return cmd
}

func (k realm) command(t *testing.T, kdc int, name string, args ...string) {
	t.Helper()
	if out, err := k.cmd(kdc, name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// tickets returns how many tickets a KDC has given.
func (k realm) tickets(t *testing.T, kdc int) int {
	return strings.Count(read(t, k.path(kdc, "log")), "ISSUE")
}
