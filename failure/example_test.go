package failure_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"reflect"
	"runtime"
	"strings"

	"github.com/deferred-go/deferred/failure"
)

// try calls f. If f panics, that is the error it returns.
func try(f func()) (err error) {
	returned := false
	defer func() {
		if !returned {
			err = failure.New(recover())
		}
	}()
	f()
	returned = true
	return nil
}

func parse(string) (int, error) { return 0, fs.ErrInvalid }

func ExampleNew() {
	fmt.Println(try(func() {}))
	fmt.Println(try(func() { panic("boom") }))
	// Output:
	// <nil>
	// panic: boom
}

// A function that calls runtime.Goexit, as t.FailNow does, ends its goroutine;
// the failure is all that others see of it.
func ExampleNew_goexit() {
	failed := make(chan error)
	go func() {
		defer func() { failed <- failure.New(recover()) }()
		runtime.Goexit()
	}()
	fmt.Println(<-failed)
	// Output: runtime.Goexit called
}

// Only the text is the same everywhere, the frames are those of the place.
func ExampleFailure_frames() {
	err := fmt.Errorf("in the cart: %w", try(func() { panic("no room") }))
	var broken *failure.Failure
	if errors.As(err, &broken) {
		fmt.Printf("%+v\n", broken)
	}
}

func ExampleErrPanic() {
	err := try(func() { panic(fs.ErrNotExist) })
	fmt.Println(errors.Is(err, failure.ErrPanic), errors.Is(err, fs.ErrNotExist))
	// Output: true true
}

func ExampleErrGoexit() {
	failed := make(chan error)
	go func() {
		defer func() { failed <- failure.New(recover()) }()
		runtime.Goexit()
	}()
	err := <-failed
	fmt.Println(errors.Is(err, failure.ErrGoexit), errors.Is(err, failure.ErrPanic))
	// Output: true false
}

// What a handler of certain errors asks is errors.Is, and errors.AsType for the
// error itself: they look into Failures, also below wraps and joined errors.
// What it does not know it returns as it is.
func Example_handlers() {
	handle := func(err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Println("not there: made anew")
			return nil
		}
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			fmt.Println("trouble with", path.Path)
			return nil
		}
		return err
	}
	refused := &fs.PathError{Op: "open", Path: "/etc/shadow", Err: fs.ErrPermission}
	fmt.Println(handle(try(func() { panic(fs.ErrNotExist) })))
	fmt.Println(handle(fmt.Errorf("setup: %w", failure.At(errors.Join(errors.New("late"), refused)))))
	fmt.Printf("%s\n", handle(try(func() { panic("boom") })))
	// Output:
	// not there: made anew
	// <nil>
	// trouble with /etc/shadow
	// <nil>
	// panic: boom
}

func ExampleAt() {
	_, err := parse("x")
	f := failure.At(err, reflect.ValueOf(parse).Pointer())
	fmt.Println(f)
	fmt.Println(f.Frames()[0].Function)
	// Output:
	// invalid argument
	// github.com/deferred-go/deferred/failure_test.parse
}

func ExampleFailure() {
	err := fmt.Errorf("loading: %w", try(func() { panic("boom") }))
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		fmt.Println(f)
		fmt.Println(f.Frames()[0].Function)
	}
	// Output:
	// panic: boom
	// github.com/deferred-go/deferred/failure_test.ExampleFailure.func1
}

func ExampleFailure_Error() {
	fmt.Println(try(func() { panic("boom") }).Error())
	fmt.Println(failure.At(fs.ErrNotExist).Error())
	// Output:
	// panic: boom
	// file does not exist
}

func ExampleFailure_Unwrap() {
	for _, err := range failure.New(fs.ErrNotExist).Unwrap() {
		fmt.Println(err)
	}
	// Output:
	// failure: panic
	// file does not exist
}

// Joined errors, and Failures inside of errors, are numbered causes.
func ExampleFailure_Format() {
	refused := failure.At(errors.New("refused")).Note("made in the example")
	f := failure.At(errors.Join(refused, errors.New("too late")))
	fmt.Printf("brief: %s\n\ndefault: %v\n\ndetailed: %+v\n", f, f, f)
	// Output:
	// brief: refused; too late
	//
	// default: refused
	// too late
	//
	// detailed: refused
	//   too late
	// cause 1: refused
	// 	made in the example
	// cause 2: too late
}

func ExampleFailure_Frames() {
	err := try(func() { panic("boom") })
	f, _ := errors.AsType[*failure.Failure](err)
	for _, frame := range f.Frames()[:2] {
		fmt.Println(frame.Function[strings.LastIndexByte(frame.Function, '/')+1:])
	}
	// Output:
	// failure_test.ExampleFailure_Frames.func1
	// failure_test.try
}

func ExampleFailure_LogValue() {
	noTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: noTime}))
	log.Error("job failed", "err", failure.At(fs.ErrNotExist).Note("job 7"))
	// Output:
	// level=ERROR msg="job failed" err.error="file does not exist" err.kind=error err.notes="[job 7]"
}

func ExampleFailure_Note() {
	fmt.Printf("%+v\n", failure.At(fs.ErrNotExist).Note("made at main.go:12"))
	// Output:
	// file does not exist
	// 	made at main.go:12
}
