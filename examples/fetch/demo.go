package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/deferred-go/deferred/clock"
	"github.com/deferred-go/deferred/future"
)

// A demo is a server with good and bad endpoints.
type demo struct {
	server http.Server
	addr   string

	mu    sync.Mutex
	asked map[string]int // how often each path was asked for
}

// An endpoint answers the n-th request for it, counted from 1.
type endpoint struct {
	path   string
	fails  bool // whatever the fetcher does
	answer func(w http.ResponseWriter, r *http.Request, n int)
}

var endpoints = []endpoint{
	{"/fast", false, func(w http.ResponseWriter, r *http.Request, n int) {
		page(w, 1000)
	}},
	{"/slow", false, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 { // as if this one had met a busy machine: a second request helps
			wait(r, 400*time.Millisecond)
		}
		page(w, 2000)
	}},
	{"/flaky", false, func(w http.ResponseWriter, r *http.Request, n int) {
		if n < 3 {
			http.Error(w, "try again", http.StatusServiceUnavailable)
			return
		}
		page(w, 3000)
	}},
	{"/hanging", true, func(w http.ResponseWriter, r *http.Request, n int) {
		<-r.Context().Done() // until the client gives up
	}},
	{"/broken", true, func(w http.ResponseWriter, r *http.Request, n int) {
		w.Header().Set("Content-Length", "4000") // but it ends before that
		page(w, 100)
	}},
	{"/missing", true, func(w http.ResponseWriter, r *http.Request, n int) {
		http.NotFound(w, r)
	}},
}

func page(w http.ResponseWriter, size int) {
	fmt.Fprint(w, strings.Repeat("x", size))
}

// wait waits for d, at most as long as the client.
func wait(r *http.Request, d time.Duration) {
	future.After(clock.System(), d, struct{}{}).Await(r.Context())
}

func startDemo(listen func() (net.Listener, error)) (*demo, error) {
	l, err := listen()
	if err != nil {
		return nil, err
	}
	d := &demo{addr: l.Addr().String(), asked: make(map[string]int)}
	mux := http.NewServeMux()
	for _, e := range endpoints {
		mux.HandleFunc(e.path, func(w http.ResponseWriter, r *http.Request) {
			e.answer(w, r, d.count(e.path))
		})
	}
	d.server.Handler = mux
	go d.server.Serve(l)
	return d, nil
}

func (d *demo) close() { d.server.Close() }

func (d *demo) count(path string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked[path]++
	return d.asked[path]
}

func (d *demo) urls() []string {
	var urls []string
	for _, e := range endpoints {
		urls = append(urls, "http://"+d.addr+e.path)
	}
	return urls
}

// asExpected reports whether those results are failures that should be.
func (d *demo) asExpected(results []result) bool {
	for i, res := range results {
		if endpoints[i].fails != (res.err != nil) {
			return false
		}
	}
	return true
}
