// Package mxsrv is a CoreDNS plugin that answers MX and SRV questions, with the
// addresses of every target, from a few lines that declare hosts, mail domains,
// services and aliases; all other questions are passed down the plugin chain.
//
// What is declared flows one way, and nothing below knows what is above it:
//
//	Corefile, files, etcd ─► definition.Set ─► lint.Check ─► table.Compile ─► one pointer ─► ServeDNS ─► reply
//
// A small change takes a shorter way: definition.PartOf finds what it concerns,
// and table.Patch makes the next table of that and of the one in service.
//
//	plugin/definition   what operators declare, and the reader of the language
//	plugin/lint         the rules that definitions are held against
//	plugin/table        definitions compiled into the answers that they mean
//	plugin/wire         a reply as octets
//	plugin/admit        which fragments of etcd are served, and which are left out
//	plugin/source       where definitions come from, and following their changes
//	plugin/etcd         where in etcd they are, and how to get there
//	plugin/block        the stanzas of a Corefile, as read
//	cmd/mxsrv           the tool: check, render, route, pick, import, and definitions in etcd
//	  internal/delivery which host gets mail (RFC 5321 §5.1), which target a client takes (RFC 2782)
//	  internal/foreign  zone files and dnsmasq options read as definitions
//	  internal/picture  who gets what, as SVG, Dot, Mermaid and JSON
//	setup.go            Corefile block → running plugin
//	publish.go          definitions → findings → table in service, or the last good one
//	patch.go            a small change → the same, of what it concerns alone
//	fragments.go        the same for fragments, of which some may be left out
//	instance.go         all handlers of a Corefile: when they start and stop to follow
//	large.go            what large sets need so that a load disturbs nobody
//	progress.go         what a load that takes long says
//	handler.go          one question: answer it or pass it on
//	reply.go            an answer as a message that fits the client
//	octets.go           the same as octets, for a client that no other plugin stands before
//	path.go             whether one does
//	overlay.go          passing on, with a writer behind which a name we hold is not denied
//	negative.go         telling denials
//	proof.go            what proves a denial where dnssec signs
//	transfer.go         zones that are served whole, for the transfer plugin
//	notify.go           telling the secondaries of a change
//	serials.go          the last serials, which never fall
//	neighbors.go        what must be known of the other plugins of the block
//	metrics.go ready.go what the plugins of these names ask for
//
// # Limitations
//
// What stands in the Corefile is read at start and at a reload. An alias of a
// name that is not declared is answered with the CNAME alone. Version 0
// promises nothing about the Go interfaces of these packages.
package mxsrv
