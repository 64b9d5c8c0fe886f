// Package versus measures two things against one another in one run, for
// benchmarks on machines whose speed changes from second to second: a time
// there says little, but a ratio holds. And it counts what something allocates.
package versus

import (
	"slices"
	"time"

	"github.com/deferred-go/deferred/clock"
)

// A B is a *testing.B.
type B interface {
	Helper()
	ReportMetric(n float64, unit string)
}

// rounds is how often each side has its turn.
const rounds = 40

// Compare calls ours and peer in turn, some dozen times each, with a number of
// operations to do; n is how many each does in all, give it b.N. It reports the
// time of one operation of ours as ns/op, that of one of peer's as peer-ns/op,
// both the median of all rounds, and as ratio the median of what ours took in
// one round divided by what peer took in the same.
func Compare(b B, n int, ours, peer func(n int)) {
	b.Helper()
	each := max(1, n/rounds)
	var mine, theirs, ratios []float64
	for done := 0; done < n; done += each {
		m, t := perOp(ours, each), perOp(peer, each)
		mine, theirs = append(mine, m), append(theirs, t)
		ratios = append(ratios, m/max(t, 1e-3))
	}
	b.ReportMetric(median(mine), "ns/op")
	b.ReportMetric(median(theirs), "peer-ns/op")
	b.ReportMetric(median(ratios), "ratio")
}

func perOp(f func(n int), n int) float64 {
	start := clock.System().Now()
	f(n)
	return float64(clock.System().Now().Sub(start)/time.Nanosecond) / float64(n)
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}
