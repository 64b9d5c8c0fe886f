// Package house holds the tests that keep the house rules of this module: what
// imports what, plain Go, no wall clock, a doc comment for every exported name,
// a budget of names a package, complete fluent forms, and documents whose code
// compiles. It has no code of its own.
//
// A rule is a guard: a function from a parsed file to what is wrong with it,
// "path:line: what". The test of a guard first shows it bad samples, which it
// must find, and good ones, which it must leave alone; then it shows it all
// files of the module. The tables of known packages, budgets and exceptions
// stand at the top of the file of their guard.
package house
