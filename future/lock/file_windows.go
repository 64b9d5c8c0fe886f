package lock

import (
	"io/fs"
	"syscall"
)

type descriptor = syscall.Handle

const errSharingViolation = syscall.Errno(32)

// openLocked opens the file at path for writing and lets others only read it
// meanwhile. While it is open it can neither be deleted nor replaced.
func openLocked(path string) (syscall.Handle, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return syscall.InvalidHandle, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, syscall.FILE_SHARE_READ,
		nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	switch {
	case err == nil:
		return h, nil
	case err == errSharingViolation:
		return h, ErrLocked
	case err == syscall.ERROR_ACCESS_DENIED && isFolder(name):
		err = syscall.EISDIR
	}
	return h, &fs.PathError{Op: "open", Path: path, Err: err}
}

func isFolder(name *uint16) bool {
	attrs, err := syscall.GetFileAttributes(name)
	return err == nil && attrs&syscall.FILE_ATTRIBUTE_DIRECTORY != 0
}

func unlock(h syscall.Handle) { syscall.CloseHandle(h) }
