#!/usr/bin/env bash
# A bare Debian, and all that a newcomer's first ten minutes fetch into it, so that the test of that page needs no network:
# the file system of debootstrap's minbase, the Debian packages as a repository, the Python packages of the lock.
# They lie below the cache folder (0.5 GB) and are made again when the lock or the list of Debian packages has changed.
# Needs root on Debian; elsewhere the test says that it can't run, so that is no error here, but where CI=true.
#   tools/clean-root.sh
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
list=cargo_sandbox/debian-packages.txt
folder=${XDG_CACHE_HOME:-$HOME/.cache}/cargo-runbook/clean-root

say() { printf '%s\n' "$*" >&2; }
give_up() {
    say "clean root: $*"
    if [[ ${CI:-} == true ]]; then exit 1; else exit 0; fi
}

if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then give_up "needs root on Debian"; fi
suite=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
wanted="$suite $(cat requirements.lock "$list" tools/clean-root.sh | sha256sum)"
if [[ -f $folder/ready && $(cat "$folder/ready") == "$wanted" ]]; then exit 0; fi

say "clean root: a bare Debian ($suite) with what the first ten minutes fetch (once; about five minutes)"
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
rm -f "$folder/ready"
work=$(mktemp -d "$folder/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

if [[ ! -f $folder/$suite.tar ]]; then
    command -v debootstrap >/dev/null || tools/apt-install.sh debootstrap >/dev/null 2>&1 || give_up "no debootstrap"
    mirror=$(apt-get indextargets --format '$(SITE)' "Created-By: Packages" "Codename: $suite" | head -n 1)
    mkdir "$work/root"
    if ! log=$(debootstrap --variant=minbase "$suite" "$work/root" "$mirror" 2>&1); then
        say "$log"
        give_up "debootstrap failed"
    fi
    rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
    tar -C "$work/root" -cf "$work/root.tar" .
    mv "$work/root.tar" "$folder/$suite.tar"
fi

# What this computer's apt would fetch for a computer on which nothing but minbase is installed.
mkdir -p "$work/debian/partial" "$folder/debian" "$folder/wheels"
tar -C "$work" -xf "$folder/$suite.tar" ./var/lib/dpkg/status
mapfile -t packages < <(sed 's/#.*//' "$list" | awk 'NF && $3 != "tests" && $3 != "kubernetes" { print $1 }' | sort -u)
options=(-q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o APT::Sandbox::User=root -o Debug::NoLocking=1)
apt-get "${options[@]}" update >/dev/null
cp -n "$folder"/debian/*.deb "$work/debian/" 2>/dev/null || true
if ! log=$(apt-get "${options[@]}" -o Dir::State::status="$work/var/lib/dpkg/status" \
    -o Dir::State::extended_states=/dev/null -o Dir::Cache::archives="$work/debian" \
    --no-install-recommends --download-only install git make python3-venv "${packages[@]}" 2>&1); then
    say "$log"
    give_up "apt-get could not fetch the packages"
fi
rm -rf "$work/debian/partial" "$work/debian/lock"
for package in "$work"/debian/*.deb; do
    dpkg-deb -f "$package"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${package##*/}" "$(stat -c %s "$package")" \
        "$(sha256sum "$package" | cut -d ' ' -f 1)"
done >"$work/debian/Packages"

# By Debian's own Python, whose version decides between the lines of the lock; pip is pure Python and that of .venv.
pip=$(echo .venv/lib/python3*/site-packages/pip)
mkdir "$work/wheels"
if ! log=$(/usr/bin/python3 "$pip" download --quiet --disable-pip-version-check --no-input --only-binary :all: \
    --require-hashes --requirement requirements.lock --find-links "$folder/wheels" --dest "$work/wheels" 2>&1); then
    say "$log"
    give_up "pip could not fetch the packages of the lock"
fi

rm -rf "$folder/debian" "$folder/wheels"
mv "$work/debian" "$work/wheels" "$folder/"
printf '%s\n' "$wanted" >"$folder/ready"
say "clean root: ready, $(du -sh "$folder" | cut -f 1) in $folder"
