package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/deferred-go/deferred/future"
)

// stations is what the weather stations would answer: degrees Celsius, as text.
var stations = map[string]string{"Oslo": "-5", "Rome": "20", "Paris": "mild"}

// fetch returns the text that a city's station answers after delay.
func fetch(ex future.Executor, delay time.Duration, city string) *future.Deferred[string] {
	answer := future.After(ex, delay, city)
	return future.Then(answer, func(city string) (string, error) {
		text, ok := stations[city]
		if !ok {
			return "", errors.New("there is no station")
		}
		return text, nil
	})
}

// report fetches, processes and words the weather of a city. Whichever step
// fails, the ones after it are skipped, and Catch words the failure.
func report(ex future.Executor, delay time.Duration, city string) *future.Deferred[string] {
	text := fetch(ex, delay, city)
	celsius := future.Then(text, strconv.Atoi)
	line := future.Then(celsius, func(c int) (string, error) {
		return fmt.Sprintf("%s: %d °C, %d °F", city, c, c*9/5+32), nil
	})
	return line.Catch(func(err error) (string, error) {
		return fmt.Sprintf("%s: no weather: %v", city, err), nil
	})
}

// display asks all stations at once and prints the reports, in order, when they
// are all there. It returns how many there are.
func display(w io.Writer, ex future.Executor, delay time.Duration) *future.Deferred[int] {
	var reports []*future.Deferred[string]
	for _, city := range []string{"Oslo", "Rome", "Paris", "Atlantis"} {
		reports = append(reports, report(ex, delay, city))
	}
	return future.Then(future.All(reports...), func(lines []string) (int, error) {
		for _, line := range lines {
			fmt.Fprintln(w, line)
		}
		return len(lines), nil
	})
}
