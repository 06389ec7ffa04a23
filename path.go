package mxsrv

import (
	"context"
	"reflect"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// A plugin in front of us that wants to see our messages gives us a writer of its own
// kind. Mostly there is none, but for writers of CoreDNS that only count and label. Then
// the client can get a reply as octets, which CoreDNS need not measure, cut and pack.

// A path is what is between us and a client that may get octets.
type path struct {
	to       dns.ResponseWriter // which takes them
	signed   bool               // dnssec is on the way, and to be asked for signatures; to is behind it
	recorder *metrics.Recorder  // counts the octets, and is to be told the rcode; nil if there is none
}

// pathOf returns the path that begins with a writer. It is none if the writer, or one
// that it writes to, is of a kind that is not known here.
func pathOf(w dns.ResponseWriter) (path, bool) {
	p := path{to: w}
	for {
		switch known := w.(type) {
		case *request.ScrubWriter:
			return p, true
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
	_, _ = plugin.NextOrFailure(pluginName, plugin.HandlerFunc(see), context.Background(), nil, nil)
	return t
}()

// isSigning reports whether writers of a type are those of dnssec. To import that would
// put it into every build with us.
func isSigning(t reflect.Type) bool {
	if t == nil || t.Kind() != reflect.Pointer {
		return false
	}
	of := t.Elem()
	return of.Name() == "ResponseWriter" && of.PkgPath() == "github.com/coredns/coredns/plugin/dnssec" && embeds(t)
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
