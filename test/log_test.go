package test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// logs checks that lines which begin so were logged once each.
func (s *server) logs(t *testing.T, begins ...string) {
	t.Helper()
	lines := strings.Split(regexp.MustCompile(`in [\d.]+(µ|m|)s\b`).ReplaceAllString(s.String(), "in TIME"), "\n")
	for _, begin := range begins {
		if n := len(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return !strings.HasPrefix(l, begin) })); n != 1 {
			t.Errorf("%d times in the log, want once: %s\n%s", n, begin, s)
		}
	}
}

// TestLog: a start is logged by a line for each source and one for what is served, a NOTIFY that fails by one for each
// secondary, and each mistake of a load by one, of words and of rules.
func TestLog(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.conf"), "host a 192.0.2.1\n")
	write(t, filepath.Join(dir, "b.conf"), "mail @ 10 a b.example.net.\n")
	closed := []string{"127.0.0.1:" + freePort(t), "127.0.0.1:" + freePort(t)}
	s := start(t, dir, fmt.Sprintf(`example.org:1053 {
    bind 127.0.0.1
    transfer {
        to %s %s
    }
    mxsrv {
        authoritative {
            ns ns.example.net.
        }
        host c 192.0.2.3
        file [ab].conf
        reload 100ms
    }
}
example.com:1053 {
    bind 127.0.0.1
    mxsrv {
        etcd 127.0.0.1:1 {
            timeout 100ms
        }
    }
}
`, closed[0], closed[1]))
	eventually(t, s, "NOTIFY fails", func() bool { return strings.Count(s.String(), "was not accepted by") == 2 })
	s.logs(t,
		`[INFO] plugin/mxsrv: file [ab].conf: read 2 files`,
		`[INFO] plugin/mxsrv: Corefile:6: loaded 3 names in 1 zone from Corefile, file [ab].conf in TIME`,
		`[INFO] plugin/mxsrv: Corefile:17: nothing is served yet: etcd 127.0.0.1:1/mxsrv/ has not delivered`,
		`[WARNING] plugin/mxsrv: notify for zone "example.org." was not accepted by "`+closed[0]+`": `,
		`[WARNING] plugin/mxsrv: notify for zone "example.org." was not accepted by "`+closed[1]+`": `)

	write(t, filepath.Join(s.Dir, "b.conf"), "oops\nmail @ none\nmail @ 10 a\nservice _x._tcp 0 0 99999 a\nmail example.net. none\n")
	eventually(t, s, "it is rejected", func() bool { return s.rejected() == 1 })
	s.logs(t,
		`[ERROR] plugin/mxsrv: b.conf:1: error: unknown word "oops": `,
		`[ERROR] plugin/mxsrv: b.conf:2: error: mail domain example.org. has none, `,
		`[ERROR] plugin/mxsrv: b.conf:4: error: port "99999": `,
		`[ERROR] plugin/mxsrv: b.conf:5: error: example.net. is not below example.org.: `,
		`[ERROR] plugin/mxsrv: file [ab].conf: rejected: `)
}
