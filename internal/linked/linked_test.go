package linked_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/deferred-go/deferred/internal/linked"
)

// Two lists do what two slices do.
func TestListIsLikeASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var lists [2]linked.List[int]
		var model [2][]int
		var elements []*linked.Element[int]
		for range rapid.IntRange(1, 60).Draw(t, "ops") {
			k := rapid.IntRange(0, 1).Draw(t, "list")
			switch rapid.IntRange(0, 2).Draw(t, "op") {
			case 0:
				e := &linked.Element[int]{Value: len(elements)}
				elements = append(elements, e)
				lists[k].Add(e)
				model[k] = append(model[k], e.Value)
			case 1:
				if len(elements) == 0 {
					continue
				}
				e := elements[rapid.IntRange(0, len(elements)-1).Draw(t, "element")]
				i := slices.Index(model[k], e.Value)
				if was := lists[k].Remove(e); was != (i >= 0) {
					t.Fatalf("Remove is %v", was)
				}
				if i >= 0 {
					model[k] = slices.Delete(model[k], i, i+1)
				}
			case 2:
				e := lists[k].TakeFirst()
				if (e == nil) != (len(model[k]) == 0) || e != nil && e.Value != model[k][0] {
					t.Fatalf("took %v of %v", e, model[k])
				}
				model[k] = slices.Delete(model[k], 0, min(1, len(model[k])))
			}
		}
		for k := range lists {
			var all []int
			for e := lists[k].First(); e != nil; e = e.Next() {
				all = append(all, e.Value)
			}
			if !slices.Equal(all, model[k]) {
				t.Fatalf("list %v, want %v", all, model[k])
			}
		}
	})
}
