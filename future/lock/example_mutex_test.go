package lock_test

import (
	"context"
	"fmt"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/clock/reactor"
	"github.com/deferred-go/deferred/future"
	"github.com/deferred-go/deferred/future/lock"
)

// The next in line has the lock when Release returns.
func ExampleMutex() {
	var m lock.Mutex
	first, _ := m.TryAcquire()
	second := m.Acquire()
	_, err := second.Result()
	fmt.Println(err)

	first.Release()
	lease, err := second.Result()
	fmt.Println("acquired:", err == nil)
	lease.Release()
	// Output:
	// future: pending
	// acquired: true
}

// Two transfers, of which each reads, waits and writes, one after the other.
func ExampleRun() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	var account lock.Mutex
	balance := 100
	withdraw := func(amount int) *future.Deferred[int] {
		return lock.Run(account.Acquire().On(r), func() *future.Deferred[int] {
			before := balance
			return future.Then(future.After(r, time.Second, amount), func(amount int) (int, error) {
				balance = before - amount
				return balance, nil
			})
		})
	}
	a, b := withdraw(30), withdraw(50)
	clk.Advance(time.Minute)
	fmt.Println(a, b)
	// Output:
	// Deferred[int](70) Deferred[int](20)
}

// A coroutine holds a lock as any function does.
func ExampleMutex_Acquire_await() {
	clk := clock.NewVirtual()
	r := reactor.New(clk)
	var m lock.Mutex
	enter := func(name string) {
		future.AsyncOn(context.Background(), r, func(ctx context.Context) (int, error) {
			lease, err := m.Acquire().Await(ctx)
			if err != nil {
				return 0, err
			}
			defer lease.Release()
			fmt.Println(name, "enters")
			defer fmt.Println(name, "leaves")
			return future.After(r, time.Second, 0).Await(ctx)
		})
	}
	enter("Ann")
	enter("Bob")
	clk.Advance(time.Minute)
	// Output:
	// Ann enters
	// Ann leaves
	// Bob enters
	// Bob leaves
}

// A wait that is bounded leaves the line when its time is up.
func ExampleMutex_Acquire_timeout() {
	clk := clock.NewVirtual()
	var m lock.Mutex
	m.TryAcquire() // by somebody who keeps it
	d := lock.Run(m.Acquire().Timeout(clk, time.Second), func() *future.Deferred[int] {
		return future.Succeed(1)
	})
	clk.Advance(time.Second)
	fmt.Println(d)
	// Output:
	// Deferred[int](failed: future: no outcome within 1s)
}
