package future_test

import (
	"fmt"

	"github.com/deferred-go/deferred/future"
)

// One operation needs the result of another: the callback returns the second.
func ExampleThenFlat() {
	login, loggedIn := future.New[string]()
	mail, mailRead := future.New[int]()
	unread := func(user string) *future.Deferred[int] {
		fmt.Println("asking for the mail of", user)
		return mail
	}

	count := future.ThenFlat(login, unread)
	loggedIn.Succeed("ann")
	fmt.Println(count)
	mailRead.Succeed(3)
	fmt.Println(count)
	// Output:
	// asking for the mail of ann
	// Deferred[int](pending)
	// Deferred[int](3)
}
