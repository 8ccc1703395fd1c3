#!/usr/bin/env bash
# All tests, in two lanes at the same time, each with a sandbox of its own: half of the sandbox's tests, and beside them all
# others, followed by the sandbox's other half. The output of the second lane is shown when both are done.
set -euo pipefail
# Job control: without it a command in the background ignores SIGINT, and so would all that the tests interrupt.
set -m
cd "$(dirname "$0")/.."
# About as long as the first half and all that needs no sandbox together.
late=(tests/sandbox/test_fixes_*.py tests/sandbox/test_[h-z]*.py)
log=$(mktemp)
# The sandbox's machines write no bytecode, and would compile the project anew in each of thousands of processes.
.venv/bin/python -m compileall -q cargo_runbook cargo_sandbox tests

second_lane() {
    local rest=0 half=0
    .venv/bin/pytest -q -p no:cacheprovider -m "not sandbox" || rest=$?
    .venv/bin/pytest -q -p no:cacheprovider -m sandbox "${late[@]}" || half=$?
    [ "$rest" = 0 ] && [ "$half" = 0 ]
}

second_lane >"$log" 2>&1 &
second=$!
trap 'kill -- "-$second" 2>/dev/null || true; wait "$second" || true; rm -f "$log"' EXIT
first=0 rest=0
.venv/bin/pytest -q -m sandbox "${late[@]/#/--ignore=}" || first=$?
wait "$second" || rest=$?
echo "The second lane:"
cat "$log"
[ "$first" = 0 ] && [ "$rest" = 0 ]
