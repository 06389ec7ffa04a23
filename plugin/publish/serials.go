package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mxsrv/mxsrv/plugin/definition"
)

// keepSerials keeps the file of serials open while the publisher follows.
func (p *Publisher) keepSerials() {
	serials.serve(p.config.View, p.serials)
	if p.file != nil {
		report := func(err error) { p.logSerialsError(p.serialsError(err)) }
		if err := p.file.follow(report); err != nil {
			report(err)
		}
	}
}

// closeSerials ends that.
func (p *Publisher) closeSerials() {
	if p.file != nil {
		p.logSerialsError(p.serialsError(p.file.unfollow()))
	}
}

// noteSerials notes entries in the file of serials, if there is one.
func (p *Publisher) noteSerials(entries map[definition.Name]entry) error {
	if p.file == nil {
		return nil
	}
	return p.serialsError(p.file.note(entries))
}

// serialsError returns an error of the file of serials with where the file is named, and
// what to write there unless the mistake is in the file. It is nil if err is.
func (p *Publisher) serialsError(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch pos := p.config.SerialsPos; {
	case err == nil:
		return nil
	case errors.As(err, &path) || errors.As(err, &link):
		return fmt.Errorf("%v: serials: %w: write the path of a file in a directory that CoreDNS may write to", pos, err)
	default:
		return fmt.Errorf("%v: serials: %w", pos, err)
	}
}
