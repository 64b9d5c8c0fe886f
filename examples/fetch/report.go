package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/deferred-go/deferred/future"
)

func (s summary) failed() int {
	n := 0
	for _, res := range s.results {
		if res.err != nil {
			n++
		}
	}
	return n
}

func (s summary) writeTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RESULT\tSIZE\tTRIES\tREQUESTS\tTIME\tURL")
	for _, res := range s.results {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%v\t%s\n",
			reason(res.err), res.size, res.tries, res.requests, res.time.Round(time.Millisecond), res.url)
	}
	failed := s.failed()
	fmt.Fprintf(t, "%d fetched, %d failed, in %v\n",
		len(s.results)-failed, failed, s.time.Round(time.Millisecond))
	return t.Flush()
}

// A row is a result in JSON.
type row struct {
	URL      string `json:"url"`
	OK       bool   `json:"ok"`
	Error    string `json:"error,omitempty"`
	Size     int64  `json:"size"`
	Tries    int    `json:"tries"`
	Requests int    `json:"requests"`
	Millis   int64  `json:"ms"`
}

func (s summary) writeJSON(w io.Writer) error {
	rows := make([]row, len(s.results))
	for i, res := range s.results {
		rows[i] = row{
			URL:      res.url,
			OK:       res.err == nil,
			Size:     res.size,
			Tries:    res.tries,
			Requests: res.requests,
			Millis:   res.time.Milliseconds(),
		}
		if res.err != nil {
			rows[i].Error = reason(res.err)
		}
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}

// reason says in a few words why something failed.
func reason(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, future.ErrCanceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	// If both requests of a try failed, the first one's error will do.
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}
