#!/bin/bash
# Points this Cargo at the token service of a cluster: ./change-token-servce.sh ADDRESS
set -e
cd "$(dirname "$0")"
if [ $# -ne 1 ]; then
    echo "usage: $0 ADDRESS" >&2
    exit 1
fi
for file in env-single.yml env-ha.yml; do
    [ ! -e $file ] || sed -i -E "s#^((cargo_token_service|cargo_cluster_master_vip): *).*#\1$1#" $file
done
for file in config/docker-compose-single.yml config/docker-compose-ha.yml; do
    [ ! -e $file ] || sed -i -E "s#(- \"cargo-admin[A-Za-z0-9.-]*:)[0-9.]+\"#\1$1\"#" $file
done
./restart.sh
