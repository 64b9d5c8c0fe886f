// Package memnet is a network in memory, for tests of the examples. Nothing
// about it is outside of the program, so servers and clients can run in a
// bubble of testing/synctest, where time takes no time.
package memnet

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// A Net is a network with one listener.
type Net struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

// New returns a Net.
func New() *Net {
	return &Net{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Listen returns the listener, which is the Net itself.
func (n *Net) Listen() (net.Listener, error) { return n, nil }

// Accept waits for the next connection of a client.
func (n *Net) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and Dial, now and later.
func (n *Net) Close() error {
	n.once.Do(func() { close(n.done) })
	return nil
}

// Addr returns the Net's only address.
func (n *Net) Addr() net.Addr { return addr{} }

// Dial connects to the listener.
func (n *Net) Dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case n.conns <- server:
		return client, nil
	case <-n.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Client returns an HTTP client whose connections all go to the listener.
func (n *Net) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return n.Dial(ctx)
		},
	}}
}

type addr struct{}

func (addr) Network() string { return "memory" }
func (addr) String() string  { return "memory:80" }
