//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows

package lock

import (
	"os"
	"strconv"
	"syscall"
)

// A handle is a file that is locked. It is the bare descriptor and not an
// *os.File, for that would be closed, and the lock lost, when a garbage
// collection finds that a program which holds the lock to its end keeps nothing
// of it.
type handle struct {
	fd     descriptor
	signed bool
}

// open locks the file at path, which it makes if it is not there. The error is
// ErrLocked if somebody else has it, or an *fs.PathError.
func open(path string) (handle, error) {
	fd, err := openLocked(path)
	return handle{fd: fd}, err
}

// sign writes the number of this process into the file, if that is empty or has
// another one. The lock does not depend on it, so it is no error if there is no
// room.
func (h *handle) sign() {
	var old [maxSignature + 1]byte
	n, err := syscall.Read(h.fd, old[:])
	if err != nil || n > 0 && signedBy(old[:n]) == "" {
		return
	}
	h.signed = true
	h.write(strconv.Itoa(os.Getpid()) + "\n")
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

func (h *handle) unlock() {
	if h.signed {
		h.write("")
	}
	unlock(h.fd)
}
