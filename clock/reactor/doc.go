// Package reactor has the loop.
package reactor
