package definition

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Policy is an MTA-STS policy (RFC 8461 §3.2), which senders read at
// https://mta-sts.DOMAIN/.well-known/mta-sts.txt.
type Policy struct {
	Mode   string   // enforce, testing or none
	MaxAge uint32   // in seconds, at most a year
	MX     []string // host names in lower case, without final dots; the first label may be "*"
	ID     string   // of the file that it is read from: 20 digits of its hash; "" of one that could not be read
}

// The modes of policies.
const (
	Enforce = "enforce"
	Testing = "testing"
	NoMode  = "none"
)

const (
	// MaxPolicyAge is the longest time for which senders may keep a policy (RFC 8461 §3.2).
	MaxPolicyAge = 31557600

	policyIDSize = 20 // of at most 32 letters and digits
)

// NewPolicy returns a policy whose mx lines are the exchanges of one domain (see [Owner.Exchanges]), in their order. It
// has no ID.
func NewPolicy(mode string, maxAge uint32, exchanges []Exchange) *Policy {
	p := &Policy{Mode: mode, MaxAge: maxAge}
	seen := Names{}
	for _, e := range exchanges {
		if !seen[e.Host] {
			seen[e.Host] = true
			p.MX = append(p.MX, strings.TrimSuffix(string(e.Host), "."))
		}
	}
	return p
}

// Text returns the policy as the file of a web server.
func (p *Policy) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: STSv1\r\nmode: %s\r\n", p.Mode)
	for _, pattern := range p.MX {
		fmt.Fprintf(&b, "mx: %s\r\n", pattern)
	}
	fmt.Fprintf(&b, "max_age: %d\r\n", p.MaxAge)
	return b.String()
}

// Covers reports whether an exchange is one of the policy. "*" stands for the first label, and no more (RFC 8461 §4.1).
func (p *Policy) Covers(host Name) bool {
	name := strings.TrimSuffix(string(host), ".")
	_, parent, _ := strings.Cut(name, ".")
	for _, pattern := range p.MX {
		if above, isWildcard := strings.CutPrefix(pattern, "*."); pattern == name || isWildcard && above == parent {
			return true
		}
	}
	return false
}

// ParsePolicy reads the file of a policy. Its error says which line is wrong, and quotes nothing of it.
func ParsePolicy(text string) (*Policy, error) {
	sum := sha256.Sum256([]byte(text))
	p := &Policy{ID: hex.EncodeToString(sum[:])[:policyIDSize]}
	said := make(map[string]bool)
	number := 0
	if strings.HasPrefix(text, "\ufeff") {
		return nil, errors.New("line 1: a byte order mark, with which senders find no version: save it without one")
	}
	for line := range strings.SplitSeq(text, "\n") {
		number++
		if line = strings.TrimSuffix(line, "\r"); strings.Trim(line, " \t") == "" {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("line %d: no colon: write KEY: VALUE", number)
		}
		if key != "mx" && said[key] {
			continue // of a key that is repeated the first counts
		}
		said[key] = true
		if err := p.field(key, strings.Trim(value, " \t")); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	return p, p.complete(said)
}

// field reads a line of a policy. Unknown keys are for later versions.
func (p *Policy) field(key, value string) error {
	switch key {
	case "version":
		if value != "STSv1" {
			return errors.New("no such version: write version: STSv1")
		}
	case "mode":
		if value != Enforce && value != Testing && value != NoMode {
			return errors.New("no such mode: write mode: enforce, testing or none")
		}
		p.Mode = value
	case "max_age":
		seconds, err := strconv.ParseUint(value, 10, 32)
		if err != nil || seconds > MaxPolicyAge {
			return fmt.Errorf("no such time: write max_age: and seconds up to %d", MaxPolicyAge)
		}
		p.MaxAge = uint32(seconds)
	case "mx":
		name, err := ParseName(value, ".")
		if err != nil || !belowWildcard(name).IsHost() || strings.HasSuffix(value, ".") {
			return errors.New("no host: " +
				"write mx: and the name of one without a final dot, of which \"*\" may be the first label")
		}
		p.MX = append(p.MX, strings.TrimSuffix(string(name), "."))
	}
	return nil
}

func belowWildcard(name Name) Name {
	if name.IsWildcard() {
		return name.Parent()
	}
	return name
}

// complete reports what a policy lacks.
func (p *Policy) complete(said map[string]bool) error {
	for _, key := range []string{"version", "mode", "max_age", "mx"} {
		if !said[key] && (key != "mx" || p.Mode != NoMode) {
			return fmt.Errorf("it has no %s: write a line with one (RFC 8461 §3.2)", key)
		}
	}
	return nil
}

// mtaSTS reads: mta-sts FILE [HOST] or mta-sts id=ID [HOST] The record says which policy there is, and HOST has the web
// server with it.
func (p *policies) mtaSTS(s Statement) {
	id, isWritten := strings.CutPrefix(s.Words[1], "id=")
	switch {
	case isWritten && !IsPolicyID(id):
		p.errs.add(s.Pos, MTASTSPolicy, "id %q: write 1 to 32 letters and digits (RFC 8461 §3.1)", id)
		return
	case !isWritten:
		p.sts = &Policy{Mode: NoMode} // unless the file can be read
		if id = p.policyFile(s, s.Words[1]); id == "" {
			return
		}
	}
	p.text(s, "_mta-sts", "v=STSv1; id="+id)
	if len(s.Words) > 2 && p.isHost(s, s.Words[2]) {
		p.alias(s, "mta-sts", s.Words[2])
	}
}

// policyFile reads the file of a policy, and returns its id, "" if there is a mistake.
func (p *policies) policyFile(s Statement, name string) string {
	text, ok := p.file(s, name, MTASTSPolicy, "write mta-sts id=ID [HOST]")
	if !ok {
		return ""
	}
	policy, err := ParsePolicy(text)
	if err != nil {
		p.errs.add(s.Pos, MTASTSPolicy, "%q: %v", name, err)
		return ""
	}
	p.sts = policy
	return policy.ID
}

// IsPolicyID reports whether a text may be the id of a policy: 1 to 32 letters and digits (RFC 8461 §3.1).
func IsPolicyID(id string) bool {
	isOther := func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }
	return id != "" && len(id) <= 32 && !strings.ContainsFunc(id, isOther)
}
