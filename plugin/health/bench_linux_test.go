package health_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/health"
)

// benchServers are what the benchmark probes, by check. They are in a process of their own, as servers are.
func benchServers(certs certificates) map[string]func(net.Conn) {
	page := response("HTTP/1.1 200 OK", "Content-Length: 0", "")
	ehlo := []string{"220 mx", "<EHLO", "250-mx", "250 STARTTLS"}
	return map[string]func(net.Conn){
		"tcp":  func(net.Conn) {},
		"tls":  overTLS(certs.valid, hang),
		"smtp": script(append(ehlo, "<QUIT", "221 bye")...),
		"smtp starttls": func(c net.Conn) {
			script(append(ehlo, "<STARTTLS", "220 go")...)(c)
			overTLS(certs.valid, script("<QUIT", "221 bye"))(c)
		},
		"http /":           page,
		"https / insecure": overTLS(certs.valid, page),
	}
}

const serverEnv = "MXSRV_HEALTH_BENCH_SERVER"

func TestMain(m *testing.M) {
	if words := os.Getenv(serverEnv); words != "" {
		beServer(words)
		return
	}
	os.Exit(m.Run())
}

// beServer serves at all addresses of loopback, prints its port, and ends with its standard input.
func beServer(words string) {
	certs, err := newCertificates()
	if err != nil {
		panic(err)
	}
	talk := benchServers(certs)[words]
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				continue
			}
			go func() {
				defer conn.Close()
				talk(conn)
			}()
		}
	}()
	os.Stdin.Read(make([]byte, 1))
}

// startServer returns the port of a server in another process, which ends with the benchmark.
func startServer(b *testing.B, words string) uint16 {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), serverEnv+"="+words), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	var port uint16
	if _, err := fmt.Fscan(out, &port); err != nil {
		b.Fatal(err)
	}
	return port
}

// counter counts results.
type counter struct {
	observer
	probes, failures atomic.Int64
}

func (*counter) Changed([]health.Change) {}
func (c *counter) Probed(_ health.Probe, r health.Result) {
	c.probes.Add(1)
	if r.Outcome != health.Success {
		c.failures.Add(1)
	}
}

// BenchmarkTargets probes 10,000 targets every 10 s. One iteration is an interval. It reports what of a core that
// takes, and the most goroutines and descriptors at a time.
func BenchmarkTargets(b *testing.B) {
	for _, words := range []string{"tcp", "tls", "smtp", "smtp starttls", "http /", "https / insecure"} {
		b.Run(words, func(b *testing.B) {
			port, counter := startServer(b, words), new(counter)
			var probes []health.Probe
			for i := range 10000 {
				addr := netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)})
				probes = append(probes, definition.NewProbe(netip.AddrPortFrom(addr, port), check(b, words), ""))
			}
			p := health.New(health.Config{}, nil, counter)
			p.Set(probes)
			ctx, cancel := context.WithCancel(b.Context())
			var running sync.WaitGroup
			running.Go(func() { p.Run(ctx) })
			time.Sleep(time.Second)
			measure(b, counter)
			cancel()
			running.Wait()
		})
	}
}

func measure(b *testing.B, c *counter) {
	before, probes, begun := cpu(b), c.probes.Load(), time.Now()
	goroutines, descriptors := 0, 0
	for b.Loop() {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			files, _ := os.ReadDir("/proc/self/fd")
			goroutines, descriptors = max(goroutines, runtime.NumGoroutine()), max(descriptors, len(files))
		}
	}
	took := time.Since(begun)
	b.ReportMetric(100*(cpu(b)-before).Seconds()/took.Seconds(), "%core")
	b.ReportMetric(float64(c.probes.Load()-probes)/took.Seconds(), "probes/s")
	b.ReportMetric(float64(c.failures.Load()), "failures")
	b.ReportMetric(float64(goroutines), "goroutines")
	b.ReportMetric(float64(descriptors), "descriptors")
}

// cpu returns the time that this process has spent on a processor.
func cpu(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
