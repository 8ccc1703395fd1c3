#!/bin/bash
# Sets the domain of this Cargo: ./change-domain.sh NEW-DOMAIN
# Copies of what it edits are kept beside the files, with the ending .bak.
set -e
cd "$(dirname "$0")"
if [ $# -ne 1 ]; then
    echo "usage: $0 NEW-DOMAIN" >&2
    exit 1
fi
new=$1
sed -i.bak -E "s#^( *realm: *)https?://[^/ ]+/#\1https://$new/#" config/registry/config.yml
sed -i.bak -E "s#(X-Cargo: )[^\\]+#\1$new#; s#^( *server_name +)[^;]+;#\1$new;#" config/nginx/nginx.conf
for file in env-single.yml env-ha.yml; do
    [ ! -e $file ] || sed -i.bak -E "s#^(cargo_domain: *).*#\1$new#" $file
done
./restart.sh
