package foreign

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const generateUsage = "usage: $GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA"

// maxGenerated is how many entries one directive may mean: a few octets must not be a zone of millions.
const maxGenerated = 1 << 16

// generate reads the entries that a $GENERATE means. It is one of BIND, whose manual says what is here.
func (z *zoneReader) generate(l Line) {
	words := strings.SplitN(l.Text, " ", 3)
	if len(words) < 3 {
		z.skip(l, generateUsage)
		return
	}
	first, last, step, ok := numbers(words[1])
	switch {
	case !ok:
		z.skip(l, generateUsage)
		return
	case (last-first)/step >= maxGenerated:
		z.skip(l, "it means more than %d entries: write a range of fewer", maxGenerated)
		return
	}
	for n := first; n <= last; n += step {
		text, err := generated(words[2], n)
		if err != nil {
			z.skip(l, "%v", err)
			return
		}
		z.records(l, text)
	}
}

// numbers reads a range: 1-10 or 1-10/2.
func numbers(word string) (first, last, step int64, ok bool) {
	word, by, hasStep := strings.Cut(word, "/")
	from, to, _ := strings.Cut(word, "-")
	step = 1
	var errs [3]error
	first, errs[0] = strconv.ParseInt(from, 10, 32)
	last, errs[1] = strconv.ParseInt(to, 10, 32)
	if hasStep {
		step, errs[2] = strconv.ParseInt(by, 10, 32)
	}
	return first, last, step, errs == [3]error{} && first >= 0 && first <= last && step > 0
}

// places are where a number is inserted: after a backslash, which makes it none; $$, which is a dollar; $; or
// ${OFFSET,WIDTH,BASE}.
var places = regexp.MustCompile(`\\.|\$\$|\$\{[^}]*\}|\$`)

// generated returns an entry for one number.
func generated(text string, n int64) (string, error) {
	var mistake error
	text = places.ReplaceAllStringFunc(text, func(place string) string {
		switch {
		case place[0] == '\\':
			return place
		case place == "$$":
			return "$"
		case place == "$":
			return strconv.FormatInt(n, 10)
		}
		number, err := modified(strings.Trim(place, "${}"), n)
		if err != nil {
			mistake = fmt.Errorf("%q: write ${OFFSET,WIDTH,BASE} with a base of d, o, x, X, n or N", place)
		}
		return number
	})
	return text, mistake
}

// modified returns a number with an offset, filled up with zeros, and in another base.
func modified(modifier string, n int64) (string, error) {
	parts := strings.Split(modifier, ",")
	offset, err := strconv.ParseInt(parts[0], 10, 32)
	if err != nil || len(parts) > 3 {
		return "", strconv.ErrSyntax
	}
	width, base := 0, "d"
	if len(parts) > 1 {
		w, err := strconv.ParseUint(parts[1], 10, 8)
		if err != nil {
			return "", err
		}
		width = int(w)
	}
	if len(parts) > 2 {
		base = parts[2]
	}
	n += offset
	switch base {
	case "d":
		return fmt.Sprintf("%0*d", width, n), nil
	case "o", "x", "X":
		return fmt.Sprintf("%0*"+base, width, uint32(n)), nil
	case "n":
		return nibbles(fmt.Sprintf("%0*x", (width+1)/2, uint32(n))), nil
	case "N":
		return nibbles(fmt.Sprintf("%0*X", (width+1)/2, uint32(n))), nil
	}
	return "", strconv.ErrSyntax
}

// nibbles returns hexadecimal digits as labels, the last one first, as in reverse zones of IPv6.
func nibbles(hex string) string {
	labels := make([]byte, 0, 2*len(hex))
	for i := len(hex) - 1; i >= 0; i-- {
		labels = append(labels, hex[i], '.')
	}
	return string(labels[:len(labels)-1])
}
