package definition

import "strings"

// spf reads: spf TERM... It is the SPF record of the name (RFC 7208 §3).
func (p *policies) spf(s Statement) {
	if strings.HasPrefix(strings.ToLower(s.Words[1]), "v=spf1") {
		p.errs.add(s.Pos, Syntax, "%q: write the terms alone, like spf mx -all", s.Words[1])
		return
	}
	p.text(s, "", "v=spf1 "+strings.Join(s.Words[1:], " "))
}
