#!/usr/bin/env bash
# Installations of their own, below the cache folder, so that tests which need them need no network. What is in them is no
# dependency of this project: Airflow (0.6 GB) brings some 150 packages and pins others; pyarrow is what users may have, and
# changes what pandas does (docs/decisions/0015). Made again when the versions here change.
# Where one can't be installed its test says so; that is no error here, but where CI=true.
#   tools/beside.sh
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*" >&2; }

# NAME PACKAGE...
install() {
    local name=$1 folder=${XDG_CACHE_HOME:-$HOME/.cache}/cargo-runbook/$1 log wanted
    shift
    wanted="$(.venv/bin/python --version) $*"
    mkdir -p "$(dirname "$folder")"
    exec 9>"$folder.lock"
    flock 9
    # After the lock: whoever had it may have made what is asked for here.
    if [[ -f $folder/ready && $(cat "$folder/ready") == "$wanted" && -x $folder/bin/python ]]; then return 0; fi
    say "$name: installing $* for its test (once; Airflow takes about two minutes)"
    rm -rf "$folder"
    if ! log=$(.venv/bin/python -m venv "$folder" 2>&1 &&
        "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@" 2>&1); then
        say "$log"
        say "$name: could not be installed; its test is left out"
        if [[ ${CI:-} == true ]]; then exit 1; else return 0; fi
    fi
    printf '%s\n' "$wanted" >"$folder/ready"
}

install airflow apache-airflow==3.3.2 apache-airflow-providers-papermill==3.13.3
install pyarrow pyarrow==26.0.1
