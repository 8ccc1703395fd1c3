#!/bin/bash
# Stops and removes Cargo's containers and creates them anew.
set -e
cd "$$(dirname "$$0")/config"
docker-compose -p cargo -f docker-compose-${model}.yml down
docker-compose -p cargo -f docker-compose-${model}.yml up -d
