package timerq

import (
	"time"

	"github.com/deferred-go/deferred/internal/birth"
	"github.com/deferred-go/deferred/internal/seam"
)

// Timers describes those of items that are timers; their times count from epoch.
func Timers(items []Listed, epoch time.Time) (list []seam.Scheduled) {
	for _, it := range items {
		if t := it.Timer(); t != nil {
			list = append(list, seam.Scheduled{At: epoch.Add(time.Duration(it.When)), What: birth.Func(t.F), Birth: t.Group.Birth.String()})
		}
	}
	return list
}

// Posts names the others.
func Posts(items []Listed) (names []string) {
	for _, it := range items {
		if it.Timer() == nil {
			names = append(names, birth.Func(it.Task))
		}
	}
	return names
}
