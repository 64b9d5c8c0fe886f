package lock

import (
	"bytes"
	"os"
	"strconv"
)

// A file that is locked has the number of the holder's process in it, and a
// newline. That is its signature.
const maxSignature = len("18446744073709551615\n")

// signature returns the number in the file at path, or "".
func signature(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	var text [maxSignature + 1]byte
	n, _ := file.Read(text[:])
	return signedBy(text[:n])
}

// signedBy returns the number of which the text of a file consists, or "".
func signedBy(text []byte) string {
	number, ok := bytes.CutSuffix(text, []byte("\n"))
	if _, err := strconv.ParseUint(string(number), 10, 64); !ok || err != nil {
		return ""
	}
	return string(number)
}
