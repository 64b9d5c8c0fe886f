package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
)

// httpGet returns a get over HTTP. It counts the bytes of an answer, and reads
// just one more than max of them.
func httpGet(client *http.Client, max int64) get {
	return func(ctx context.Context, url string) (answer, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return answer{}, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return answer{}, withoutURL(err)
		}
		// The body never leaves this function, so it is closed even if the
		// result is dropped because the request was canceled.
		defer resp.Body.Close()
		size, err := io.Copy(io.Discard, io.LimitReader(resp.Body, max+1))
		if err != nil {
			return answer{}, err
		}
		return answer{resp.StatusCode, size}, nil
	}
}

// withoutURL takes the URL out of an error; the report has it already.
func withoutURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
