package foreign

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/mxsrv/mxsrv/plugin/change"
	"github.com/mxsrv/mxsrv/plugin/definition"
	"github.com/mxsrv/mxsrv/plugin/skydns"
)

// A listing is what etcdctl get --prefix -w json prints.
type listing struct {
	Kvs []KeyValue `json:"kvs"`
}

// A KeyValue is a key of etcd.
type KeyValue struct {
	Key   []byte `json:"key"`
	Value []byte `json:"value"`
	Lease int64  `json:"lease"`
}

// Listing returns keys as etcdctl get --prefix -w json prints them.
func Listing(keys []KeyValue) string {
	text, _ := json.Marshal(listing{keys}) // there is nothing in it that cannot be
	return string(text)
}

// isListing reports whether a text is one.
func isListing(text string) bool {
	return strings.HasPrefix(strings.TrimSpace(text), "{") && strings.Contains(text, `"kvs"`)
}

// readSkyDNS reads the tree of the etcd plugin of CoreDNS. Each name is declared as it is answered, with all keys below
// it. Positions are of the keys of names.
func readSkyDNS(im *importer, source, text, path string) error {
	var list listing
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return fmt.Errorf("%s: %w: write what \"etcdctl get --prefix -w json /skydns\" prints", source, err)
	}
	if im.zone == "" {
		return fmt.Errorf("%s: %w", source, ErrNoZone)
	}
	if path = list.pathOf(im.zone, path); path == "" {
		return fmt.Errorf("%s: no key is that of a name in %s", source, im.zone)
	}
	tree := skydns.New(path, definition.Zones{im.zone})
	_, errs := tree.Apply(list.edits(im, path))
	for _, e := range errs {
		im.skip(Line{Pos: e.Pos, Text: strings.TrimPrefix(e.Source, keySource)}, "%s", e.Text)
	}
	set := new(definition.Set)
	tree.DeclareAll(set)
	for o := range set.Index().Owners() {
		im.answered(o, keyLine(path, o.Name()))
	}
	return nil
}

const keySource = "etcd:" // before the key, in positions

// keyLine returns the line that stands for the key of a name.
func keyLine(path string, name definition.Name) Line {
	labels := name.Labels()
	slices.Reverse(labels)
	key := path + strings.Join(labels, "/")
	return Line{Pos: definition.Pos{Source: keySource + key, Line: 1}, Text: key}
}

// pathOf returns what keys start with that are of names in a zone, or "" if there are none. Any path will do for "".
func (l *listing) pathOf(zone definition.Name, path string) string {
	_, below, _ := strings.Cut(keyLine("/", zone).Text, "/")
	for _, kv := range l.Kvs {
		i := strings.Index(strings.ToLower(string(kv.Key))+"/", "/"+below+"/")
		if i >= 0 && (path == "" || path == string(kv.Key[:i+1])) {
			return string(kv.Key[:i+1])
		}
	}
	return ""
}

// edits returns the edits that make the tree.
func (l *listing) edits(im *importer, path string) (edits []change.Edit) {
	for _, kv := range l.Kvs {
		e := change.Edit{Fragment: change.Fragment{Key: string(kv.Key), Text: skydns.WithLease(0, string(kv.Value))}}
		if !strings.HasPrefix(e.Key, path) {
			continue
		}
		edits = append(edits, e)
		if kv.Lease != 0 {
			im.skip(Line{Pos: definition.Pos{Source: e.Source(), Line: 1}, Text: e.Key},
				"its lease ends it and bounds its TTL, which a definition does not: let mxsrv register declare it")
		}
	}
	return edits
}

// answered declares what a name of a tree is answered with, as far as the language has it.
func (im *importer) answered(o definition.Owner, l Line) {
	owner := string(o.Name())
	for _, addr := range o.Addrs() {
		im.host(l, owner, addr, o.HostTTL())
	}
	for _, x := range o.Exchanges() {
		im.mail(l, owner, x.Preference, string(x.Host), o.MailTTL())
	}
	for _, a := range o.Aliases() {
		im.alias(l, owner, string(a.Host), o.AliasTTL())
	}
	im.answeredTargets(o, l)
	for _, r := range o.Records() {
		if r.Type == dns.TypeNS {
			im.skip(l, "its NS records are for the Corefile: write authoritative { ns %s }", r.Host())
			continue
		}
		im.recordOf(l, owner, r.Type, hex.EncodeToString([]byte(r.Data)), r.TTL.Seconds)
	}
}

// answeredTargets declares the targets of a service. The etcd plugin has SRV records at all names, most of them without
// a port: these are dropped.
func (im *importer) answeredTargets(o definition.Owner, l Line) {
	targets := slices.DeleteFunc(slices.Clone(o.Targets()), func(t definition.Target) bool { return t.Port == 0 })
	if len(targets) > 0 && !o.Name().IsService() {
		im.skip(l, "its SRV records are dropped: %s", services.rule)
		return
	}
	for _, t := range targets {
		numbers := definition.Target{Priority: t.Priority, Weight: t.Weight, Port: t.Port}
		im.service(l, string(o.Name()), numbers, string(t.Host), o.ServiceTTL())
	}
}
