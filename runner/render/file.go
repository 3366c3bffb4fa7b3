package render

import (
	"bufio"
	"io"
)

// CheckFile checks before a run whether WriteFile will know the format of path,
// and whether it could be written there now: a run should not fail at its
// report.
func CheckFile(path string) error {
	if _, err := ofFile(path); err != nil {
		return err
	}
	return checkPlace("report file", path)
}

// WriteFile writes the run to a file, in the format that the file's extension
// selects. The file appears, or is replaced, as a whole; of a failure an older
// one survives.
func WriteFile(path string, run Run, o Options) error {
	format, err := ofFile(path)
	if err != nil {
		return err
	}
	return ReplaceFile("report file", path, 0, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 64<<10)
		if err := format(b, run, o); err != nil {
			return err
		}
		return b.Flush()
	})
}
