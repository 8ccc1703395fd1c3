#!/usr/bin/env bash
# Makes .venv ready: exact versions of requirements.lock, then this project, editable.
# Does nothing (in milliseconds) when .venv is ready for this lock, this pyproject and this folder.
#   PYTHON=/path/to/python3.12 tools/setup.sh     chooses the interpreter
set -euo pipefail
cd "$(dirname "$0")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1

say() { printf '%s\n' "$*" >&2; }

digest() {
    if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi
}

wanted="$(pwd -P)
$(digest requirements.lock pyproject.toml tools/setup.sh)"
stamp=.venv/.ready
if [[ -f $stamp && "$(cat "$stamp")" == "$wanted" && -x .venv/bin/cargo-runbook ]] \
    && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi

# In range, and able to make a venv: Debian ships python3 without ensurepip.
fits='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3 /usr/bin/python3; do
        if "$candidate" -c "$fits" >/dev/null 2>&1; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

in_range() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

if ! in_range .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    if ! python=$(find_python); then
        if command -v apt-get >/dev/null && [[ $(id -u) == 0 ]]; then
            say "setup: no Python 3.11 to 3.13 that can make a venv; installing the Debian package python3-venv"
            tools/apt-install.sh python3-venv
        fi
        if ! python=$(find_python); then
            say "setup: this needs Python 3.11, 3.12 or 3.13 with the module venv, and found none."
            if command -v apt-get >/dev/null; then
                say "  Type:  sudo apt-get install -y python3-venv"
            elif command -v brew >/dev/null; then
                say "  Type:  brew install python@3.13"
            else
                say "  Install one of them, then say which:  make PYTHON=/path/to/python3.13"
            fi
            exit 1
        fi
    fi
    say "setup: .venv with $("$python" --version) ($python)"
    "$python" -m venv --clear .venv
fi

say "setup: installing $(grep -c '^[a-z0-9].*==' requirements.lock) packages into .venv (once; one to three minutes)"
rm -f "$stamp"
.venv/bin/python -m pip install --quiet --require-hashes --requirement requirements.lock
# What an earlier install left here would be found first, with the commands of then.
rm -rf ./*.egg-info
# The build backend stands in the lock, so nothing is fetched here.
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
rm -rf ./*.egg-info
# pip compiles what it installs, but not what it installs editable: where PYTHONDONTWRITEBYTECODE is set, each start would.
.venv/bin/python -m compileall -q cargo_runbook cargo_sandbox
printf '%s\n' "$wanted" >"$stamp"
say "setup: .venv is ready"
