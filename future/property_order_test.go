package future_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/deferred-go/deferred/future"
	"pgregory.net/rapid"
)

// An act is a step of a generated program: it attaches something or settles a
// root. The body of an attached callback is a program again.
type act struct {
	label  int
	kind   string // Then, Catch, Handle, Finally, ThenFlat, AllSettled, settle, run
	on     []int  // which Deferreds, modulo those there are
	fails  bool
	panics bool
	body   []act
}

func genActs(label *int, depth int) *rapid.Generator[[]act] {
	return rapid.Custom(func(t *rapid.T) []act {
		var acts []act
		for range rapid.IntRange(0, 4+5*depth).Draw(t, "acts") {
			*label++
			a := act{label: *label}
			kinds := []string{"Then", "Then", "Then", "Catch", "Handle", "Handle", "Finally", "ThenFlat", "ThenFlat", "AllSettled", "settle"}
			if depth == 2 {
				kinds = append(kinds, "run")
			}
			a.kind = rapid.SampledFrom(kinds).Draw(t, "kind")
			a.on = rapid.SliceOfN(rapid.IntRange(0, 7), 3, 3).Draw(t, "on")
			a.fails = rapid.IntRange(0, 3).Draw(t, "fails") == 0
			a.panics = rapid.IntRange(0, 9).Draw(t, "panics") == 0
			if depth > 0 && a.kind != "settle" && a.kind != "run" && a.kind != "AllSettled" {
				a.body = genActs(label, depth-1).Draw(t, "body")
			}
			acts = append(acts, a)
		}
		return acts
	})
}

