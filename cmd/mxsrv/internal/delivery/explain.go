package delivery

import (
	"fmt"
	"strings"
)

// String returns the result in a few words, like "delivered to mx1.example.com".
func (p *Plan) String() string {
	switch p.Result {
	case Delivered:
		return "delivered to " + join(names(p.To), "or")
	case Waits:
		return "waits in the queue of the sender"
	case Bounces:
		return "bounces, " + p.Code
	}
	return "unknown"
}

func (p *planner) wait(format string, args ...any) {
	p.Result, p.Explanation = Waits, fmt.Sprintf(format, args...)
}

// bounce sets the result of mail that has nowhere to go, with its enhanced status code (RFC 3463 §3).
func (p *planner) bounce(code, format string, args ...any) {
	p.Result, p.Code, p.Explanation = Bounces, code, fmt.Sprintf(format, args...)
}

// deliver sets the exchanges of which one takes the mail.
func (p *planner) deliver(to []Exchange) {
	p.Result, p.To = Delivered, to
	var down []string
	for _, e := range p.Attempts {
		if e.Down && e.Preference <= to[0].Preference {
			down = append(down, e.Name)
		}
	}
	switch {
	case p.Implicit:
		p.Explanation = fmt.Sprintf("%s has no MX records, so its own address takes the mail (RFC 5321 §5.1)", to[0].Name)
	case len(to) == 1:
		p.Explanation = fmt.Sprintf("%s has the lowest preference, %d", to[0].Name, to[0].Preference)
	default:
		p.Explanation = fmt.Sprintf("%s have the lowest preference, %d, and are tried in random order", join(names(to), "and"), to[0].Preference)
	}
	if len(down) > 0 {
		p.Explanation = fmt.Sprintf("%s down; of what is left, %s", isOrAre(down), p.Explanation)
	}
}

// allDown explains that all exchanges that may be tried are down.
func (p *planner) allDown(self *Exchange) string {
	text := isOrAre(names(p.Attempts)) + " down"
	if self != nil {
		text += fmt.Sprintf(", and the sender, an exchange of preference %d itself, may try only lower ones", self.Preference)
	}
	return text
}

// bounceSelf sets the result if the sender is the best exchange itself: "the message MUST be returned as undeliverable"
// (RFC 5321 §5.1).
func (p *planner) bounceSelf(self *Exchange) {
	p.bounce("5.4.6", "the sender is the best exchange of %s itself, and only it is left: "+
		"a configuration error, unless %s delivers mail for %s to its mailboxes (RFC 5321 §5.1)", p.Domain, self.Name, p.Domain)
}

func names(exchanges []Exchange) []string {
	var names []string
	for _, e := range exchanges {
		names = append(names, e.Name)
	}
	return names
}

func isOrAre(words []string) string {
	if len(words) == 1 {
		return words[0] + " is"
	}
	return join(words, "and") + " are"
}

// join returns words like "a, b and c".
func join(words []string, last string) string {
	n := len(words) - 1
	if n < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}
