// Dashboard puts the answers of three services on one page: three different
// types, asked for at the same time, under one deadline. What comes too late or
// fails is left out; only without the user there is no page. It is an ordinary
// http.Handler that uses Deferreds, no reactor: see dashboard.go.
//
// To look at it with a browser or with curl (which gets JSON):
//
//	go run ./examples/dashboard -addr 127.0.0.1:8080
//
// Without -addr it asks itself for a few pages, prints the answers, and ends:
//
//	go run ./examples/dashboard
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/deferred-go/deferred/clock"
)

func main() {
	addr := flag.String("addr", "", "`address` to serve on, until Ctrl-C; without it, ask for a few pages and end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	d := &dashboard{
		sources: demoSources(clock.System()),
		clock:   clock.System(),
		limit:   300 * time.Millisecond,
		log:     slog.Default(),
	}
	if err := run(ctx, d, *addr, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, d *dashboard, addr string, w io.Writer) error {
	if addr != "" {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "open http://%v (Ctrl-C ends)\n", l.Addr())
		return serve(ctx, d, l)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return once(ctx, d, l, http.DefaultClient, w)
}

// serve serves until ctx ends, and then as long as requests are under way: at
// most for the limit that each has.
func serve(ctx context.Context, d *dashboard, l net.Listener) error {
	server := &http.Server{Handler: d.handler()}
	ended := make(chan error, 1)
	context.AfterFunc(ctx, func() { ended <- server.Shutdown(context.WithoutCancel(ctx)) })
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-ended
}

// once serves a few requests of its own and prints what comes.
func once(ctx context.Context, d *dashboard, l net.Listener, client *http.Client, w io.Writer) error {
	server := &http.Server{Handler: d.handler()}
	defer server.Close()
	go server.Serve(l)

	for _, id := range []string{"ada", "bob", "carol", "dave"} {
		url := fmt.Sprintf("http://%v/?user=%s", l.Addr(), id)
		fmt.Fprintf(w, "GET /?user=%s\n", id)
		if err := printAnswer(ctx, client, url, w); err != nil {
			return err
		}
	}
	fmt.Fprintln(w, "With -addr 127.0.0.1:8080 this is there for your browser.")
	return nil
}

func printAnswer(ctx context.Context, client *http.Client, url string, w io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fmt.Fprintln(w, resp.Status)
	if _, err := io.Copy(w, resp.Body); err != nil {
		return err
	}
	_, err = fmt.Fprintln(w)
	return err
}
