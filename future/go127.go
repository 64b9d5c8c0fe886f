//go:build go1.27

package future

// Then is the fluent form of the function [Then].
func (d *Deferred[T]) Then[U any](f func(T) (U, error)) *Deferred[U] { return Then(d, f) }

// ThenFlat is the fluent form of the function [ThenFlat].
func (d *Deferred[T]) ThenFlat[U any](f func(T) *Deferred[U]) *Deferred[U] { return ThenFlat(d, f) }

// Handle is the fluent form of the function [Handle].
func (d *Deferred[T]) Handle[U any](f func(T, error) (U, error)) *Deferred[U] { return Handle(d, f) }
