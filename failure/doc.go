// Package failure carries what went wrong together with where: a recovered
// panic with its stack, a [runtime.Goexit], or an error with the callbacks that
// it passed through. It imports the standard library only, and works without
// the rest of this module.
//
// # Making one
//
// [New] belongs in a deferred function that knows whether all went well:
//
//	func try(f func()) (err error) {
//		returned := false
//		defer func() {
//			if !returned {
//				err = failure.New(recover())
//			}
//		}()
//		f()
//		returned = true
//		return nil
//	}
//
// The variable tells a function that returned from one that called Goexit:
// recover returns nil for both. (After a Goexit the goroutine still ends, so
// err must go to somebody else, through a channel or a Deferred.)
//
// [At] adds places to an error. Package future makes its reports of it: the
// error of a callback stays as it is on its way through Catch and Await, and
// the sites come on top where a report is written. [Failure.Note] adds a line
// of text, such as where a Deferred was made.
//
// # Reading one
//
// A Failure is an error. errors.Is(err, [ErrPanic]) and errors.Is(err,
// [ErrGoexit]) ask what happened; errors.Is and errors.As also reach the panic
// value, if that is an error, and all that it wraps:
//
//	var broken *failure.Failure
//	if errors.As(err, &broken) {
//		fmt.Printf("%+v\n", broken)
//	}
//
// There is a brief text on one line, %s; the default one, %v, which is what the
// Error method returns and may have several lines; and the detailed one, %+v,
// which adds the frames, one a line, the innermost first:
//
//	panic: assignment to entry in nil map
//		at shop/cart.(*Cart).Add cart.go:41
//		at shop/cart.checkout checkout.go:17
//	callbacks:
//		at shop/cart.checkout checkout.go:12
//		at shop/cart.reply http.go:88
//		made at http.go:80
//
// The frames of a panic start where it was raised. "callbacks" are the sites:
// where each function is defined, not where it was attached. Errors that were
// joined, Failures inside of errors, and wrapped errors of which the text above
// says nothing, follow as numbered causes: 2.1 is the first cause of cause 2.
// [Failure.Frames] returns the frames as data, [Failure.LogValue] all of it.
//
// # Logging one
//
// A Failure is a [slog.LogValuer]. slog.Any("err", err) logs a group of its
// text, its kind, its frames as a list of strings, and its causes as groups of
// the same form. For a line of a log without structure there is %s.
//
// # What it costs, and what it keeps
//
// New takes between half a microsecond and three, with the depth of the stack;
// At takes about 0.1 and the Error method of its error. Names, files and lines are
// looked up only by %+v, LogValue and Frames, about a microsecond a frame. A
// Failure keeps up to 64 program counters, its text, and the panic value or
// the error itself: whoever keeps a Failure keeps what these refer to. It keeps
// no argument and no variable of the functions on the stack. Who collects
// failures for long, and does not want to keep their errors, keeps a text, or
// what [Failure.LogValue] returns: these refer to nothing.
//
// # Hostile values
//
// Formatting never panics. The text of a value is taken once, by New or At; an
// Error, String or Format method that panics then, or has a nil receiver, is
// described instead. Values that contain themselves, or are very large, are
// printed in part; long texts are cut at 8 KiB. An Unwrap method that
// panics or never ends, and an Error method that formats the Failure which is
// just being formatted, are cut short. What cannot be helped: a method that
// itself never returns, or calls runtime.Goexit.
package failure
