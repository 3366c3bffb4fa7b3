package manifest

import (
	"bytes"
	"io"
)

// lineReader hands out a line a call: when the decoder fails, the
// line handed out last is the one that it had reached, or the next.
//
// An empty comment goes before the data, since the library does not tell the
// line of an error in the first one. Its lines are one more than ours.
type lineReader struct {
	data  []byte
	next  int // offset of what is handed out next
	begun bool
}

// added is how many lines a lineReader adds.
const added = 1

func (r *lineReader) Read(p []byte) (int, error) {
	if !r.begun {
		r.begun = true
		return copy(p, "#\n"), nil
	}
	if r.next == len(r.data) {
		return 0, io.EOF
	}
	n := copy(p, r.data[r.next:])
	if end := bytes.IndexByte(p[:n], '\n'); end >= 0 {
		n = end + 1
	}
	r.next += n
	return n, nil
}

// line returns the number of the line handed out last, from 1.
func (r *lineReader) line() int {
	return (&text{data: r.data}).offset(max(0, r.next-1)).Line
}
