package corefile

import (
	"strings"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// Format returns the text of a Corefile with its mxsrv stanzas in canonical form, see [definition.Format]. Everything
// else stays as it is, octet for octet. Imports are not followed, and variables not replaced.
//
// If a brace or a quote is missing, or if CoreDNS would not take the lines of the canonical form as those that are
// there, Format returns the text as it is, and the mistakes.
func Format(path, text string) (string, definition.Errors) {
	pos := definition.Pos{Source: path, Line: 1}
	if errs := definition.EachStatement(pos, text, func(definition.Statement) {}); len(errs) > 0 {
		return text, errs
	}
	f := formatter{scanner: scanner{tokens: definition.Tokens(pos, text)}, text: text}
	for f.more() {
		f.serverBlock(f.format)
	}
	if len(f.errs) > 0 {
		return text, f.errs
	}
	return f.out.String() + text[f.done:], nil
}

// A formatter writes a Corefile up to a stanza, again and again.
type formatter struct {
	scanner
	text string
	out  strings.Builder
	done int // octets of the text
}

// format writes the text up to the end of a stanza. Only an indentation before the stanza is a part of it.
func (f *formatter) format(tokens []definition.Token, blocks int) {
	if f.check(tokens); len(f.errs) > 0 {
		return
	}
	start, end := tokens[0].Start, tokens[len(tokens)-1].End
	end += strings.IndexByte(f.text[end:]+"\n", '\n') // of the comment after it
	stanza := f.text[start:end]
	formatted, errs := definition.Format(tokens[0].Pos, stanza, blocks)
	f.errs = append(f.errs, errs...)
	formatted = strings.TrimSuffix(formatted, "\n")
	if strings.HasSuffix(stanza, "\r") {
		formatted = strings.ReplaceAll(formatted, "\n", "\r\n") + "\r"
	}
	before := f.text[f.done:start]
	if line := before[strings.LastIndexByte(before, '\n')+1:]; strings.TrimSpace(line) == "" {
		before = strings.TrimSuffix(before, line)
	} else {
		formatted = strings.TrimLeft(formatted, " ")
	}
	f.out.WriteString(before + formatted)
	f.done = end
}

// check reports words that are not at the start of a line to CoreDNS and would be in the canonical form, or the other
// way round. Within the block that matters to imports alone.
func (f *formatter) check(tokens []definition.Token) {
	depth := 0
	for i, t := range tokens {
		switch {
		case depth == 0 && i > 0 && tokens[i-1].Word == "}":
			f.errs.Add(t.Pos, definition.Syntax, ownLine, t.Word, tokens[i-1].Word)
		case t.Word == "{":
			depth++
		case t.Word == "}":
			depth--
		case t.Word == "import" && i > 0 && (t.StartsLine || isBrace(tokens[i-1])) && !isImport(tokens[i:]):
			f.errs.Add(t.Pos, definition.Syntax,
				"import: write it and its snippet or file on a line of their own, without a block")
		}
	}
}

// ownLine is the mistake that a word is on the line of another.
const ownLine = "%q: write it on a line of its own, after %q"

// isImport reports whether tokens start with an import that is a line.
func isImport(tokens []definition.Token) bool {
	return tokens[0].StartsLine && (len(tokens) < 3 || tokens[2].StartsLine && tokens[2].Word != "{")
}

func isBrace(t definition.Token) bool { return t.Word == "{" || t.Word == "}" }

// A scanner finds the mxsrv stanzas among the words of a Corefile, as the parser of CoreDNS does.
type scanner struct {
	tokens []definition.Token
	at     int
	errs   definition.Errors
}

func (s *scanner) more() bool { return s.at < len(s.tokens) }

// serverBlock reads a server block or a snippet, and calls found with each stanza and the number of blocks around it.
func (s *scanner) serverBlock(found func(stanza []definition.Token, blocks int)) {
	blocks := s.keys()
	for s.more() {
		switch s.tokens[s.at].Word {
		case "}":
			s.at++
			return
		case "import":
			s.at += 2
		default:
			if tokens := s.directive(); tokens[0].Word == "mxsrv" {
				found(tokens, blocks)
			}
		}
	}
}

// keys reads the keys of a server block, and returns the number of blocks around its directives: a Corefile with one
// server block needs no braces.
func (s *scanner) keys() int {
	for more := true; s.more(); {
		switch t := s.tokens[s.at]; {
		case t.Word == "{":
			s.at++
			return 1
		case t.StartsLine && !more:
			return 0
		case t.Word == "import" && t.StartsLine:
			s.at += 2
		default:
			more = strings.HasSuffix(t.Word, ",") // the next may be on another line
			s.at++
		}
	}
	return 0
}

// directive returns the words of a directive.
func (s *scanner) directive() []definition.Token {
	first, depth := s.at, 0
	for s.at++; s.more(); s.at++ {
		switch t := s.tokens[s.at]; {
		case t.Word == "{":
			depth++
		case depth == 0 && t.StartsLine:
			return s.tokens[first:s.at]
		case t.Word == "}" && depth == 0:
			s.errs.Add(t.Pos, definition.Syntax, ownLine, "}", s.tokens[s.at-1].Word)
			return s.tokens[first:s.at]
		case t.Word == "}":
			depth--
		}
	}
	return s.tokens[first:]
}
