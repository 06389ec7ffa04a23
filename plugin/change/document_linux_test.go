package change

import (
	"math"
	"syscall"
	"testing"
	"unsafe"
)

// TestDocumentHuge: offsets have 32 bits, so a text beyond 4 GiB is not followed: the one
// here may not even be looked at.
func TestDocumentHuge(t *testing.T) {
	const flags = syscall.MAP_ANON | syscall.MAP_PRIVATE | syscall.MAP_NORESERVE
	huge, err := syscall.Mmap(-1, 0, math.MaxUint32+1, syscall.PROT_NONE, flags)
	if err != nil {
		t.Skip(err)
	}
	defer syscall.Munmap(huge)
	d, _, _ := document("host a 192.0.2.1")
	if _, ok := d.Change(unsafe.String(&huge[0], len(huge))); ok {
		t.Error("it could be told")
	}
	if changed, ok := d.Change("host b 192.0.2.1"); labels(changed) != "a b" || !ok {
		t.Errorf("after it %v have changed, %v", changed, ok)
	}
}
