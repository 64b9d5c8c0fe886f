//go:build race

package lock_test

// underRace is 1 under the race detector, else 0.
const underRace = 1
