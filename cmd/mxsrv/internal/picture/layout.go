package picture

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Sizes in pixels.
const (
	margin      = 24
	titleHeight = 74 // with the heads of the columns
	footerLine  = 18
	arrowGap    = 52 // between names and panels
	rowGap      = 18
	padding     = 12 // in cards and panels

	kindHeight = 18
	nameLine   = 19

	orderHeight = 24 // of the line that says when a rank is tried
	targetLine  = 24
	rankGap     = 8
	barWidth    = 56
	shareWidth  = 46
	pillHeight  = 34

	prefixHeight = 30
	hostGap      = 10
	addressLine  = 16
)

// Hundredths of a pixel that a letter takes. Names and addresses are in a font whose letters are all as wide, 0.605 of
// their size at most, so that it is known what fits without asking for the font. Other text is narrower than this.
const (
	nameLetter    = 790 // 13 px
	addressLetter = 670 // 11 px
	plainLetter   = 640 // 11 px
	pillLetter    = 700 // 12 px
	titleLetter   = 1100
)

func width(text string, letter int) int { return (utf8.RuneCountInString(text)*letter + 99) / 100 }

func widest(texts []string, letter int) (w int) {
	for _, text := range texts {
		w = max(w, width(text, letter))
	}
	return w
}

// A box is where something is drawn.
type box struct{ x, y, w, h int }

func (b box) middle() int { return b.y + b.h/2 }
func (b box) right() int  { return b.x + b.w }
func (b box) bottom() int { return b.y + b.h }

// A drawing is a picture with the place of everything.
type drawing struct {
	*Picture
	w, h     int
	rows     []row
	networks []*networkBox
	hosts    map[string]*hostBox // by ID
	lines    []*connection
}

// A row is a set: its names, and beside them what they get.
type row struct {
	Set
	names       []string
	card, panel box
}

type networkBox struct {
	box
	head  string
	hosts []*hostBox
}

type hostBox struct {
	box
	Host
	name string
	ends []*connection
}

// A connection is the line from a target to its host.
type connection struct {
	kind           string
	backup         bool
	share          float64
	x1, y1, x2, y2 int
}

func (p *Picture) layout() *drawing {
	d := &drawing{Picture: p.drawn(), hosts: make(map[string]*hostBox)}
	d.makeNetworks()
	for _, s := range d.Sets {
		d.rows = append(d.rows, d.row(s))
	}
	d.placeRows()
	d.connect()
	d.placeNetworks()
	d.setSize()
	return d
}

// setSize makes room for what is beside and below the rows.
func (d *drawing) setSize() {
	d.w = margin + max(d.w, width(d.Title, titleLetter), 520)
	for _, n := range d.networks {
		d.w, d.h = max(d.w, n.right()), max(d.h, n.bottom())
	}
	d.w += margin
	d.h += margin + len(d.remarks())*footerLine
}

// makeNetworks makes the boxes of networks and hosts with their sizes.
func (d *drawing) makeNetworks() {
	w := 0
	for _, n := range d.Networks {
		network := &networkBox{head: n.head(), box: box{h: prefixHeight + padding - hostGap}}
		w = max(w, width(network.head, plainLetter))
		for _, h := range n.Hosts {
			b := d.makeHost(h)
			w = max(w, b.w)
			network.h += b.h + hostGap
			network.hosts, d.hosts[h.ID] = append(network.hosts, b), b
		}
		d.networks = append(d.networks, network)
	}
	for _, n := range d.networks {
		n.w = w + 4*padding
	}
	for _, h := range d.hosts {
		h.w = w + 2*padding
	}
}

func (d *drawing) makeHost(h Host) *hostBox {
	lines := d.hostLines(h)
	b := &hostBox{Host: h, name: lines[0]}
	b.w = max(width(b.name, nameLetter), widest(lines[1:], addressLetter))
	b.h = 2*padding + nameLine - 4 + len(h.Addresses)*addressLine
	return b
}

func (d *drawing) row(s Set) row {
	r := row{Set: s, names: d.Picture.names(s)}
	r.card.w = max(width(s.Kind, plainLetter), widest(r.names, nameLetter)) + 2*padding + 4
	r.card.h = 2*padding + kindHeight + len(r.names)*nameLine - 4
	if len(s.Ranks) == 0 {
		r.panel.w, r.panel.h = width(s.none(), pillLetter)+4*padding, pillHeight
	} else {
		r.measureRanks(d.hosts)
	}
	return r
}

// measureRanks gives the panel of a row its size.
func (r *row) measureRanks(hosts map[string]*hostBox) {
	r.panel.h = 2*padding - rankGap
	for _, rank := range r.Ranks {
		for _, t := range rank.Targets {
			r.panel.w = max(r.panel.w, width(hosts[t.Host].name+t.port(), nameLetter))
		}
		r.panel.h += rank.height() + rankGap
	}
	r.panel.w += 2*padding + barWidth + shareWidth + 3*padding/2
	if r.more > 0 {
		r.panel.h += orderHeight
	}
}

func (r Rank) height() int {
	h := orderHeight + len(r.Targets)*targetLine
	if r.more > 0 {
		h += targetLine
	}
	return h
}

