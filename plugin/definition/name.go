package definition

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

// A Name is an absolute, lower-case domain name that fits the limits of
// RFC 1035 §2.3.4 and needs no escapes. Only [ParseName] makes one.
type Name string

const (
	maxLabel = 63  // octets of a label, RFC 1035 §2.3.4
	maxName  = 255 // octets of a name on the wire, which is its text and one more
)

// ParseName reads a name as it is written below zone: "@" is the zone itself,
// a name with a final dot is absolute, any other is relative to the zone.
func ParseName(s string, zone Name) (Name, error) {
	switch s {
	case "@":
		return zone, nil
	case ".":
		return ".", nil
	}
	var octets [maxName]byte
	full, ok := appendName(octets[:0], s, zone)
	if !ok {
		return "", explain(s, zone)
	}
	return Name(full), nil
}

// appendName appends the absolute, lower-case form of s to b. It returns false if s is no name.
func appendName(b []byte, s string, zone Name) ([]byte, bool) {
	label := 0 // octets of the current one
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '.' && label == 0:
			return nil, false
		case c == '.':
			label = -1
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case outsideName(rune(c)):
			return nil, false
		}
		if label++; label > maxLabel || i == maxName {
			return nil, false
		}
		b = append(b, c)
	}
	if label > 0 {
		b = append(b, '.')
		b = append(b, strings.TrimPrefix(string(zone), ".")...)
	}
	return b, len(s) > 0 && len(b) < maxName
}

// explain says why s is no name.
func explain(s string, zone Name) error {
	full := strings.ToLower(s)
	if !strings.HasSuffix(s, ".") {
		full += "." + strings.TrimPrefix(string(zone), ".")
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		if err := checkLabel(strings.ToLower(label), s); err != nil {
			return err
		}
	}
	return errorf("%q has %d octets: write a name of at most %d", full, len(full)+1, maxName)
}

func checkLabel(label, word string) error {
	switch {
	case label == "":
		return errorf("%q has an empty label: write one dot between labels", word)
	case strings.IndexFunc(label, func(r rune) bool { return r > '~' }) >= 0:
		if len(label) > maxName { // its A-label is no shorter, and takes the square of the time
			break
		}
		if a, err := idna.Lookup.ToASCII(label); err == nil {
			return errorf("%q is not ASCII: write the label %q as %q", word, label, a)
		}
	case strings.IndexFunc(label, outsideName) >= 0:
		return outside(word)
	case len(label) > maxLabel:
		return errorf("%q has a label of %d octets: write at most %d", word, len(label), maxLabel)
	default:
		return nil
	}
	return errorf("%q is not ASCII: write letters, digits and hyphens", word)
}

// outside says what to write instead of a word with characters that no name has.
func outside(word string) error {
	local, domain, isMail := strings.Cut(word, "@")
	switch {
	case strings.Contains(word, ","):
		return errorf("%q: write blanks, and no commas, between names", word)
	case isMail && strings.HasSuffix(local, ".") && domain == "":
		return errorf("%q: \"@\" is the zone only where it stands alone: write %q", word, strings.TrimSuffix(local, "."))
	case isMail && domain != "":
		return errorf("%q is the address of a person: write %q", word, domain)
	}
	return errorf("%q: write letters, digits and hyphens", word)
}

// outsideName reports characters that no name here has. "/" is in the zones of RFC 2317, "+" in services of RFC 3263
// (_sip+d2t), "*" in wildcards; that it is the whole first label, and of a kind that may have one, is for rules to say.
func outsideName(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_', r == '/', r == '+', r == '*':
		return false
	}
	return true
}

// Below reports whether n is zone or a name below it.
func (n Name) Below(zone Name) bool {
	if zone == "." || n == zone {
		return true
	}
	cut := len(n) - len(zone)
	return cut > 0 && n[cut-1] == '.' && n[cut:] == zone
}

// Parent returns the name without its first label; the parent of "." is ".".
func (n Name) Parent() Name {
	if _, parent, _ := strings.Cut(string(n), "."); parent != "" {
		return Name(parent)
	}
	return "."
}

// Wildcard returns the wildcard below n (RFC 4592 §2.1.1).
func (n Name) Wildcard() Name {
	if n == "." {
		return "*."
	}
	return "*." + n
}

// IsWildcard reports whether the first label is an asterisk.
func (n Name) IsWildcard() bool { return strings.HasPrefix(string(n), "*.") }

// Labels returns the labels from left to right; "." has none.
func (n Name) Labels() []string {
	if n == "." {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(n), "."), ".")
}

// Compare compares names in canonical order (RFC 4034 §6.1): label by label from
// the right, a name before those below it.
func (n Name) Compare(m Name) int {
	a, b := strings.TrimSuffix(string(n), "."), strings.TrimSuffix(string(m), ".")
	for a != "" && b != "" {
		i, j := strings.LastIndexByte(a, '.'), strings.LastIndexByte(b, '.')
		if c := strings.Compare(a[i+1:], b[j+1:]); c != 0 {
			return c
		}
		a, b = a[:max(i, 0)], b[:max(j, 0)]
	}
	return cmp.Compare(len(a), len(b))
}

// IsHost reports whether every label is letters, digits and inner hyphens, as
// host names and mail domains must be (RFC 1123 §2.1).
func (n Name) IsHost() bool { return n.IsHostWithUnderscores() && !strings.Contains(string(n), "_") }

// IsHostWithUnderscores is IsHost for names that have underscores besides, which DNS servers serve (RFC 2181 §11).
func (n Name) IsHostWithUnderscores() bool {
	before := byte('.')
	for i := range len(n) {
		c := n[i]
		if c == '/' || c == '+' || c == '*' || c == '-' && before == '.' || c == '.' && before == '-' {
			return false
		}
		before = c
	}
	return n != "."
}

// IsService reports whether a name is _service._proto and a domain (RFC 2782).
func (n Name) IsService() bool {
	labels := n.Labels()
	if len(labels) < 2 || strings.ContainsAny(string(n), "*/") {
		return false
	}
	for _, label := range labels[:2] {
		if len(label) < 2 || label[0] != '_' {
			return false
		}
	}
	return true
}

// IsPlain reports whether a name has only the characters of aliases: those of
// hosts, and underscores as in selector._domainkey.
func (n Name) IsPlain() bool { return n != "." && !strings.ContainsAny(string(n), "*/+") }

// Zones are the zones of a server block.
type Zones []Name

// Set returns the zones as a set, which finds the zone of a name faster.
func (z Zones) Set() ZoneSet {
	return ZoneSet(collect(slices.Values(z)))
}

// A ZoneSet finds the zone of a name.
type ZoneSet map[Name]bool

// Of returns the closest zone that n is below, or "". Other than a Name, n may have escapes, as in a question: a dot in
// a label is none between labels.
func (s ZoneSet) Of(n Name) Name {
	for above := n; ; above = above.Parent() {
		if s[above] && (above == "." || !endsInLabel(n[:len(n)-len(above)])) {
			return above
		}
		if above == "." {
			return ""
		}
	}
}

// endsInLabel reports whether the dot at the end of the first part of a name is escaped.
func endsInLabel(front Name) bool {
	label := strings.TrimSuffix(string(front), ".")
	backslashes := len(label) - len(strings.TrimRight(label, `\`))
	return backslashes%2 == 1
}
