package future

import ("testing";"errors";"context";"runtime/debug";"strconv";"fmt";"unsafe";"sync")

func TestSizes(t *testing.T) {
	t.Log(unsafe.Sizeof(node{}), unsafe.Sizeof(Deferred[int]{}), unsafe.Sizeof(then[int,int]{}), unsafe.Sizeof(flat[int,int]{}), unsafe.Sizeof(member{}), unsafe.Sizeof(fault{}))
}
func TestBasic(t *testing.T) {
	d, r := New[int]()
	e := Then(d, func(v int) (string, error) { return strconv.Itoa(v+1), nil })
	f := Then(e, strconv.Atoi)
	r.Succeed(4)
	if v, err := f.Result(); v != 5 || err != nil { t.Fatal(v, err) }
	x := Then(Succeed(1), func(int) (int, error) { panic("boom") })
	_, err := x.Result(); t.Logf("%v %+v", err, x)
	y := x.Catch(func(error) (int, error) { return 3, nil })
	t.Log(y)
	g := All(Succeed(1), Succeed(2), y)
	t.Log(g)
	a, ra := New[int]()
	b, rb := New[int]()
	bc := false
	rb.OnCancel(func(c error) { bc = true; t.Log("cancel", c) })
	h := All(a, b)
	ra.Fail(errors.New("x"))
	t.Log(h, bc, b)
}
func TestLoop(t *testing.T) {
	const n = 1000000
	var cur Resolver[int]
	var loop func(i int) *Deferred[int]
	loop = func(i int) *Deferred[int] {
		d, r := New[int]()
		cur = r
		return ThenFlat(d, func(v int) *Deferred[int] { if v == n { return Succeed(v) }; return loop(i+1) })
	}
	d := loop(0)
	for i := 1; i <= n; i++ { cur.Succeed(i) }
	t.Log(d)
}
func TestDeep(t *testing.T) {
	debug.SetMaxStack(1<<20)
	defer debug.SetMaxStack(1<<30)
	d, r := New[int]()
	e := d
	for range 1000000 { e = Then(e, func(v int) (int, error) { return v+1, nil }) }
	r.Succeed(0)
	t.Log(e)
	d, r = New[int]()
	e = d
	for range 1000000 { e = Then(e, func(v int) (int, error) { return v+1, nil }) }
	e.Cancel(nil)
	t.Log(e)
	d, r = New[int]()
	var es []*Deferred[int]
	for range 30000 { es = append(es, Then(d, func(v int) (int, error) { return v+1, nil })) }
	for i := len(es)-1; i >= 0; i-- { es[i].Cancel(nil) }
	t.Log(d)
}
func TestCo(t *testing.T) {
	d, r := New[int]()
	c := Async(context.Background(), func(ctx context.Context) (string, error) {
		v, err := d.Await(ctx)
		w, err2 := Succeed(1).Await(ctx)
		return fmt.Sprint(v, err, w, err2), nil
	})
	t.Log(c)
	r.Succeed(3)
	t.Log(c)
	d, r = New[int]()
	c = Async(context.Background(), func(ctx context.Context) (string, error) {
		v, err := d.Await(ctx)
		return fmt.Sprint(v, err, ctx.Err()), nil
	})
	c.Cancel(errors.New("why"))
	t.Log(c, d)
	g := Go(context.Background(), func(ctx context.Context) (int, error) { return d.Await(ctx) })
	_, err := g.Await(context.Background())
	t.Log(err)
	m := MapN(3, []int{1,2,3,4,5,6,7,8}, func(i int) *Deferred[int] { return Go(context.Background(), func(context.Context) (int, error) { return i*i, nil }) })
	v, err := m.Await(context.Background())
	t.Log(v, err)
	for i, o := range AsCompleted(context.Background(), Succeed(1), m2(), Succeed(2)) { t.Log(i, o) }
}
func m2() *Deferred[int] { return Go(context.Background(), func(context.Context) (int, error) { return 7, nil }) }
func TestRace(t *testing.T) {
	for range 2000 {
		d, r := New[int]()
		var wg sync.WaitGroup
		var mu sync.Mutex
		var all []*Deferred[int]
		for k := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				e := ThenFlat(d, func(v int) *Deferred[int] { x := Go(context.Background(), func(context.Context)(int,error) { return v, nil }); return Then(x, func(v int) (int, error) { return v, nil }) })
				e2 := e.Catch(func(err error) (int, error) { return 0, err })
				if k == 1 { e.Cancel(nil) }
				if k == 2 { r.Succeed(1) }
				if k == 3 { d.Cancel(nil) }
				mu.Lock(); all = append(all, e, e2); mu.Unlock()
			}()
		}
		wg.Wait()
		for _, x := range all { x.Await(context.Background()) }
	}
}
func BenchmarkThen(b *testing.B) { b.ReportAllocs(); for b.Loop() { d, r := New[int](); e := Then(d, inc); r.Succeed(1); e.Result() } }
func BenchmarkChain10(b *testing.B) { b.ReportAllocs(); for b.Loop() { d, r := New[int](); e := d; for range 10 { e = Then(e, inc) }; r.Succeed(1); e.Result() } }
func inc(v int) (int, error) { return v+1, nil }
