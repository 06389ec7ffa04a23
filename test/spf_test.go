package test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// spfZone has an SPF record of its own, which lets others send mail, and records by which the domain proves itself.
var spfZone = overlayZone + `example.com. 300 IN TXT "v=spf1 ip4:203.0.113.9 -all"
example.com. 300 IN TXT "google-site-verification=rXOxyZounnZasA8Z7oaD3c14JdjS9aKSWvsR1EbUSIQ"
example.com. 300 IN TXT "MS=ms12345678"
example.com. 300 IN TXT "v=verifydomain MS=7654321"
example.com. 300 IN TXT "` + longText[:250] + `" "` + longText[250:] + `"
`

var longText = "openid=" + strings.Repeat("x", 300)

// TestOneSPF: over a zone that has TXT records at its apex, verifiers find one SPF record, ours, and all else that the
// zone proves itself by.
func TestOneSPF(t *testing.T) {
	if os.Getenv(toolVar) == "" {
		inNamespaces(t, "dig", "spfquery")
		return
	}
	ownResolver(t)
	for _, behind := range behindAliases {
		t.Run(behind.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "db.example.com"), spfZone)
			start(t, dir, strings.NewReplacer("OPTIONS", behind.options, "NEXT", behind.next).Replace(spfCorefile))
			testOneSPF(t)
		})
	}
}

const spfCorefile = `example.com {
    bind 127.0.0.1
    mxsrv {
        host mx1 192.0.2.25
        mail @ {
            10 mx1
            spf mx -all
        }
        OPTIONS
    }
    NEXT
}
example.com:1054 {
    bind 127.0.0.1
    file db.example.com
}
`

func testOneSPF(t *testing.T) {
	want := []string{"v=spf1 mx -all", "google-site-verification=rXOxyZounnZasA8Z7oaD3c14JdjS9aKSWvsR1EbUSIQ",
		"MS=ms12345678", "v=verifydomain MS=7654321", longText}
	slices.Sort(want)
	got, err := net.DefaultResolver.LookupTXT(t.Context(), "example.com")
	if slices.Sort(got); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v\n%s\nwant\n%s", err, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	out, err := exec.Command("dig", "+short", "example.com", "TXT").Output()
	if err != nil || strings.Count(string(out), "\n") != len(want) || strings.Count(string(out), "v=spf1") != 1 {
		t.Errorf("dig: %v\n%s\nwant %d records, one of them SPF", err, out, len(want))
	}
	for ip, want := range map[string]string{"192.0.2.25": "pass", "203.0.113.9": "fail"} {
		spfquery := exec.Command("spfquery", "--scope", "mfrom", "--id", "user@example.com", "--ip", ip)
		out, _ := spfquery.Output() // the exit code goes with the result
		if got, _, _ := strings.Cut(string(out), "\n"); got != want {
			t.Errorf("SPF of mail from %s: %s, want %s\n%s", ip, got, want, out)
		}
	}
}
