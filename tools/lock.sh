#!/usr/bin/env bash
# Resolves requirements.lock again: one file for Python 3.11 to 3.13 on Linux and macOS, with hashes, without URLs.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v .venv/bin/uv >/dev/null || .venv/bin/python -m pip install --quiet uv
# --no-config and an empty environment for uv: nothing of this machine's indexes gets into the lock.
env -u UV_INDEX_URL -u UV_DEFAULT_INDEX -u UV_EXTRA_INDEX_URL -u UV_INDEX -u UV_FIND_LINKS \
    .venv/bin/uv --no-config pip compile pyproject.toml --quiet --universal --python-version 3.11 --all-extras \
    --generate-hashes --no-annotate --no-header --no-emit-package cargo-runbook "$@" --output-file requirements.lock
