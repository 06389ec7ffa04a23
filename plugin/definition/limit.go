package definition

const (
	mostRecords   = 100_000 // of a statement, or as many as it has words, times
	mostOfWritten = 64
)

// limits bound how many records statements declare. A statement declares the product of its names, zones and hosts: a
// few kilobytes may be thousands of millions. So they are counted from the words, before anything is made of them.
type limits struct {
	most     int     // records of all statements together; 0 for as many as there are
	declared float64 // by the statements so far
}

// LimitRecords sets how many records all statements of a text may declare together. Without it each statement may
// declare 100,000 records, or 64 for each of its words and of the zones if that is more.
func (r *Reader) LimitRecords(most int) { r.most = most }

// affordable reports whether a statement may declare a number of records of each of some names, and adds an error if
// not. A name without hosts has one record, as none is.
func (r *Reader) affordable(pos Pos, names []string, each int) bool {
	made := r.made(names)
	records, before := made*float64(max(each, 1)), r.declared
	r.declared += records
	if r.most > 0 {
		return r.affordableTogether(pos, before)
	}
	most := max(mostRecords, mostOfWritten*(len(names)+each+len(r.zones)))
	if records <= float64(most) {
		return true
	}
	r.errs.add(pos, ValueOutOfRange, "%.0f records of one statement, %.0f names with %d records each: "+
		"write at most %d, and the others in further statements", records, made, max(each, 1), most)
	return false
}

// made returns how many owners some names stand for. That may be more than an int holds.
func (r *Reader) made(names []string) (owners float64) {
	for _, name := range names {
		owners += float64(len(r.zonesOf(name)))
	}
	return owners
}

func (r *Reader) affordableTogether(pos Pos, before float64) bool {
	if most := float64(r.most); r.declared > most && before <= most { // once for a text
		r.errs.add(pos, ValueOutOfRange, "%.0f records in one fragment up to here: "+
			"write at most %d, and the others in further fragments", r.declared, r.most)
	}
	return r.declared <= float64(r.most)
}
