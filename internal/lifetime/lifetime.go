// Package lifetime has the contexts that the library makes: for coroutines,
// workers and goroutines of package future, and for deadlines on a clock.
//
// A Context differs from one of package context in that its end takes effect
// within the call that ends it: the functions given to AfterFunc have run, and
// all contexts of package context below it have ended, when End returns. No
// goroutine is involved.
package lifetime
