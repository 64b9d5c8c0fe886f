package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/deferred-go/deferred/future"
)

// A get asks for a URL once. An error means that there was no answer.
type get func(ctx context.Context, url string) (answer, error)

type answer struct {
	status int
	size   int64 // of what was read
}

// A fetcher fetches URLs. It takes the time from where it runs: a reactor on
// the system clock in the program, one on a virtual clock in the tests.
type fetcher struct {
	on   future.Executor
	get  get
	done func(result) // is called for each URL when it is through
	limits
}

// A result is what became of a URL.
type result struct {
	url      string
	size     int64
	tries    int
	requests int // more than tries if an answer was slow
	time     time.Duration
	err      error
}

// A summary is what became of all of them, in the order in which they were
// given.
type summary struct {
	results []result
	time    time.Duration
	stopped error // why it was not brought to its end
}

var (
	errNotTried = errors.New("not tried")
	errTooLarge = errors.New("answer too large")
)

// A statusError is an answer other than 200.
type statusError int

func (s statusError) Error() string {
	return fmt.Sprintf("%d %s", int(s), http.StatusText(int(s)))
}

// fetchAll fetches urls. It does not fail: what could not be fetched, or not
// any more before the deadline or a Cancel, has an error in its result.
func (f *fetcher) fetchAll(urls []string) *future.Deferred[summary] {
	start := f.on.Now()
	sum := summary{results: make([]result, len(urls))}
	todo := make([]*result, len(urls))
	for i, url := range urls {
		todo[i] = &sum.results[i]
		*todo[i] = result{url: url, err: errNotTried}
	}
	// One timeout at the root is enough: it cancels all that is under way, down
	// to the single request.
	all := future.MapN(f.parallel, todo, f.fetch).Timeout(f.on, f.deadline)
	return future.Handle(all, func(_ []*result, err error) (summary, error) {
		sum.stopped = err
		// If the last ones were under way, they have all come to an end, and
		// nothing but they knows that it was not their own.
		for _, res := range sum.results {
			if errors.Is(res.err, future.ErrCanceled) {
				sum.stopped = res.err
			}
		}
		sum.time = f.on.Now().Sub(start)
		return sum, nil
	})
}

// fetch fetches res.url and notes in res how that went. The context is that of
// the coroutine: it ends when the coroutine is canceled. Await would then just
// give up the wait; WithContext ends what is waited for, too, also if the cancel
// came before there was anything to wait for.
func (f *fetcher) fetch(res *result) *future.Deferred[*result] {
	return future.AsyncOn(context.Background(), f.on, func(ctx context.Context) (*result, error) {
		start := f.on.Now()
		for pause := f.pause; ; pause *= 2 {
			res.tries++
			res.size, res.err = f.try(ctx, res).WithContext(ctx).Await(ctx)
			if res.tries == f.tries || !worthAnother(res.err) {
				break
			}
			_, err := future.After(f.on, pause, struct{}{}).WithContext(ctx).Await(ctx)
			if err != nil {
				res.err = err
				break
			}
		}
		res.time = f.on.Now().Sub(start)
		f.done(*res)
		return res, nil
	})
}

// try asks within the timeout and looks at the answer.
func (f *fetcher) try(ctx context.Context, res *result) *future.Deferred[int64] {
	in := f.hedged(ctx, res).Timeout(f.on, f.timeout)
	return future.Then(in, func(a answer) (int64, error) {
		switch {
		case a.status != http.StatusOK:
			return 0, statusError(a.status)
		case a.size > f.maxBytes:
			return 0, errTooLarge
		}
		return a.size, nil
	})
}

// hedged asks, asks once more if there is no answer for a while, and takes the
// answer that comes first. The other request is canceled.
func (f *fetcher) hedged(ctx context.Context, res *result) *future.Deferred[answer] {
	ask := func(url string) *future.Deferred[answer] {
		res.requests++
		return future.GoOn(ctx, f.on, func(ctx context.Context) (answer, error) {
			return f.get(ctx, url)
		})
	}
	late := future.After(f.on, f.hedge, res.url)
	return future.Any(ask(res.url), future.ThenFlat(late, ask))
}

// worthAnother reports whether another try may end better.
func worthAnother(err error) bool {
	var status statusError
	switch {
	case err == nil, errors.Is(err, future.ErrCanceled), errors.Is(err, errTooLarge):
		return false
	case errors.As(err, &status):
		return status >= 500 || status == http.StatusTooManyRequests
	}
	return true
}
