package picture

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// TestSVG: every picture is well formed, all its text is inside, and no text is on another.
func TestSVG(t *testing.T) {
	corefiles, err := filepath.Glob("../../../../examples/*/Corefile")
	if err != nil || len(corefiles) < 5 {
		t.Fatal("no examples", err)
	}
	pictures := map[string]*Picture{
		"nothing": read(t, "", options{}),
		"large":   read(t, large(), options{}),
		"all":     read(t, large(), options{Limit: 1000}),
		"title":   read(t, large(), options{Limit: 1, Title: `Mail & <more> "of" ` + strings.Repeat("everything ", 9)}),
	}
	for _, corefile := range corefiles {
		name := filepath.Base(filepath.Dir(corefile))
		index, zones := example(t, name)
		pictures[name] = New(index, zones)
	}
	for name, p := range pictures {
		t.Run(name, func(t *testing.T) {
			text := svg(t, p)
			if again := svg(t, p); again != text {
				t.Error("drawn twice, with different results")
			}
			inside(t, text)
			for _, s := range p.sentences() {
				if !strings.HasSuffix(s, ".") || strings.Contains(s, "..") {
					t.Errorf("described by %q, want a sentence", s)
				}
			}
		})
	}
}

// large is more than is drawn of anything.
func large() string {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "mail c%d c%d.b 10 mx%d mx%d 20 mx%d\n", i, i, i%9, i%7, i%11+20)
	}
	var hosts, ranks []string
	for i := range 40 {
		fmt.Fprintf(&b, "host mx%d 192.0.2.%d 2001:db8:%d::1\nhost pc%d 198.51.100.%d\n", i, i, i%4, i, i)
		hosts, ranks = append(hosts, fmt.Sprint("mx", i)), append(ranks, fmt.Sprintf("%d mx%d", i, i))
	}
	fmt.Fprintf(&b, "mail wide 10 %s\nmail deep %s\n", strings.Join(hosts, " "), strings.Join(ranks, " "))
	long := strings.Repeat("a-long-name-", 5)
	fmt.Fprintf(&b, "mail %sb 10 %sc.%sd.example.net.\nservice _ldap._tcp.%sb.%sc._sites.dc._msdcs none\n", long, long, long, long, long)
	b.WriteString("service _w._tcp {\n0 0 1 mx1\n0 1 2 mx2\n0 999 3 mx3\n}\nalias www mx1\nhost six 2001:db8::6\nmail six 0 six\n")
	return b.String()
}

// inside reads an image and checks its text, as wide as the widest fonts have it.
func inside(t *testing.T, image string) {
	t.Helper()
	var texts []box
	var words []string
	w, h := 0, 0
	for d := xml.NewDecoder(strings.NewReader(image)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attr := func(name string) string {
			for _, a := range start.Attr {
				if a.Name.Local == name {
					return a.Value
				}
			}
			return ""
		}
		number := func(name string) int { n, _ := strconv.Atoi(attr(name)); return n }
		switch start.Name.Local {
		case "svg":
			w, h = number("width"), number("height")
		case "text":
			var content struct {
				Text string `xml:",chardata"`
				Span string `xml:"tspan"`
			}
			if err := d.DecodeElement(&content, &start); err != nil {
				t.Fatal(err)
			}
			text := content.Text + content.Span
			b := box{number("x"), number("y") - 10, width(text, letters[attr("class")]), 13}
			if attr("text-anchor") == "end" {
				b.x -= b.w
			}
			texts, words = append(texts, b), append(words, text)
		}
	}
	for i, b := range texts {
		if b.w == 0 || b.x < 0 || b.y < 0 || b.right() > w || b.bottom() > h {
			t.Errorf("%q at %v is not inside %d x %d", words[i], b, w, h)
		}
		for j, other := range texts[:i] {
			if b.x < other.right() && other.x < b.right() && b.y < other.bottom() && other.y < b.bottom() {
				t.Errorf("%q at %v and %q at %v overlap", words[i], b, words[j], other)
			}
		}
	}
}

// letters is how wide a letter is for each class of text.
var letters = map[string]int{
	"": plainLetter, "soft": plainLetter, "kind mail": plainLetter, "kind service": plainLetter, "kind alias": plainLetter,
	"title": titleLetter, "none": pillLetter, "name": nameLetter, "address": addressLetter,
}

// TestPaths: the lines of a picture end where something is.
func TestPaths(t *testing.T) {
	d := read(t, large(), options{}).layout()
	if len(d.lines) < 50 {
		t.Fatalf("%d lines", len(d.lines))
	}
	ends := 0
	for _, n := range d.networks {
		for _, h := range n.hosts {
			if h.x < n.x || h.right() > n.right() || h.y < n.y || h.bottom() > n.bottom() {
				t.Errorf("%s at %v is not in its network at %v", h.name, h.box, n.box)
			}
			for _, c := range h.ends {
				ends++
				if c.x2 != h.x || c.y2 <= h.y || c.y2 >= h.bottom() || c.x1 >= c.x2 {
					t.Errorf("a line ends at %d, %d and not at %s at %v", c.x2, c.y2, h.name, h.box)
				}
			}
		}
	}
	if ends != len(d.lines) {
		t.Errorf("%d ends of %d lines", ends, len(d.lines))
	}
}

func TestSpread(t *testing.T) {
	for _, tc := range []struct {
		name    string
		tops    []float64
		heights []int
		want    []int
	}{
		{"where they want", []float64{20, 50, 100}, []int{10, 10, 10}, []int{20, 50, 100}},
		{"two at one place", []float64{50, 50}, []int{20, 20}, []int{40, 60}},
		{"not above the limit", []float64{-50, 0}, []int{20, 20}, []int{10, 30}},
		{"wrong way round", []float64{100, 20}, []int{10, 10}, []int{55, 65}},
		{"none", nil, nil, nil},
	} {
		if got := spread(tc.tops, tc.heights, 10); fmt.Sprint(got) != fmt.Sprint(tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// FuzzSVG: whatever is declared is drawn as XML that can be read.
func FuzzSVG(f *testing.F) {
	f.Add(large(), "title")
	f.Add("mail @ 10 mx1\nmail a none\nservice _a._tcp 0 0 1 h\nalias b h", "<&\x00\xff")
	f.Fuzz(func(t *testing.T, text, title string) {
		set, _ := definition.Read("x", text, definition.Zones{"example.org."})
		p := New(set.Index(), definition.Zones{"example.org."})
		p.Title = cmp.Or(title, p.Title)
		inside(t, svg(t, p))
		for _, write := range []func(io.Writer) error{p.Dot, p.Mermaid, p.JSON} {
			if err := write(io.Discard); err != nil {
				t.Error(err)
			}
		}
	})
}
