package rig

import "testing"

// TestSummary: what Tests says that was left out.
func TestSummary(t *testing.T) {
	for _, tc := range []struct {
		name, want string
		skipped    map[string]int
		short      []string
	}{
		{"nothing", "", nil, nil},
		{"peers", "skipped 3 tests: knotd is not installed (1), nsd is not installed (2)",
			map[string]int{"nsd is not installed": 2, "knotd is not installed": 1}, nil},
		{"both", "skipped 1 tests: nsd is not installed (1); in short form: TestSoak (-long), TestBurst (-long)",
			map[string]int{"nsd is not installed": 1}, []string{"TestSoak (-long)", "TestBurst (-long)"}},
	} {
		if got := summary(tc.skipped, tc.short); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestNotInstalled: what the machine lacks is remembered, unless it is required.
func TestNotInstalled(t *testing.T) {
	const reason = "no-such-program is not installed"
	before := left.skipped[reason]
	for _, tc := range []struct {
		required string
		want     int
	}{{"", 1}, {"1", 0}} {
		t.Setenv("MXSRV_REQUIRE_PEERS", tc.required)
		there, err := Installed("no-such-program")
		if n := left.skipped[reason] - before; there || n != tc.want || (err != nil) != (tc.required != "") {
			t.Errorf("required %q: %v, %v, remembered %d times, want %d", tc.required, there, err, n, tc.want)
		}
		delete(left.skipped, reason)
	}
}
