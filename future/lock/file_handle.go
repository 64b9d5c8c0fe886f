//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows

package lock

import (
	"os"
	"syscall"
)

// A handle is a file that is locked. It is the bare descriptor and not an
// *os.File, for that would be closed, and the lock lost, when a garbage
// collection finds that a program which holds the lock to its end keeps nothing
// of it.
type handle struct{ fd descriptor }

// open locks the file at path, which it makes if it is not there. The error is
// ErrLocked if somebody else has it, or an *fs.PathError.
func open(path string) (handle, error) {
	fd, err := openLocked(path)
	return handle{fd: fd}, err
}

// sign writes who has the lock into the file, if that is empty or says so of
// another process. The lock does not depend on it, so it is no error if there is no
// room.
func (h *handle) sign() {
	if text := h.read(); text == "" || signedBy([]byte(text)) != "" {
		h.write(signatureOf(os.Getpid()))
	}
}

// read returns the beginning of the content, enough to know a signature by.
func (h *handle) read() string {
	var text [maxSignature + 1]byte
	if _, err := syscall.Seek(h.fd, 0, 0); err != nil {
		return "unknown"
	}
	n, err := syscall.Read(h.fd, text[:])
	if err != nil {
		return "unknown"
	}
	return string(text[:n])
}

// write replaces the content.
func (h *handle) write(text string) {
	if syscall.Ftruncate(h.fd, 0) != nil || text == "" {
		return
	}
	if _, err := syscall.Seek(h.fd, 0, 0); err == nil {
		syscall.Write(h.fd, []byte(text))
	}
}

// unlock takes the signature away, if it is still all that the file has.
func (h *handle) unlock() {
	if h.read() == signatureOf(os.Getpid()) {
		h.write("")
	}
	unlock(h.fd)
}