// TestOrder runs generated programs of branches, inline and on an executor, and
// compares what happened with a naive, recursive model.
func TestOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		label := 0
		acts := genActs(&label, 2).Draw(t, "acts")
		homes := rapid.SliceOfN(rapid.Bool(), 3, 3).Draw(t, "on an executor")
		got, again, want := runOrder(acts, homes), runOrder(acts, homes), modelOrder(acts, homes)
		if !slices.Equal(got, again) {
			t.Fatalf("two runs differ:\n%s\n%s", strings.Join(got, "\n"), strings.Join(again, "\n"))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("happened:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// orderRun runs a program on the library.
type orderRun struct {
	x   *foreign
	ds  []*future.Deferred[int]
	rs  []future.Resolver[int]
	log []string
}

func runOrder(acts []act, homes []bool) []string {
	r := &orderRun{x: new(foreign)}
	for _, onX := range homes {
		d, res := future.New[int]()
		if onX {
			d, res = future.NewOn[int](r.x)
		}
		r.ds, r.rs = append(r.ds, d), append(r.rs, res)
	}
	r.do(acts)
	r.x.run()
	for i, d := range r.ds {
		v, err := d.Result()
		if err == future.ErrPending {
			r.log = append(r.log, fmt.Sprintf("%d pending", i))
		} else {
			r.log = append(r.log, fmt.Sprintf("%d has %s", i, outText(v, err)))
		}
	}
	return r.log
}

func outText(v int, err error) string {
	if err == nil {
		return fmt.Sprint(v)
	}
	return "error " + strings.ReplaceAll(err.Error(), "\n", "+")
}

func (r *orderRun) at(i int) *future.Deferred[int] { return r.ds[i%len(r.ds)] }

func (r *orderRun) do(acts []act) {
	for _, a := range acts {
		switch a.kind {
		case "settle":
			i := a.on[0] % len(r.rs)
			if a.fails {
				r.log = append(r.log, fmt.Sprintf("fail %d: %v", i, r.rs[i].Fail(fmt.Errorf("e%d", a.label))))
			} else {
				r.log = append(r.log, fmt.Sprintf("succeed %d: %v", i, r.rs[i].Succeed(a.label)))
			}
		case "run":
			r.x.run()
		default:
			r.ds = append(r.ds, r.attach(a))
		}
	}
}

func (r *orderRun) attach(a act) *future.Deferred[int] {
	call := func(v int, err error) (int, error) {
		r.log = append(r.log, fmt.Sprintf("%s %d with %s", a.kind, a.label, outText(v, err)))
		r.do(a.body)
		r.log = append(r.log, fmt.Sprintf("%d ends", a.label))
		if a.panics {
			panic(a.label)
		}
		if a.fails {
			return 0, fmt.Errorf("e%d", a.label)
		}
		return a.label, nil
	}
	d := r.at(a.on[0])
	switch a.kind {
	case "Then":
		return future.Then(d, func(v int) (int, error) { return call(v, nil) })
	case "Catch":
		return d.Catch(func(err error) (int, error) { return call(0, err) })
	case "Handle":
		return future.Handle(d, call)
	case "Finally":
		return d.Finally(func() error {
			_, err := call(0, nil)
			return err
		})
	case "ThenFlat":
		return future.ThenFlat(d, func(v int) *future.Deferred[int] {
			if _, err := call(v, nil); err != nil {
				return future.Fail[int](err)
			}
			return r.at(a.on[1])
		})
	case "AllSettled":
		all := future.AllSettled(d, r.at(a.on[1]), r.at(a.on[2]))
		return future.Then(all, func(outs []future.Outcome[int]) (int, error) {
			r.log = append(r.log, fmt.Sprintf("gathered %d", a.label))
			sum := 0
			for _, o := range outs {
				sum += o.Value
			}
			return sum, nil
		})
	}
	panic(a.kind)
}

// orderModel is the same in the simplest terms: readers are functions in a
// list, settling calls them one after the other.
type orderModel struct {
	ds    []*modelled
	log   []string
	queue []func()
}

type modelled struct {
	onX     bool
	settled bool
	v       int
	err     string
	readers []func()
	waits   []*modelled
}

func modelOrder(acts []act, homes []bool) []string {
	m := &orderModel{}
	for _, onX := range homes {
		m.ds = append(m.ds, &modelled{onX: onX})
	}
	roots := len(m.ds)
	m.do(acts, roots)
	m.run()
	for i, d := range m.ds {
		if !d.settled {
			m.log = append(m.log, fmt.Sprintf("%d pending", i))
		} else {
			m.log = append(m.log, fmt.Sprintf("%d has %s", i, d.text()))
		}
	}
	return m.log
}

func (d *modelled) text() string {
	if d.err == "" {
		return fmt.Sprint(d.v)
	}
	return "error " + d.err
}

func (m *orderModel) run() {
	for len(m.queue) > 0 {
		f := m.queue[0]
		m.queue = m.queue[1:]
		f()
	}
}

func (m *orderModel) settle(d *modelled, v int, err string) bool {
	if d.settled {
		return false
	}
	d.settled, d.v, d.err, d.waits = true, v, err, nil
	for len(d.readers) > 0 {
		f := d.readers[0]
		d.readers = d.readers[1:]
		f()
	}
	return true
}

func (m *orderModel) read(d *modelled, f func()) {
	if d.settled && len(d.readers) == 0 {
		f()
		return
	}
	d.readers = append(d.readers, f)
}

func (m *orderModel) follow(d, inner *modelled) {
	if d == inner {
		m.settle(d, 0, modelCycle)
		return
	}
	d.waits = []*modelled{inner}
	if len(d.readers) > 0 && inner.reaches(d) {
		m.settle(d, 0, modelCycle)
		return
	}
	m.read(inner, func() { m.settle(d, inner.v, inner.err) })
}

const modelCycle = "future: a Deferred waits for itself, directly or through those it waits for: it could never settle"

func (d *modelled) reaches(to *modelled) bool {
	if d == to {
		return true
	}
	return slices.ContainsFunc(d.waits, func(w *modelled) bool { return w.reaches(to) })
}

func (m *orderModel) do(acts []act, roots int) {
	for _, a := range acts {
		switch a.kind {
		case "settle":
			i := a.on[0] % roots
			at := len(m.log)
			m.log = append(m.log, "")
			var first bool
			var what string
			if a.fails {
				what = "fail"
				first = m.settle(m.ds[i], 0, fmt.Sprintf("e%d", a.label))
			} else {
				what = "succeed"
				first = m.settle(m.ds[i], a.label, "")
			}
			m.log = append(slices.Delete(m.log, at, at+1), fmt.Sprintf("%s %d: %v", what, i, first))
		case "run":
			m.run()
		default:
			m.ds = append(m.ds, m.attach(a, roots))
		}
	}
}

func (m *orderModel) attach(a act, roots int) *modelled {
	s := m.ds[a.on[0]%len(m.ds)]
	d := &modelled{onX: s.onX, waits: []*modelled{s}}
	if a.kind == "AllSettled" {
		all := &modelled{onX: s.onX}
		d.waits = []*modelled{all}
		m.read(all, func() {
			m.call(d, func() {
				m.log = append(m.log, fmt.Sprintf("gathered %d", a.label))
				m.settle(d, all.v, "")
			})
		})
		m.gather(all, []*modelled{s, m.ds[a.on[1]%len(m.ds)], m.ds[a.on[2]%len(m.ds)]})
		return d
	}
	m.read(s, func() {
		if runs := map[string]bool{"Then": s.err == "", "ThenFlat": s.err == "", "Catch": s.err != "", "Handle": true, "Finally": true}; !runs[a.kind] {
			m.settle(d, s.v, s.err)
			return
		}
		m.call(d, func() { m.callback(a, d, s, roots) })
	})
	return d
}

// call runs f: at once, or as a step of the executor.
func (m *orderModel) call(d *modelled, f func()) {
	d.waits = nil
	if d.onX {
		m.queue = append(m.queue, f)
		return
	}
	f()
}

func (m *orderModel) callback(a act, d, s *modelled, roots int) {
	with := s.text()
	if a.kind == "Finally" {
		with = "0"
	}
	m.log = append(m.log, fmt.Sprintf("%s %d with %s", a.kind, a.label, with))
	m.do(a.body, roots)
	m.log = append(m.log, fmt.Sprintf("%d ends", a.label))
	err := ""
	switch {
	case a.panics:
		err = fmt.Sprintf("panic: %d", a.label)
	case a.fails:
		err = fmt.Sprintf("e%d", a.label)
	}
	switch {
	case a.kind == "Finally" && err == "":
		m.settle(d, s.v, s.err)
	case a.kind == "Finally" && s.err != "":
		m.settle(d, 0, s.err+"+"+err)
	case err != "":
		m.settle(d, 0, err)
	case a.kind == "ThenFlat":
		m.follow(d, m.ds[a.on[1]%len(m.ds)])
	default:
		m.settle(d, a.label, "")
	}
}

func (m *orderModel) gather(all *modelled, inputs []*modelled) {
	all.waits = inputs
	left, listing := len(inputs), true
	arrive := func() {
		if left--; left == 0 && !listing {
			m.complete(all, inputs)
		}
	}
	var there []*modelled
	for _, in := range inputs {
		if in.settled && len(in.readers) == 0 {
			there = append(there, in)
		} else {
			in.readers = append(in.readers, arrive)
		}
	}
	for range there {
		arrive()
	}
	listing = false
	if left == 0 {
		m.complete(all, inputs)
	}
}

func (m *orderModel) complete(all *modelled, inputs []*modelled) {
	sum := 0
	for _, in := range inputs {
		if in.err == "" {
			sum += in.v
		}
	}
	m.settle(all, sum, "")
}
