#!/usr/bin/env bash
# apt-get install for root, without questions, without recommended packages and without starting any service.
#   tools/apt-install.sh PACKAGE...
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l

# Debian asks this program before it starts a service; 101 says "not allowed" (invoke-rc.d, policy-rc.d interface).
policy=/usr/sbin/policy-rc.d
kept=$policy.cargo-runbook-kept
put_back() {
    rm -f "$policy"
    if [[ -e $kept || -L $kept ]]; then mv "$kept" "$policy"; fi
}
# A run that was killed has left the real one aside.
if [[ -e $kept || -L $kept ]]; then put_back; fi
trap put_back EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
if [[ -e $policy || -L $policy ]]; then mv "$policy" "$kept"; fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

options=(-q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
apt-get "${options[@]}" update >&2
apt-get "${options[@]}" -o Dpkg::Options::=--force-confold install --no-install-recommends "$@" </dev/null >&2
