package main

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/russross/blackfriday/v2"
)

// verbatim escapes what man pages would print as another character: the hyphen, quotes and accents of prose, which
// nobody could copy into a shell.
var verbatim = strings.NewReplacer(`\`, `\(rs`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

var macro = regexp.MustCompile(`(?m)^\.`)

// escape returns text that is printed as it is.
func escape(text string) string { return macro.ReplaceAllString(verbatim.Replace(text), `\&.`) }

// example returns a block of lines that are kept as they are.
func example(lines string) string { return ".RS 4\n.EX\n" + escape(lines) + ".EE\n.RE\n" }

// A renderer is md2man with what is better here: examples that can be copied, tables that fit a terminal, and
// references to pages.
type renderer struct {
	blackfriday.Renderer
	source string            // the Markdown file in the repository
	pages  map[string]string // the page, like mxsrv-mail(7), of each of these files
}

// roff returns the text of a Markdown file as that of a man page.
func (r *renderer) roff(text string) string {
	base := md2man.NewRoffRenderer()
	r.Renderer = base
	page := blackfriday.Run([]byte(text), blackfriday.WithRenderer(r), blackfriday.WithExtensions(base.GetExtensions()))
	return strings.TrimSpace(afterHeading.ReplaceAllString(empty.ReplaceAllString(string(page), "\n."), "$1")) + "\n"
}

// md2man leaves empty lines, which are printed, before macros, and paragraphs that begin where a section does.
var (
	empty        = regexp.MustCompile(`\n{2,}\.`)
	afterHeading = regexp.MustCompile(`(?m)(^\.S[HS] .*\n)\.PP\n`)
)

func (r *renderer) RenderHeader(io.Writer, *blackfriday.Node) {}

func (r *renderer) RenderNode(w io.Writer, n *blackfriday.Node, entering bool) blackfriday.WalkStatus {
	switch n.Type {
	case blackfriday.Code:
		fmt.Fprintf(w, `\fB%s\fR`, verbatim.Replace(string(n.Literal)))
	case blackfriday.CodeBlock:
		fmt.Fprintf(w, "\n.PP\n%s", example(string(n.Literal)))
	case blackfriday.Link, blackfriday.Image:
		io.WriteString(w, r.reference(string(n.LinkData.Destination), r.inline(n)))
		return blackfriday.SkipChildren
	case blackfriday.Table:
		io.WriteString(w, r.table(n))
		return blackfriday.SkipChildren
	case blackfriday.Text:
		if h := n.Parent; h.Type == blackfriday.Heading && h.Level == 2 {
			n.Literal = bytes.ToUpper(n.Literal)
		}
		return r.Renderer.RenderNode(w, n, entering)
	default:
		return r.Renderer.RenderNode(w, n, entering)
	}
	return blackfriday.GoToNext
}

// inline returns what is below a node.
func (r *renderer) inline(n *blackfriday.Node) string {
	var b bytes.Buffer
	for c := n.FirstChild; c != nil; c = c.Next {
		c.Walk(func(n *blackfriday.Node, entering bool) blackfriday.WalkStatus { return r.RenderNode(&b, n, entering) })
	}
	return b.String()
}

// reference returns a link: its text and where it leads to, or that alone if the text is the end of its name.
func (r *renderer) reference(destination, text string) string {
	file, _, _ := strings.Cut(destination, "#")
	switch {
	case file == "":
		return text
	case strings.Contains(file, "://"):
		return fmt.Sprintf("%s (%s)", text, verbatim.Replace(destination))
	}
	file = path.Join(path.Dir(r.source), file)
	name, to := file, verbatim.Replace(file)
	if page := r.pages[file]; page != "" {
		name, to = strings.TrimSuffix(page, "(7)"), bold(page)
	}
	if strings.HasSuffix(name, text) {
		return to
	}
	return fmt.Sprintf("%s (%s)", text, to)
}

// bold returns the name of a page like mxsrv(1).
func bold(page string) string {
	name, section, _ := strings.Cut(page, "(")
	return fmt.Sprintf(`\fB%s\fR(%s`, verbatim.Replace(name), section)
}

// narrow is how many characters a cell of a table may have so that its column is not broken into lines.
const narrow = 24

// table returns a table whose long cells are broken into lines.
func (r *renderer) table(table *blackfriday.Node) string {
	var rows [][]string
	var formats []string // by column
	table.Walk(func(row *blackfriday.Node, entering bool) blackfriday.WalkStatus {
		if row.Type != blackfriday.TableRow || !entering {
			return blackfriday.GoToNext
		}
		var cells []string
		for c := row.FirstChild; c != nil; c = c.Next {
			cells = append(cells, r.inline(c))
		}
		rows = append(rows, cells)
		return blackfriday.SkipChildren
	})
	for i := range rows[0] {
		formats = append(formats, format(rows, i))
	}
	lines := []string{".na", ".TS", strings.ReplaceAll(strings.Join(formats, " "), "l", "lb"), strings.Join(formats, " ") + "."}
	for i, cells := range rows {
		lines = append(lines, strings.Join(cells, "\t"))
		if i == 0 {
			lines = append(lines, "_")
		}
	}
	return "\n.PP\n" + strings.Join(append(lines, ".TE", ".ad"), "\n") + "\n"
}

// format returns how tbl is to print a column of a table. The cells of one that is to be broken become text blocks.
func format(rows [][]string, column int) string {
	if !slices.ContainsFunc(rows, func(cells []string) bool { return len(unprinted.ReplaceAllString(cells[column], "")) > narrow }) {
		return "l"
	}
	for _, cells := range rows {
		cells[column] = "T{\n" + cells[column] + "\nT}"
	}
	return "lx"
}

var unprinted = regexp.MustCompile(`\\(f.|\(.|&)?`) // of escapes
