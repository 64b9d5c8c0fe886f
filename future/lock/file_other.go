//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package lock

import (
	"errors"
	"io/fs"
)

type handle struct{}

func open(path string) (handle, error) {
	return handle{}, &fs.PathError{Op: "lock", Path: path, Err: errors.ErrUnsupported}
}

func (*handle) sign()   {}
func (*handle) unlock() {}
