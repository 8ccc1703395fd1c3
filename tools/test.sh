#!/usr/bin/env bash
# All tests: those on the sandbox, and at the same time all others, whose output is shown when both are done.
set -euo pipefail
# Job control: without it a command in the background ignores SIGINT, and so would all that the tests interrupt.
set -m
cd "$(dirname "$0")/.."
log=$(mktemp)
.venv/bin/pytest -q -p no:cacheprovider -m "not sandbox" "$@" >"$log" 2>&1 &
others=$!
trap 'kill -- "-$others" 2>/dev/null || true; wait "$others" || true; rm -f "$log"' EXIT
sandbox=0 rest=0
.venv/bin/pytest -q -m sandbox "$@" || sandbox=$?
wait "$others" || rest=$?
echo "Tests that need no sandbox:"
cat "$log"
[ "$sandbox" = 0 ] && [ "$rest" = 0 ]
