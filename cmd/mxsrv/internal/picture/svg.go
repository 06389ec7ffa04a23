package picture

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// style has two sets of colors, for light and for dark pages. They are written out because only browsers know
// variables.
const style = `
svg { font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
text { font-size: 11px; fill: #1f2328; }
.title { font-size: 18px; font-weight: 600; }
.kind { font-weight: 600; }
.name, .address { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; }
.name { font-size: 13px; }
.soft, .address { fill: #59636e; }
.none { font-size: 12px; fill: #cf222e; }
.page { fill: #ffffff; }
.card { fill: #f6f8fa; stroke: #d1d9e0; }
.host { fill: #ffffff; stroke: #d1d9e0; }
.pill { fill: none; stroke: #cf222e; }
.rule { stroke: #d1d9e0; stroke-dasharray: 3 3; }
.track { fill: #d8dee4; }
.mail { fill: #0969da; }
.service { fill: #8250df; }
.alias { fill: #1a7f37; }
.line { stroke-linecap: round; }
.line.mail, .line.service, .line.alias { fill: none; }
.line.mail { stroke: #0969da; }
.line.service { stroke: #8250df; }
.line.alias { stroke: #1a7f37; }
.backup { stroke-dasharray: 2 7; opacity: 0.75; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .soft, .address { fill: #9aa4af; }
  .none { fill: #f85149; }
  .page { fill: #0d1117; }
  .card { fill: #161b22; stroke: #3d444d; }
  .host { fill: #0d1117; stroke: #3d444d; }
  .pill { stroke: #f85149; }
  .rule { stroke: #3d444d; }
  .track { fill: #343b44; }
  .mail { fill: #4493f8; }
  .service { fill: #ab7df8; }
  .alias { fill: #3fb950; }
  .line.mail { stroke: #4493f8; }
  .line.service { stroke: #ab7df8; }
  .line.alias { stroke: #3fb950; }
}
`

// SVG draws the picture as an SVG 1.1 image that needs nothing else.
func (p *Picture) SVG(w io.Writer) error {
	d := p.layout()
	s := &canvas{bufio.NewWriter(w)}
	s.start(d)
	s.heads(d)
	for _, n := range d.networks {
		s.rect("card", n.box, 10)
		s.text("soft", n.x+padding, n.y+19, n.head)
	}
	for _, c := range d.lines {
		s.connection(c, d.thickness())
	}
	for _, r := range d.rows {
		s.row(r, d.hosts)
	}
	for _, n := range d.networks {
		for _, h := range n.hosts {
			s.host(h)
		}
	}
	remarks := d.remarks()
	for i, remark := range remarks {
		s.text("soft", margin, d.h-margin+6-footerLine*(len(remarks)-1-i), remark)
	}
	s.printf("</svg>\n")
	return s.Flush()
}

func (s *canvas) start(d *drawing) {
	s.printf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-labelledby="title desc">`+"\n", d.w, d.h, d.w, d.h)
	s.printf("<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", escape(d.Title), escape(strings.Join(d.sentences(), " ")))
	s.printf("<style>%s</style>\n", style)
	s.rect("page", box{0, 0, d.w, d.h}, 0)
	s.text("title", margin, margin+14, d.Title)
}

// A canvas writes elements.
type canvas struct{ *bufio.Writer }

func (s *canvas) printf(format string, args ...any) { fmt.Fprintf(s, format, args...) }

func (s *canvas) rect(class string, b box, radius int) {
	s.printf(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`+"\n", class, b.x, b.y, b.w, b.h, radius)
}

