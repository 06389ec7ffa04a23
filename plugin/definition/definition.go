// Package definition has the types of what operators declare: hosts, mail domains,
// services, aliases and other records; and the one reader of the language they are written in.
//
// The language is statements of words. A statement may end in a block, further
// statements between braces; "#" starts a comment; a word with blanks is put in quotes.
//
//	ttl 3600                              # default for all statements of the file or block
//	order weighted                        # or fixed; likewise
//	host NAME ADDRESS...                  # and in reverse zones, a PTR record of each address
//	mail NAME... PREFERENCE HOST...       # or none; or both in a block, with srv
//	service NAME... PRIORITY WEIGHT PORT HOST...
//	alias NAME... HOST
//	record NAME... TYPE DATA...           # any other record, data as in a master file
//	drain HOST...                         # leave it out of answers, as if a check had failed
//
// In the block of a mail domain or service, check KIND says how to find out which of its targets are up: [ParseCheck].
//
// Lines in the block of a mail domain say what hangs on it, and are read as the records that they mean:
//
//	spf TERM...                           # TXT v=spf1 TERM...; in the block of a host, too
//	dkim SELECTOR KEY                     # KEY: a file, rsa:BASE64, ed25519:BASE64 or revoked
//	dmarc POLICY [TAG=VALUE...]           # and the record that lets reports go to a domain in the zones
//	mta-sts FILE [HOST]                   # or id=ID [HOST]; HOST has the web server with the policy
//	tls-rpt ADDRESS...
//	clients HOST WORD...                  # imap, submissions=10465, caldavs=/dav, autoconfig, ...
//
// One in the block of a host has the keys of its servers:
//
//	tlsa PORT KEY...                      # KEY: a file or sha256:HEX
//
// Files that such lines name are read by whoever has the Reader: see [Reader.SetFiles].
//
// In a Corefile, authoritative { ns NAME... } declares the apex of an authoritative zone: an [Apex].
//
// A lexer finds words and [Statements] the braces, and neither knows a keyword; a [Reader] knows keywords and turns
// statements into a [Set]. None stops at the first mistake: all come back as [Errors], each with its place and what
// to write instead. [Set.Index] shows a set owner by owner, with repeated declarations brought together, and
// [Set.Print] writes it as statements again.
//
// # How to add a kind of declaration
//
//   - Here, a file of its own, as alias.go is: the type and its methods of declaration, the
//     [Reader]'s method for its keyword, the methods of [Owner] and what it prints.
//   - Its keyword in keywords (read.go), its field in [Set] and each function of set.go that
//     has a line for each kind, its group in [Set.Index], its statements in [Set.Print] and [Set.List].
//   - In package table, a file that compiles it into RRsets, called by build; its line in
//     partOf, for patches; and its type in Answer.Owned if names may share its records.
//   - In package admit, its lines in claim.go: who may declare it beside other kinds.
//   - In package publish, its lines in status.go, which counts names by kind.
//   - In package lint, its rules, with a fixture in testdata for each.
//   - In docs, a page; and its line in the syntax of the README.
//   - In cmd/mxsrv, what import converts to it, and pictures if it belongs there.
//
// A line that says what hangs on a mail domain or a host is less: its row in mailLines or hostLines (policy.go), which
// calls policies.text, record, service or alias for each record; its rules in lint; and its line in docs/mail.md.
//
// # Limitations
//
// Class is IN. Names are letters, digits, hyphens and underscores: names in
// other scripts are written as A-labels (xn--...).
package definition

import "strconv"

// A Pos is the place of a declaration. It prints as "Corefile:12".
type Pos struct {
	Source string // file name or other origin
	Line   int    // from 1
}

func (p Pos) String() string { return p.Source + ":" + strconv.Itoa(p.Line) }

// A Head is what every declaration begins with.
type Head struct {
	Pos
	Owner Name
	TTL   TTL
}

// Header returns h itself: that of any kind of declaration.
func (h *Head) Header() *Head { return h }

// A declaration is what all kinds have in common.
type declaration interface {
	Header() *Head
	targets() int      // how many names it points to
	target(i int) Name // one of these
	list() any         // points to the list of these, if others may share it; else nil
}
