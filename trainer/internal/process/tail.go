package process

import (
	"io"
	"os"
	"regexp"
	"strings"
)

// Tail reads the last lines of a log, at most n lines and 64 KiB, from an offset on, without control
// characters and without what progress bars overwrote with carriage returns.
func Tail(path string, begin int64, n int) (string, error) {
	const most = 64 << 10
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	from := max(begin, size-most)
	data, err := io.ReadAll(io.NewSectionReader(f, from, max(0, size-from)))
	if err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimRight(string(data), "\r\n"), "\n")
	if from > begin {
		lines = lines[1:] // begins in the middle
	}
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	for i, l := range lines {
		lines[i] = plain(l)
	}
	return strings.Join(lines, "\n"), nil
}

// escapes are terminal sequences: colours and cursor movements.
var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// plain is a line as a terminal would show it in the end.
func plain(line string) string {
	line = strings.TrimRight(line, "\r")
	line = escapes.ReplaceAllString(line, "")
	line = line[strings.LastIndexByte(line, '\r')+1:]
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(line, "?"))
}