func (s *canvas) text(class string, x, y int, text string) {
	s.printf(`<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, x, y, escape(text))
}

// withTip writes elements for which a tip is shown when a pointer rests on them.
func (s *canvas) withTip(tip string, elements func()) {
	s.printf("<g><title>%s</title>\n", escape(tip))
	elements()
	s.printf("</g>\n")
}

func (s *canvas) heads(d *drawing) {
	const y = titleHeight - 12
	if len(d.rows) == 0 {
		s.text("soft", margin, y, "Nothing is declared.")
		return
	}
	s.text("soft", margin, y, "what is asked for")
	s.text("soft", d.rows[0].card.right()+arrowGap, y, "who gets it, in this order")
	if len(d.networks) > 0 {
		s.text("soft", d.networks[0].x, y, "where they are")
	}
}

func (s *canvas) row(r row, hosts map[string]*hostBox) {
	s.withTip(r.tip(), func() { s.card(r) })
	x, y := r.panel.x-3, r.panel.middle()
	s.printf(`<path class="line %s" stroke-width="2" d="M%d %dH%d"/>`+"\n", r.Kind, r.card.right()+4, y, x-6)
	s.printf(`<path class="%s" d="M%d %dl-8 -5v10z"/>`+"\n", r.Kind, x, y)
	if len(r.Ranks) == 0 {
		s.rect("pill", r.panel, pillHeight/2)
		s.text("none", r.panel.x+2*padding, y+4, r.none())
		return
	}
	s.rect("card", r.panel, 8)
	for i := range r.Ranks {
		s.rank(r, i, hosts)
	}
	if r.more > 0 {
		s.text("soft", r.panel.x+padding, r.panel.bottom()-padding, count(r.more, "further rank"))
	}
}

func (s *canvas) card(r row) {
	s.rect("card", r.card, 8)
	s.rect(r.Kind, box{r.card.x, r.card.y + 8, 3, r.card.h - 16}, 1)
	x, y := r.card.x+padding+4, r.card.y+padding+8
	s.text("kind "+r.Kind, x, y, r.Kind)
	for i, name := range r.names {
		class := "name"
		if i == maxNames-1 && len(r.Names) > maxNames {
			class = "soft"
		}
		s.text(class, x, y+kindHeight+2+i*nameLine, name)
	}
}

func (s *canvas) rank(r row, i int, hosts map[string]*hostBox) {
	b := r.Ranks[i]
	left, right := r.panel.x+padding, r.panel.right()-padding
	if i > 0 {
		s.printf(`<path class="rule" d="M%d %dH%d"/>`+"\n", left, b.y-rankGap/2+1, right)
	}
	s.text("soft", left, b.y+15, r.order(i))
	for j, t := range b.Targets {
		s.printf(`<text class="name" x="%d" y="%d">%s<tspan class="soft">%s</tspan></text>`+"\n", left, b.middle(j)+4, escape(hosts[t.Host].name), t.port())
		if r.Kind != Alias {
			s.share(r.Kind, right, b.middle(j), t)
		}
	}
	if b.more > 0 {
		s.text("soft", left, b.middle(len(b.Targets))+4, fmt.Sprintf("and %d more", b.more))
	}
}

// share writes the share of a target as a bar and as a number.
func (s *canvas) share(kind string, right, middle int, t Target) {
	bar := box{right - shareWidth - barWidth, middle - 3, barWidth, 6}
	s.rect("track", bar, 3)
	if bar.w = int(float64(barWidth)*t.Share/100 + 0.5); bar.w > 0 {
		s.rect(kind, bar, 3)
	}
	s.printf(`<text class="" x="%d" y="%d" text-anchor="end">%s</text>`+"\n", right, middle+4, escape(t.percent()))
}

// thickness returns the width in pixels of a line with a share of one percent. The more lines, the thinner, so that
// they can be told apart.
func (d *drawing) thickness() float64 {
	const few = 30
	return 0.036 * few / float64(max(few, len(d.lines)))
}

// connection draws a line as thick as its share, and that of a backup thinner and dashed.
func (s *canvas) connection(c *connection, thickness float64) {
	class := "line " + c.kind
	if c.backup {
		class, thickness = class+" backup", thickness/2
	}
	bend := (c.x2 - c.x1) / 2
	s.printf(`<path class="%s" stroke-width="%.1f" d="M%d %dC%d %d %d %d %d %d"/>`+"\n",
		class, 1.2+c.share*thickness, c.x1, c.y1, c.x1+bend, c.y1, c.x2-bend, c.y2, c.x2, c.y2)
}

func (s *canvas) host(h *hostBox) {
	s.withTip(string(h.Name), func() {
		s.rect("host", h.box, 6)
		s.text("name", h.x+padding, h.y+padding+8, h.name)
		for i, addr := range h.Addresses {
			s.text("address", h.x+padding, h.y+padding+9+(i+1)*addressLine, addr.String())
		}
	})
}

func escape(text string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(text))
	return b.String()
}
