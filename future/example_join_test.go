package future_test

import (
	"context"
	"fmt"

	"github.com/deferred-go/deferred/future"
)

type user struct{ name string }

type order struct{ item string }

type page struct {
	title string
	items int
}

func getUser(context.Context) (user, error) { return user{"Ann"}, nil }

func getOrders(context.Context) ([]order, error) { return []order{{"tea"}, {"milk"}}, nil }

func newPage(u user, orders []order) (page, error) {
	return page{"Orders of " + u.name, len(orders)}, nil
}

// Typed fan-in of different results, without a reactor.
func ExampleJoin2() {
	ctx := context.Background()
	user := future.Go(ctx, getUser)
	orders := future.Go(ctx, getOrders)
	page, err := future.Join2(user, orders, newPage).Await(ctx)
	fmt.Println(page.title, page.items, err)
	// Output: Orders of Ann 2 <nil>
}

func ExampleJoin3() {
	volume := future.Join3(future.Succeed(2), future.Succeed(3), future.Succeed(1.5),
		func(width, height int, depth float64) (float64, error) {
			return float64(width) * float64(height) * depth, nil
		})
	fmt.Println(volume.Result())
	// Output: 9 <nil>
}
