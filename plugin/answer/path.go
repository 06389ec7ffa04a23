package answer

import (
	"context"
	"reflect"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// A plugin in front of us that wants to see our messages gives us a writer of its own
// kind. Mostly there is none, but for writers of CoreDNS that only count and label. Then
// a client over UDP or TCP can get a reply as octets, which CoreDNS need not measure, cut
// and pack. Other clients cannot: those over HTTPS and gRPC get messages, over QUIC a
// message is the end of a stream, and plugins that ask for what they serve catch messages.

// A path is what is between us and a client that may get octets.
type path struct {
	to       dns.ResponseWriter // which takes them
	signed   bool               // dnssec is on the way, and to be asked for signatures; to is behind it
	recorder *metrics.Recorder  // counts the octets, and is to be told the rcode; nil if there is none
}

// pathOf returns the path that begins with a writer, and whether there is one: not if
// the writer, or one that it writes to, is of a kind that is not known here.
func pathOf(w dns.ResponseWriter) (path, bool) {
	p := path{to: w}
	for {
		switch known := w.(type) {
		case *request.ScrubWriter:
			return p, isClient(known.ResponseWriter)
		case *metrics.Recorder:
			p.recorder, w = known, known.ResponseWriter
		default:
			t := reflect.TypeOf(w)
			switch {
			case t == label:
				w = embedded(w)
			case isSigning(t):
				w = embedded(w)
				p = path{to: w, signed: true}
			default:
				return path{}, false
			}
		}
	}
}

// label is the type of the writers with which CoreDNS notes which plugin writes: it
// has no name outside. It is nil if there are none.
var label = func() (t reflect.Type) {
	see := func(_ context.Context, w dns.ResponseWriter, _ *dns.Msg) (int, error) {
		if w != nil && embeds(reflect.TypeOf(w)) {
			t = reflect.TypeOf(w)
		}
		return dns.RcodeSuccess, nil
	}
	_, _ = plugin.NextOrFailure("mxsrv", plugin.HandlerFunc(see), context.Background(), nil, nil)
	return t
}()

// isSigning reports whether writers of a type are those of dnssec. To import that would
// put it into every build with us.
func isSigning(t reflect.Type) bool {
	return isNamed(t, "github.com/coredns/coredns/plugin/dnssec", "ResponseWriter") && embeds(t)
}

// embeds reports whether writers of a type are pointers to a struct that begins with
// the writer that they write to.
func embeds(t reflect.Type) bool {
	if t == nil || t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct || t.Elem().NumField() == 0 {
		return false
	}
	first := t.Elem().Field(0)
	return first.Anonymous && first.Type == reflect.TypeFor[dns.ResponseWriter]()
}

func embedded(w dns.ResponseWriter) dns.ResponseWriter {
	inner, _ := reflect.ValueOf(w).Elem().Field(0).Interface().(dns.ResponseWriter)
	return inner
}

// A clientKind is the type of the writers of miekg/dns, which has no name outside.
type clientKind struct {
	writer reflect.Type
	last   int // its field for who writes in the end: itself, unless somebody decorates it
}

// clients is what isClient has learned from the first query: it is the same for all.
var clients atomic.Pointer[clientKind]

// isClient reports whether w is the writer of miekg/dns itself, for UDP or TCP.
func isClient(w dns.ResponseWriter) bool {
	t := reflect.TypeOf(w)
	kind := clients.Load()
	if kind == nil || kind.writer != t {
		if kind = learn(t); kind == nil {
			return false
		}
		clients.Store(kind)
	}
	last := reflect.ValueOf(w).Elem().Field(kind.last)
	return !last.IsNil() && last.Elem().Type() == t
}

// learn looks whether writers of a type are those of miekg/dns.
func learn(t reflect.Type) *clientKind {
	if !isNamed(t, "github.com/miekg/dns", "response") {
		return nil
	}
	last, ok := t.Elem().FieldByName("writer")
	if !ok || last.Type.Kind() != reflect.Interface {
		return nil
	}
	return &clientKind{t, last.Index[0]}
}

// isNamed reports whether a type is a pointer to a struct of this name.
func isNamed(t reflect.Type, path, name string) bool {
	return t != nil && t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct &&
		t.Elem().Name() == name && t.Elem().PkgPath() == path
}
