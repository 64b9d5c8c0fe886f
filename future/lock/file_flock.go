//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package lock

import (
	"errors"
	"io/fs"
	"syscall"
)

type descriptor = int

var (
	errIrregular = errors.New("is no regular file")
	errReplaced  = errors.New("is replaced whenever it is locked")
)

// openLocked opens and locks the file at path. If that was deleted or replaced
// before it was locked, the lock is worth nothing, and it tries with the new
// one.
func openLocked(path string) (int, error) {
	for range 10 {
		fd, err := openFile(path)
		if err != nil {
			return -1, &fs.PathError{Op: "open", Path: path, Err: err}
		}
		err = flock(fd)
		current := false
		if err == nil {
			current, err = isAt(fd, path)
		}
		switch {
		case current:
			return fd, nil
		case err == syscall.EWOULDBLOCK:
			err = ErrLocked
		case err != nil:
			err = &fs.PathError{Op: "lock", Path: path, Err: err}
		}
		unlock(fd)
		if err != nil {
			return -1, err
		}
	}
	return -1, &fs.PathError{Op: "lock", Path: path, Err: errReplaced}
}

// openFile opens the file at path, without waiting where that is a device or a
// pipe.
func openFile(path string) (fd int, err error) {
	err = retry(func() (err error) {
		fd, err = syscall.Open(path, syscall.O_RDWR|syscall.O_CREAT|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0o666)
		return err
	})
	return fd, err
}

func flock(fd int) error {
	return retry(func() error { return syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB) })
}

// isAt reports whether fd is the file at path. It must be a regular one.
func isAt(fd int, path string) (bool, error) {
	var locked, there syscall.Stat_t
	if err := retry(func() error { return syscall.Fstat(fd, &locked) }); err != nil {
		return false, err
	}
	if locked.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return false, errIrregular
	}
	err := retry(func() error { return syscall.Stat(path, &there) })
	if err == syscall.ENOENT {
		return false, nil
	}
	return locked.Dev == there.Dev && locked.Ino == there.Ino, err
}

// unlock closes fd. It unlocks it first, because a process that is being
// started has a copy of the descriptor until it runs its program.
func unlock(fd int) {
	retry(func() error { return syscall.Flock(fd, syscall.LOCK_UN) })
	syscall.Close(fd)
}

// retry calls f until no signal interrupts it.
func retry(f func() error) error {
	for {
		if err := f(); err != syscall.EINTR {
			return err
		}
	}
}
