package dataset

import (
	"bytes"
	"errors"
	"os"
)

// byteOrderMark is what some editors put before a text.
const byteOrderMark = "\xef\xbb\xbf"

var errUTF16 = errors.New("the text is UTF-16: save it as UTF-8")

// readText reads a text file without its byte order mark.
func readText(file string) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return nil, errUTF16
	}
	return bytes.TrimPrefix(b, []byte(byteOrderMark)), nil
}
