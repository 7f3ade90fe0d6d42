#!/usr/bin/env bash
# Builds the agent's image with the Dockerfile as it is, on bases made from what this machine has: the test images'
# Debian, this project's Node.js, this machine's npm and its cache. No registry is asked for anything.
#
#   build-image.sh NAME
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/../engine/engine.sh"
project="$(cd "$here/../../.." && pwd)"
debian="$REGISTRY/sharedcloud/debian:latest"

# The second of two that build at once finds the first one's layers.
exec 9>"$ENGINE_DIR/build-image.lock"
flock 9

context="$(mktemp -d)"
trap 'rm -rf "$context"' EXIT
cp "$project/node_modules/node/bin/node" "$context/node"
cp -r "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$context/npm"
mkdir -p "$context/cache/_cacache"
# Without its temporary files: another npm may be at work.
cp -r "$(npm config get cache)/_cacache/"{content-v2,index-v5} "$context/cache/_cacache/"
cat >"$context/Dockerfile" <<DOCKERFILE
FROM $debian
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY cache /root/.npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
DOCKERFILE
docker build --quiet --network none --tag "$1-base" "$context" >/dev/null
docker build --network none --tag "$1" --build-arg "BUILD_BASE=$1-base" --build-arg "RUN_BASE=$debian" "$project" >&2
docker image inspect --format '{{.Size}}' "$1"
