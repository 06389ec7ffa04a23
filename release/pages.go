package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// An edition is what all pages of a release have in common.
type edition struct {
	version string
	date    time.Time
}

// A page is a man page.
type page struct {
	name    string
	section int
	text    string
}

func (p page) file() string { return fmt.Sprintf("man%d/%[2]s.%[1]d", p.section, p.name) }

// page returns a page from its sections but NAME, which says what it is about.
func (e edition) page(name string, section int, about, text string) page {
	head := fmt.Sprintf(".nr HY 0\n.TH %s %d %s \"mxsrv %s\" \"mxsrv\"\n", strings.ToUpper(name), section,
		e.date.UTC().Format(time.DateOnly), e.version)
	// HY 0: no word is hyphenated, as names of pages, files and options would be.
	if strings.Contains(text, "\n.TS\n") {
		head = "'\\\" t\n" + head // man calls tbl
	}
	return page{name, section, head + fmt.Sprintf(".SH NAME\n%s \\- %s\n", verbatim.Replace(name), lowerFirst(about)) + text}
}

func lowerFirst(text string) string { return strings.ToLower(text[:1]) + text[1:] }

// documents returns the page of each Markdown file of the manual: of README.md coredns-mxsrv(7), as CoreDNS names the
// pages of its plugins, and of docs/NAME.md mxsrv-NAME(7).
func (e edition) documents(root string) ([]page, error) {
	sources, err := filepath.Glob(filepath.Join(root, "docs/*.md"))
	if err != nil {
		return nil, err
	}
	names := map[string]string{"README.md": "coredns-mxsrv", "docs/deploy/README.md": "mxsrv-deploy", "examples/README.md": "mxsrv-examples"}
	for _, s := range sources {
		names["docs/"+filepath.Base(s)] = "mxsrv-" + strings.TrimSuffix(filepath.Base(s), ".md")
	}
	references := map[string]string{}
	for source, name := range names {
		references[source] = name + "(7)"
	}
	var pages []page
	for source, name := range names {
		text, err := os.ReadFile(filepath.Join(root, source))
		if err != nil {
			return nil, err
		}
		about, body := split(installed(string(text)))
		r := &renderer{source: source, pages: references}
		pages = append(pages, e.page(name, 7, about, r.roff(body)))
	}
	return pages, nil
}

// installed returns a text for somebody who has the binaries and not the repository. Comments stay where they are.
func installed(text string) string {
	return checkout.ReplaceAllString(beside.ReplaceAllString(text, "$1             $2"), "")
}

var (
	beside   = regexp.MustCompile(`go run \./cmd/(.*?)( +#)`)
	checkout = regexp.MustCompile(`go run \./cmd/`)
	named    = regexp.MustCompile(`(?s)^.*\n## Name\n\n\*mxsrv\* - (.*?)\n\n`) // what is above it is about the checkout
	titled   = regexp.MustCompile(`^# (.*)\n`)
)

// split returns what a document is about, as NAME says it, and its sections.
func split(text string) (about, sections string) {
	if m := named.FindStringSubmatch(text); m != nil {
		return strings.TrimSuffix(m[1], "."), text[len(m[0]):]
	}
	m := titled.FindStringSubmatch(text)
	return m[1], "## Description\n" + text[len(m[0]):]
}

// commands returns the page of a binary of the tool, mxsrv(1), and those of its commands, from their help.
func (e edition) commands(mxsrv string) ([]page, error) {
	root, err := readHelp(mxsrv)
	if err != nil {
		return nil, err
	}
	about := strings.TrimSuffix(strings.TrimPrefix(strings.Join(strings.Fields(root.text), " "), "mxsrv "), ".")
	pages := []page{e.page("mxsrv", 1, about, root.roff())}
	for _, c := range root.commands {
		h, err := readHelp(mxsrv, c.name)
		if err != nil {
			return nil, err
		}
		pages = append(pages, e.page("mxsrv-"+c.name, 1, c.text, h.roff()))
	}
	return pages, nil
}
