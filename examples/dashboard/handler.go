package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"strings"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

func (d *dashboard) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", d.show)
	return mux
}

// show answers with the page of the user that the query names. If the client
// goes away, the request's context ends, and with it the work.
func (d *dashboard) show(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("user")
	if id == "" {
		id = "ada"
	}
	p, err := d.load(r.Context(), id).Await(r.Context())
	if err != nil {
		d.fail(w, r, err)
		return
	}
	w.Header().Set("Vary", "Accept")
	if wantsHTML(r) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		err = pageTemplate.Execute(w, p)
	} else {
		err = writeJSON(w, http.StatusOK, p)
	}
	if err != nil { // most likely the client has gone
		d.log.Debug("page not written", "err", err)
	}
}

func (d *dashboard) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, text := http.StatusBadGateway, "the user cannot be looked up"
	switch {
	case errors.Is(err, errNoUser):
		status, text = http.StatusNotFound, "no such user"
	case errors.Is(err, context.DeadlineExceeded):
		status, text = http.StatusGatewayTimeout, "no answer in time"
	case r.Context().Err() != nil:
		return // nobody is there to be told
	default:
		d.log.Error("no page", "err", err)
	}
	w.Header().Set("Vary", "Accept")
	if wantsHTML(r) {
		http.Error(w, text, status)
		return
	}
	writeJSON(w, status, map[string]string{"error": text})
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// wantsHTML reports whether the client asks for a page, as browsers do. It looks
// no closer at the Accept header than which of the two comes first.
func wantsHTML(r *http.Request) bool {
	accept := strings.Join(r.Header.Values("Accept"), ",")
	before, _, found := strings.Cut(accept, "text/html")
	return found && !strings.Contains(before, "application/json")
}
