package future

// Join2 calls f with the values of a and b when both have succeeded, and
// returns a Deferred of what f returns. The first failure in time fails it,
// with that input's own error, and the other input is canceled, as in [All]. f
// runs where a's callbacks run, as in [Then]. It panics if a, b or f is nil.
func Join2[A, B, R any](a *Deferred[A], b *Deferred[B], f func(A, B) (R, error)) *Deferred[R] {
	a.mustBe("Join2")
	b.mustBe("Join2")
	mustFunc(f == nil, "Join2")
	g := &both[A, B]{a: a, b: b}
	g.start(&g.d.n, g, 2, func(i int) *node { return []*node{&a.n, &b.n}[i] })
	return joinWith(&g.d, f, func(v pair[A, B]) (R, error) { return f(v.a, v.b) })
}

// Join3 is [Join2] for three.
func Join3[A, B, C, R any](a *Deferred[A], b *Deferred[B], c *Deferred[C], f func(A, B, C) (R, error)) *Deferred[R] {
	a.mustBe("Join3")
	b.mustBe("Join3")
	c.mustBe("Join3")
	mustFunc(f == nil, "Join3")
	ab := &both[A, B]{a: a, b: b}
	ab.start(&ab.d.n, ab, 2, func(i int) *node { return []*node{&a.n, &b.n}[i] })
	g := &both[pair[A, B], C]{a: &ab.d, b: c}
	g.start(&g.d.n, g, 2, func(i int) *node { return []*node{&ab.d.n, &c.n}[i] })
	return joinWith(&g.d, f, func(v pair[pair[A, B], C]) (R, error) { return f(v.a.a, v.a.b, v.b) })
}

type pair[A, B any] struct {
	a A
	b B
}

// both is All for two types.
type both[A, B any] struct {
	gather
	d Deferred[pair[A, B]]
	a *Deferred[A]
	b *Deferred[B]
}

func (g *both[A, B]) arrived(_ int, in *fault, left int) (bool, *fault, error) {
	if in != nil {
		return true, in, in.err
	}
	return left == 0, nil, nil
}

func (g *both[A, B]) result(out *fault) *fault {
	if out == nil {
		g.d.value.a, _, _ = g.a.look(false)
		g.d.value.b, _, _ = g.b.look(false)
	}
	g.a, g.b = nil, nil
	return out
}

// joined is then for a callback that is called through another.
type joined[T, U any] struct {
	then[T, U]
	callback any
}

func joinWith[T, U any](d *Deferred[T], callback any, f func(T) (U, error)) *Deferred[U] {
	j := &joined[T, U]{callback: callback}
	j.f = f
	return j.start(d, j)
}

func (j *joined[T, U]) step(in *fault) (*node, *fault) {
	callback := j.callback
	j.callback = nil
	if in != nil {
		j.f = nil
		return j.pass(in, callback)
	}
	inner, out := j.then.step(nil)
	if out != nil {
		out.site = siteOf(callback)
	}
	return inner, out
}
