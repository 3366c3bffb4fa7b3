package runner

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
)

// reportStore keeps reports outside of memory: compressed, one behind the other
// in a temporary file that has no name. Where no such file can be made, as in a
// container without a directory for temporary files, it keeps them in memory,
// compressed.
type reportStore struct {
	file *os.File
	none bool  // no file can be made
	end  int64 // of the file
}

// keep stores a report. What JSON does not hold, as of findings, stays in
// memory.
func (s *reportStore) keep(name string, r *Report) PortalReport {
	inMemory := PortalReport{Name: name, Report: r}
	if len(r.Findings) > 0 {
		return inMemory
	}
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // there is such a level
	if json.NewEncoder(z).Encode(r) != nil || z.Close() != nil {
		return inMemory
	}
	if !s.open() {
		content := bytes.Clone(b.Bytes())
		return PortalReport{Name: name, Stored: func() (*Report, error) { return readReport(bytes.NewReader(content)) }}
	}
	at, size := s.end, int64(b.Len())
	if _, err := s.file.WriteAt(b.Bytes(), at); err != nil { // the disk is full
		return inMemory
	}
	s.end += size
	file := s.file
	return PortalReport{Name: name, Stored: func() (*Report, error) { return readReport(io.NewSectionReader(file, at, size)) }}
}

// open makes the file, once.
func (s *reportStore) open() bool {
	if s.file != nil || s.none {
		return s.file != nil
	}
	f, err := os.CreateTemp("", "syncsources-*.reports")
	if err != nil {
		s.none = true
		return false
	}
	if os.Remove(f.Name()) == nil { // it lasts as long as it is open
		s.file = f
		return true
	}
	_ = f.Close() // a system that does not remove open files
	_ = os.Remove(f.Name())
	s.none = true
	return false
}

func (s *reportStore) close() {
	if s.file != nil {
		_ = s.file.Close()
	}
}

func readReport(from io.Reader) (*Report, error) {
	z, err := gzip.NewReader(from)
	if err != nil {
		return nil, err
	}
	r := new(Report)
	return r, json.NewDecoder(z).Decode(r)
}
