package rig

import "testing"

// TestNeed: what is missing is named with how to get it.
func TestNeed(t *testing.T) {
	there := Program{"go", "golang"}
	if err := Need(there); err != nil {
		t.Error(err)
	}
	const want = "nosuchprogram is missing: apt-get install nosuch"
	if err := Need(there, Program{"nosuchprogram", "nosuch"}); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
