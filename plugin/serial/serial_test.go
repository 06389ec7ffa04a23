package serial_test

import (
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/plugin/serial"
)

func TestAfter(t *testing.T) {
	at := func(seconds uint32) time.Time { return time.Unix(int64(seconds), 0) }
	for _, tc := range []struct {
		name      string
		last, now uint32
		want      uint32
	}{
		{"the first", 0, 1795533792, 1795533792},
		{"later", 1795533792, 1795533800, 1795533800},
		{"the same second", 1795533792, 1795533792, 1795533793},
		{"a clock set back", 1795533792, 1700000000, 1795533793},
		{"around", 1<<32 - 1, 1 << 31, 1},
		{"far ahead of the clock, as serials go", 1 << 31, 1<<31 - 5, 1<<31 + 1},
	} {
		if got := serial.After(tc.last, at(tc.now)); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

func TestNewer(t *testing.T) {
	for _, tc := range []struct {
		a, b uint32
		want bool
	}{
		{2, 1, true},
		{1, 2, false},
		{1, 1, false},
		{1<<31 + 1, 1, false}, // half of the circle away: RFC 1982 leaves that undefined
		{1 << 31, 1, true},
		{1, 1<<32 - 1, true},
		{1<<32 - 1, 1, false},
	} {
		if got := serial.Newer(tc.a, tc.b); got != tc.want {
			t.Errorf("Newer(%d, %d) = %v", tc.a, tc.b, got)
		}
	}
}

func TestOfRevision(t *testing.T) {
	for _, tc := range []struct {
		revision int64
		want     uint32
	}{
		{0, 3_000_000_000},
		{1, 3_000_000_001},
		{1<<32 - 3_000_000_000, 1}, // 0 is no serial to some secondaries
		{1<<32 - 2_999_999_999, 1},
	} {
		if got := serial.OfRevision(tc.revision); got != tc.want {
			t.Errorf("OfRevision(%d) = %d, want %d", tc.revision, got, tc.want)
		}
	}
	for _, older := range []uint32{1795533792, 2026123100, 2099123199} {
		if !serial.Newer(serial.OfRevision(1), older) {
			t.Errorf("a serial of revision 1 is not newer than %d", older)
		}
	}
}
