#!/usr/bin/env bash
# An Airflow of its own, below the cache folder (0.6 GB), so that the test of the DAG file needs no network. Airflow is no
# dependency of this project: it brings some 150 packages and pins others. Made again when the versions here change.
# Where it can't be installed the test says so; that is no error here, but where CI=true.
#   tools/airflow.sh
set -euo pipefail
cd "$(dirname "$0")/.."
packages=(apache-airflow==3.3.2 apache-airflow-providers-papermill==3.13.3)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/cargo-runbook/airflow

say() { printf '%s\n' "$*" >&2; }

wanted="$(.venv/bin/python --version) ${packages[*]}"
if [[ -f $folder/ready && $(cat "$folder/ready") == "$wanted" && -x $folder/bin/python ]]; then exit 0; fi
say "airflow: installing ${packages[*]} for the test of the DAG file (once; about two minutes)"
mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9
rm -rf "$folder"
if ! log=$(.venv/bin/python -m venv "$folder" 2>&1 &&
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}" 2>&1); then
    say "$log"
    say "airflow: could not be installed; the test of the DAG file by Airflow itself is left out"
    if [[ ${CI:-} == true ]]; then exit 1; else exit 0; fi
fi
printf '%s\n' "$wanted" >"$folder/ready"
