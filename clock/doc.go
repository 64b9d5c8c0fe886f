// Package clock has time as a value.
package clock
