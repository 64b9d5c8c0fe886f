package lock

import (
	"bytes"
	"os"
	"strconv"
)

// A file that is locked has a line in it that tells who has it: its signature. It
// is not to be taken for what somebody else has written.
const (
	signatureBegins = "locked by process "
	maxSignature    = len(signatureBegins + "18446744073709551615\n")
)

// signatureOf is the signature of a process.
func signatureOf(pid int) string { return signatureBegins + strconv.Itoa(pid) + "\n" }

// signature returns the number of the process that has signed the file at path, or
// "".
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

// signedBy returns the number of the process whose signature the text of a file
// is, or "".
func signedBy(text []byte) string {
	number, begins := bytes.CutPrefix(text, []byte(signatureBegins))
	number, ends := bytes.CutSuffix(number, []byte("\n"))
	if _, err := strconv.ParseUint(string(number), 10, 64); !begins || !ends || err != nil {
		return ""
	}
	return string(number)
}
