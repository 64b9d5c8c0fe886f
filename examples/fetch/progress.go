package main

import (
	"fmt"
	"io"
)

// A progress is a line on a terminal that says how far things are. Its methods
// are called by one goroutine at a time.
type progress struct {
	w             io.Writer // nil if it is no terminal
	total         int
	count, failed int
	width         int // of what stands there
}

func newProgress(w io.Writer, total int) *progress {
	p := &progress{total: total}
	if isTerminal(w) {
		p.w = w
		p.show()
	}
	return p
}

// done counts a result.
func (p *progress) done(res result) {
	p.count++
	if res.err != nil {
		p.failed++
	}
	p.show()
}

func (p *progress) show() {
	p.write(fmt.Sprintf("%d of %d done, %d failed", p.count, p.total, p.failed))
}

func (p *progress) clear() {
	p.write("")
}

// write overwrites the line with text.
func (p *progress) write(text string) {
	if p.w == nil {
		return
	}
	fmt.Fprintf(p.w, "\r%*s\r%s", p.width, "", text)
	p.width = len(text)
}
