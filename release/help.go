package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// A help is what a command says to --help.
type help struct {
	text     string // what it does
	usage    string
	examples string
	notes    []string // what stands below the examples, by paragraph
	status   string   // its exit status
	commands []item
	flags    []item
}

// An item is a flag or a command, and what it does.
type item struct{ name, text string }

func readHelp(mxsrv string, command ...string) (help, error) {
	out, err := exec.Command(mxsrv, append([]string{"help"}, command...)...).Output()
	if err != nil {
		return help{}, fmt.Errorf("%s help %s: %w", mxsrv, strings.Join(command, " "), err)
	}
	return parseHelp(string(out)), nil
}

var (
	heading = regexp.MustCompile(`(?m)^(Usage|Examples|Available Commands|Flags):\n`)
	listed  = regexp.MustCompile(`^ +(\S.*?)  +(\S.*)$`)
)

// parseHelp reads a help as cobra writes it.
func parseHelp(text string) (h help) {
	heads := heading.FindAllStringSubmatchIndex(text, -1)
	h.text = strings.TrimSpace(text[:heads[0][0]])
	for i, at := range heads {
		end := len(text)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		body := strings.TrimRight(text[at[1]:end], "\n")
		switch text[at[2]:at[3]] {
		case "Usage":
			h.usage = body
		case "Examples":
			h.parseExamples(body)
		case "Available Commands":
			h.commands = items(body)
		case "Flags":
			h.flags = items(body)
		}
	}
	return h
}

// parseExamples reads examples, which are indented, and the prose below them.
func (h *help) parseExamples(text string) {
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		switch {
		case strings.HasPrefix(paragraph, " "):
			h.examples += paragraph + "\n\n"
		case strings.HasPrefix(paragraph, "Exit status: "):
			h.status = strings.TrimPrefix(paragraph, "Exit status: ")
		default:
			h.notes = append(h.notes, paragraph)
		}
	}
}

func items(lines string) (found []item) {
	for line := range strings.Lines(lines) {
		if m := listed.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil && m[1] != "help" {
			found = append(found, item{m[1], m[2]})
		}
	}
	return found
}

// roff returns the sections of a man page.
func (h help) roff() string {
	var b strings.Builder
	section := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, ".SH %s\n%s", name, text)
		}
	}
	section("SYNOPSIS", synopsis(h.usage))
	section("DESCRIPTION", paragraphs(append([]string{h.text}, h.notes...)...))
	section("COMMANDS", list(h.commands, func(command string) string { return bold("mxsrv-" + command + "(1)") }))
	section("OPTIONS", list(h.flags, option))
	section("EXAMPLES", example(strings.TrimRight(h.examples, "\n")+"\n"))
	if h.status != "" {
		section("EXIT STATUS", paragraphs(h.status))
	}
	also := []string{bold("mxsrv(1)"), bold("mxsrv-tool(7)"), bold("coredns-mxsrv(7)")}
	if len(h.commands) > 0 { // it is mxsrv(1)
		also = also[1:]
	}
	section("SEE ALSO", strings.Join(also, ",\n")+"\n")
	return b.String()
}

// synopsis returns the lines of a usage.
func synopsis(usage string) string {
	var lines []string
	for line := range strings.Lines(usage) {
		lines = append(lines, verbatim.Replace(strings.TrimSpace(line)))
	}
	return strings.Join(lines, "\n.br\n") + "\n"
}

func paragraphs(texts ...string) string {
	escaped := make([]string, len(texts))
	for i, t := range texts {
		escaped[i] = escape(t) + "\n"
	}
	return strings.Join(escaped, ".PP\n")
}

func list(items []item, name func(string) string) string {
	var b strings.Builder
	for _, i := range items {
		fmt.Fprintf(&b, ".TP\n%s\n%s\n", name(i.name), verbatim.Replace(i.text))
	}
	return b.String()
}

// option returns a flag, as bold, and what its value is, as not.
func option(flag string) string {
	words := strings.Fields(verbatim.Replace(flag))
	for i, w := range words {
		if name, comma := strings.CutSuffix(w, ","); strings.HasPrefix(w, `\-`) {
			words[i] = `\fB` + name + `\fR` + map[bool]string{true: ","}[comma]
		} else {
			words[i] = `\fI` + w + `\fR`
		}
	}
	return strings.Join(words, " ")
}
