package table_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/lint"
	"github.com/mxsrv/mxsrv/plugin/table"
)

func TestZZ(t *testing.T) {
	for _, f := range []string{"/tmp/sc/data.mxsrv", "/tmp/sc/million.mxsrv"} {
		var keep *table.Table
		if os.Getenv("PROF") != "" {
			w, _ := os.Create("/tmp/sc/prof")
			pprof.StartCPUProfile(w)
		}
		live := func() int {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			return int(m.HeapAlloc >> 20)
		}
		m0 := live()
		t0 := time.Now()
		b, _ := os.ReadFile(f)
		text := string(b)
		b = nil
		t1 := time.Now()
		z := definition.Zones{"example.org."}
		set, errs := definition.Read("data", text, z)
		t2 := time.Now()
		x := set.Index()
		t3 := time.Now()
		fs := lint.Check(x, errs, lint.Options{Zones: z, Limit: 10})
		t4 := time.Now()
		keep = table.Compile(x, table.Options{Zones: z})
		t5 := time.Now()
		fmt.Println(f, "file", t1.Sub(t0), "read", t2.Sub(t1), "index", t3.Sub(t2), "lint", t4.Sub(t3), len(fs), "compile", t5.Sub(t4), "total", t5.Sub(t0))
		pprof.StopCPUProfile()
		m1 := live()
		runtime.KeepAlive(text)
		text = ""
		m2 := live()
		runtime.KeepAlive(x)
		runtime.KeepAlive(set)
		x, set = nil, nil
		m3 := live()
		debug.FreeOSMemory()
		s, _ := os.ReadFile("/proc/self/status")
		_ = s
		fmt.Println("live: all", m1-m0, "no text", m2-m0, "table", m3-m0)
		out := string(s)
		for _, k := range []string{"VmHWM", "VmRSS"} {
			for i := 0; i+len(k) < len(out); i++ {
				if out[i:i+len(k)] == k {
					fmt.Println(out[i : i+24])
				}
			}
		}
		runtime.KeepAlive(keep)
		if os.Getenv("ONE") != "" {
			break
		}
	}
}
