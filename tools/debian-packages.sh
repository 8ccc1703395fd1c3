#!/usr/bin/env bash
# Installs the Debian packages that the sandbox needs, when they are missing and the user is root.
# Otherwise says which are missing and the one command to type. Without them everything runs on recorded evidence,
# so a missing package is no error here; where CI=true it is.
#   tools/debian-packages.sh [tests] [kubernetes]     with arguments: also what only these need
set -euo pipefail
cd "$(dirname "$0")/.."
list=cargo_sandbox/debian-packages.txt
wanted=" $* "
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '%s\n' "$*" >&2; }
give_up() { if [[ ${CI:-} == true ]]; then exit 1; else exit 0; fi; }

missing() {
    local package command condition
    # A line is "package command [condition]"; # begins a comment.
    while read -r package command condition; do
        if [[ -z $package ]]; then continue; fi
        if [[ $condition == tests || $condition == kubernetes ]] && [[ $wanted != *" $condition "* ]]; then continue; fi
        if ! command -v "$command" >/dev/null; then printf '%s\n' "$package"; fi
    done < <(sed 's/#.*//' "$list") | sort -u
}

[[ -f $list ]] || exit 0
mapfile -t packages < <(missing)
if [[ ${#packages[@]} == 0 ]]; then exit 0; fi
if [[ $(uname -s) != Linux ]] || ! command -v apt-get >/dev/null; then
    say "packages: the sandbox runs on Debian and its kin only; here everything runs on recorded evidence"
    give_up
fi
if [[ $(id -u) != 0 ]]; then
    say "packages: the sandbox would need root and the Debian packages ${packages[*]}; without them everything runs on"
    say "  recorded evidence. To have it:  sudo apt-get install -y --no-install-recommends ${packages[*]}"
    give_up
fi
say "packages: installing ${packages[*]} (Debian; once)"
if ! log=$(tools/apt-install.sh "${packages[@]}" 2>&1); then
    say "$log"
    say "packages: apt-get failed; without them everything runs on recorded evidence"
    give_up
fi
mapfile -t packages < <(missing)
if [[ ${#packages[@]} != 0 ]]; then
    say "packages: installed, but the commands of ${packages[*]} are still not found"
    give_up
fi
say "packages: installed, no service was started"
