// Package mxsrv is a CoreDNS plugin that answers MX and SRV queries, with the
// addresses of every target, from a few lines that declare hosts, mail domains,
// services, aliases and other records; all other queries are passed down the plugin chain.
//
// What is declared flows one way, and no package knows one after it:
//
//	           Corefile block ─┐
//	source/file:   files ──────┼─► change ─► definition.Set ─► lint.Check ─► table.Compile ─► publish: one pointer ─► ServeDNS ─► answer
//	etcd:      fragments ──────┘  what moved     parsed          findings       immutable         last good set                │ or: overlay,
//	                                  ▲ admit: which names of fragments count                              serial, NOTIFY               ▼ next plugin
//	health:     verdicts ──────────────────────────────────────────────────► table.With ─────────┘
//
// Who may import whom is a test, test/house_test.go. In the order of that flow:
//
//	setup.go                from a server block of the Corefile to a handler
//	handler.go              MXSRV: ServeDNS, Ready, Transfer
//	lifecycle.go            which reading of the Corefile serves, and so follows its sources
//	metrics.go, notify.go   what a publisher reports: counters, the log, NOTIFY
//	health.go               its prober: what that knows from before, and what it reports
//
//	plugin/definition       the language: its types, reader, printer and formatter
//	plugin/corefile         the mxsrv stanzas of a server block, as read
//	plugin/source           the sources of definitions, brought together
//	plugin/source/file      the source of files, and the key files that definitions name: when one is read again
//	plugin/etcd             the source of fragments in etcd: list, watch, what is there while etcd is away
//	plugin/skydns           the tree of keys that the etcd plugin of CoreDNS serves, as declarations
//	plugin/health           which servers are up: probes, verdicts, the file that keeps them
//	plugin/change           what a change concerns: documents and fragments, their dependents
//	plugin/admit            which fragments are served and which are excluded
//	plugin/lint             the rules that definitions must keep
//	plugin/table            definitions compiled into the answers that they mean
//	plugin/serial           arithmetic with serials
//	plugin/publish          load, patch, swap; the last good set; the ledger of serials
//	plugin/answer           replies: messages and packed ones, their order, glue that fits, denials and NSEC, the overlay
//	plugin/wire             a reply as octets
//	plugin/atomicfile       files that are replaced atomically
//
//	cmd/mxsrv               the tool; below internal: delivery (route, pick), picture, foreign (import), store (etcd),
//	                        webhook (ExternalDNS), hint (errors)
//	cmd/coredns             CoreDNS with mxsrv
//	cmd/internal/example    the Corefile of a first run
//	test, test/rig          tests of whole servers, and how any test starts servers, peers and etcd
//	release                 a module of its own: what "make release" writes; archives, man pages, checksums
//	test/externaldns        a module of its own: ExternalDNS, to be built, and readers of the manifests
//	test/verifiers          a module of its own: libraries of others that judge what is served of a mail domain
//
// # Limitations
//
// What the Corefile declares is read at start and at a reload, but for the key files that it names. Version 0
// promises nothing about the Go interfaces of these packages.
package mxsrv
