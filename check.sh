#!/usr/bin/env bash
# Checks the module, on both Go versions that it supports. People and CI run this.
#
#   ./check.sh           all steps
#   ./check.sh lint      some steps
#   ./check.sh format    formats all Go files (no check)
#   ./check.sh mutants   shows that the tests can fail (takes many minutes, no part of all steps)
#
# Steps:
#   vet       go vet
#   suite     all tests, with the race detector and in random order
#   fluent    the examples that need Go 1.27 really ran
#   shown     the tests that the tables of Twisted's tests and defects name really ran
#   lint      formatting, go.mod and go.sum, staticcheck
#   cross     go vet for darwin and windows
#   examples  every example program runs to its end
#   bench     every benchmark runs, once
#
# GO_VERSIONS=local runs vet and suite with the installed go command only.

set -euo pipefail
cd "$(dirname "$0")"

# The installed Go serves for its version, the go command downloads the other.
installed=$(GOTOOLCHAIN=local go env GOVERSION)
old=go1.26.8
new=go1.27.4
case $installed in
go1.26 | go1.26.*) old=local ;;
go1.27 | go1.27.*) new=local ;;
esac
versions=${GO_VERSIONS:-$old $new}
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2

say() { printf '\n== %s\n' "$*"; }

fail() {
	printf 'check.sh: %s\n' "$*" >&2
	exit 1
}

gofmt_new() { "$(GOTOOLCHAIN=$new go env GOROOT)/bin/gofmt" "$@"; }

vet() {
	for v in $versions; do
		say "go vet, $v"
		GOTOOLCHAIN=$v go vet ./...
	done
}

suite() {
	for v in $versions; do
		say "go test -race, $v"
		GOTOOLCHAIN=$v go test -race -shuffle=on -timeout 5m ./...
	done
}

# Files with a build tag can drop out without anybody noticing.
fluent() {
	say "examples of the fluent forms, $new"
	local out
	out=$(GOTOOLCHAIN=$new go test -v -run '^ExampleDeferred_' ./future) || fail "$out"
	grep -- '^--- PASS: ExampleDeferred_' <<<"$out" || fail "no ExampleDeferred_ ran with $new"
}

# A test reads the tables; here is what only a run can tell: that a subtest exists.
shown() {
	say "tests that the tables name"
	local module named tests ran
	module=$(go list -m)
	named=$(grep -hv '^#' internal/house/testdata/twisted_*.txt | grep -o '| *[a-z/]* \(Test\|Example\)[^ |]*' | sed 's/| *//' | sort -u)
	tests=$(sed 's/^[^ ]* //; s:/.*::' <<<"$named" | sort -u | paste -sd '|')
	ran=$(go test -json -run "^($tests)\$" $(sed "s:^:$module/:; s/ .*//" <<<"$named" | sort -u) |
		sed -n "s:.*\"Action\"\:\"pass\",\"Package\"\:\"$module/\([^\"]*\)\",\"Test\"\:\"\([^\"]*\)\".*:\1 \2:p" | sort -u)
	named=$(comm -23 - <(printf '%s\n' "$ran") <<<"$named")
	[ -z "$named" ] || fail "named in a table, but did not run and pass:
$named"
}

lint() {
	say "gofmt of $new"
	local files
	files=$(gofmt_new -l .)
	[ -z "$files" ] || fail "not formatted, run ./check.sh format:
$files"
	say "go mod tidy"
	go mod tidy -diff
	say "staticcheck"
	GOTOOLCHAIN=$new go run "$staticcheck" ./...
}

cross() {
	for os in darwin windows; do
		say "go vet for $os"
		GOOS=$os GOTOOLCHAIN=$new go vet ./...
	done
}

# The programs are built first, so that a kill reaches them and not go run.
examples() {
	local dir
	bin=$(mktemp -d)
	trap 'rm -rf "$bin"' EXIT
	for dir in examples/*/; do
		dir=${dir%/}
		say "go run ./$dir"
		go build -o "$bin/example" "./$dir"
		within 60 "$bin/example" </dev/null || fail "$dir: exit status $?"
	done
}

bench() {
	say "benchmarks, once"
	go test -run '^$' -bench . -benchtime 1x ./clock/... ./failure ./future/... ./internal/... >/dev/null
}

# within s command... kills the command after s seconds.
within() {
	local limit=$1 status=0 job watch
	shift
	"$@" &
	job=$!
	(
		trap 'kill $(jobs -p) 2>/dev/null; exit 0' TERM
		sleep "$limit" &
		wait
		printf 'check.sh: still running after %s seconds: %s\n' "$limit" "$*" >&2
		kill "$job"
	) &
	watch=$!
	wait "$job" || status=$?
	kill "$watch" 2>/dev/null || true
	wait "$watch" 2>/dev/null || true
	return "$status"
}

format() { gofmt_new -w .; }

# Breaks the library in one place at a time, see internal/mutants/main.go.
mutants() { go run ./internal/mutants; }

for step in "$@"; do
	case $step in
	vet | suite | fluent | shown | lint | cross | examples | bench | format | mutants) ;;
	-h | --help)
		sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
		exit 0
		;;
	*) fail "no step $step; ./check.sh -h lists them" ;;
	esac
done
for step in ${@:-vet suite fluent shown lint cross examples bench}; do
	"$step"
done
say "all is well"
