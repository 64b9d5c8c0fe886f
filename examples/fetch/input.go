package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

// urls returns the URLs that the user gave, or none.
func (p *program) urls(ctx context.Context, o options) ([]string, error) {
	for _, u := range o.urls {
		if err := checkURL(u); err != nil {
			return nil, err
		}
	}
	switch {
	case o.file == "-":
		return p.more(ctx, o.urls, p.stdin, "standard input")
	case o.file != "":
		f, err := os.Open(o.file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return p.more(ctx, o.urls, f, o.file)
	case len(o.urls) > 0:
		return o.urls, nil
	}
	return p.fromStdin(ctx)
}

// more adds the URLs that in holds; for naming them must not come to nothing.
func (p *program) more(ctx context.Context, urls []string, in io.Reader, name string) ([]string, error) {
	read, err := readLater(ctx, in, name).Await(ctx)
	urls = append(urls, read...)
	if err == nil && len(urls) == 0 {
		err = fmt.Errorf("%s holds no URL", name)
	}
	return urls, err
}

// patience is for how long standard input may say nothing.
const patience = time.Second

// fromStdin returns the URLs on standard input, if somebody feeds it. Many a
// program is started with a pipe there that nobody writes to or closes, for
// example by a CI system, so it is not enough to look whether it is a terminal.
func (p *program) fromStdin(ctx context.Context) ([]string, error) {
	if isTerminal(p.stdin) {
		return nil, nil
	}
	in := bufio.NewReader(p.stdin)
	peek := func(context.Context) ([]byte, error) { return in.Peek(1) }
	_, err := future.Go(ctx, peek).Timeout(clock.System(), patience).Await(ctx)
	switch {
	case err == nil:
		return readLater(ctx, in, "standard input").Await(ctx)
	case errors.Is(err, io.EOF):
		return nil, nil
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Fprintf(p.stderr, "fetch: nothing on standard input for %v, going on without (-f - waits for it)\n", patience)
		return nil, nil
	}
	return nil, fmt.Errorf("standard input: %w", err)
}

// readLater reads URLs on a goroutine of its own, so that Ctrl-C ends the wait.
func readLater(ctx context.Context, in io.Reader, name string) *future.Deferred[[]string] {
	return future.Go(ctx, func(context.Context) ([]string, error) {
		return readURLs(in, name)
	})
}

// readURLs reads a URL a line. Empty lines and lines that begin with # do not
// count.
func readURLs(in io.Reader, name string) ([]string, error) {
	var urls []string
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		u := strings.TrimSpace(lines.Text())
		if u == "" || strings.HasPrefix(u, "#") {
			continue
		}
		if err := checkURL(u); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		urls = append(urls, u)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return urls, nil
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%q is no URL that begins with http:// or https://", s)
	}
	return nil
}

// isTerminal reports whether x is a terminal, or a device as good as one.
func isTerminal(x any) bool {
	f, ok := x.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err != nil || info.Mode()&os.ModeCharDevice != 0
}