// placeRows places the rows below each other, in two columns.
func (d *drawing) placeRows() {
	cards, panels := 0, 0
	for _, r := range d.rows {
		cards, panels = max(cards, r.card.w), max(panels, r.panel.w)
	}
	y := titleHeight
	d.h = y
	for i := range d.rows {
		r := &d.rows[i]
		middle := y + max(r.card.h, r.panel.h)/2
		r.card = box{margin, middle - r.card.h/2, cards, r.card.h}
		r.panel.x, r.panel.y = r.card.right()+arrowGap, middle-r.panel.h/2
		if len(r.Ranks) > 0 {
			r.panel.w = panels
		}
		top := r.panel.y + padding
		for j := range r.Ranks {
			r.Ranks[j].y = top
			top += r.Ranks[j].height() + rankGap
		}
		d.w, d.h = max(d.w, r.panel.right()), max(r.card.bottom(), r.panel.bottom())
		y = d.h + rowGap
	}
}

func (r Rank) middle(i int) int { return r.y + orderHeight + i*targetLine + targetLine/2 }

// connect makes the lines, with their starts.
func (d *drawing) connect() {
	for _, r := range d.rows {
		for i, rank := range r.Ranks {
			for j, t := range rank.Targets {
				c := &connection{kind: r.Kind, backup: i > 0, share: t.Share, x1: r.panel.right(), y1: rank.middle(j)}
				h := d.hosts[t.Host]
				h.ends = append(h.ends, c)
				d.lines = append(d.lines, c)
			}
		}
	}
}

// placeNetworks places networks and hosts near to what points to them, so that few lines cross.
func (d *drawing) placeNetworks() {
	for _, n := range d.networks {
		sortByEnds(n.hosts)
	}
	sortByEnds(d.networks)
	var tops []float64
	var heights []int
	for _, n := range d.networks {
		tops = append(tops, mean(n.lines())-float64(n.h)/2)
		heights = append(heights, n.h+rowGap)
	}
	x := d.w + min(200, 90+3*len(d.lines))
	for i, y := range spread(tops, heights, titleHeight) {
		d.networks[i].place(x, y)
	}
}

// lines returns the lines that end at a host, or at the hosts of a network.
func (h *hostBox) lines() []*connection { return h.ends }
func (n *networkBox) lines() (all []*connection) {
	for _, h := range n.hosts {
		all = append(all, h.ends...)
	}
	return all
}

// mean returns the mean height at which lines start.
func mean(lines []*connection) float64 {
	sum := 0
	for _, c := range lines {
		sum += c.y1
	}
	return float64(sum) / float64(max(1, len(lines)))
}

// sortByEnds sorts boxes by where their lines start. Then it swaps neighbours as long as that makes fewer lines cross,
// or as few if they were in the other order before.
func sortByEnds[B interface {
	comparable
	lines() []*connection
}](boxes []B) {
	first := make(map[B]int)
	for i, b := range boxes {
		first[b] = i
	}
	slices.SortStableFunc(boxes, func(a, b B) int { return cmp.Compare(mean(a.lines()), mean(b.lines())) })
	swapped := true
	for round := 0; swapped && round < len(boxes); round++ { // swaps may go round in a circle
		swapped = false
		for i := 1; i < len(boxes); i++ {
			a, b := boxes[i-1], boxes[i]
			if cmp.Or(crossings(a.lines(), b.lines())-crossings(b.lines(), a.lines()), first[a]-first[b]) > 0 {
				boxes[i-1], boxes[i], swapped = b, a, true
			}
		}
	}
}

// crossings returns how many lines cross if those of a end above those of b.
func crossings(a, b []*connection) int {
	n := 0
	for _, x := range a {
		for _, y := range b {
			if x.y1 > y.y1 {
				n++
			}
		}
	}
	return n
}

func (n *networkBox) place(x, y int) {
	n.x, n.y = x, y
	y += prefixHeight
	for _, h := range n.hosts {
		h.x, h.y = x+padding, y
		y += h.h + hostGap
		slices.SortStableFunc(h.ends, func(a, b *connection) int { return cmp.Compare(a.y1, b.y1) })
		for i, c := range h.ends {
			c.x2, c.y2 = h.x, h.y+h.h*(i+1)/(len(h.ends)+1)
		}
	}
}

// A pool is boxes without space between, and where its first one should start on the average.
type pool struct {
	sum   float64 // of the desired tops, each less the heights of the boxes before it
	count int
}

func (p pool) top() float64 { return p.sum / float64(p.count) }

// spread returns the tops of boxes: as near as possible to the desired ones on the whole, in their order, without
// overlap, and not above a limit (isotonic regression by pooling neighbours that would overlap).
func spread(desired []float64, heights []int, limit int) []int {
	var pools []pool
	before := 0
	for i, top := range desired {
		pools = append(pools, pool{top - float64(before), 1})
		before += heights[i]
		for n := len(pools); n > 1 && pools[n-2].top() > pools[n-1].top(); n-- {
			pools[n-2] = pool{pools[n-2].sum + pools[n-1].sum, pools[n-2].count + pools[n-1].count}
			pools = pools[:n-1]
		}
	}
	var tops []int
	before = 0
	for _, p := range pools {
		for range p.count {
			tops = append(tops, max(limit, int(p.top()))+before)
			before += heights[len(tops)-1]
		}
	}
	return tops
}
