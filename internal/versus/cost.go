package versus

import (
	"math"
	"runtime"
)

// Cost returns what one call of f allocates, after warm calls that are not
// counted. It is the least of several measurements, for a collection may run what
// other tests have left, and that allocates too.
func Cost(warm int, f func()) (bytes, allocs int) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for range warm {
		f()
	}
	bytes, allocs = math.MaxInt, math.MaxInt
	for range 3 {
		const n = 300
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			f()
		}
		runtime.ReadMemStats(&after)
		bytes = min(bytes, int(after.TotalAlloc-before.TotalAlloc)/n)
		allocs = min(allocs, int(after.Mallocs-before.Mallocs)/n)
	}
	return bytes, allocs
}
