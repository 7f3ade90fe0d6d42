#!/usr/bin/env bash
# Builds the images of the fleet's tests at the engine of DOCKER_HOST, and writes them to a tar, with the jobs' image:
#
#   sharedcloud-fleet:old   the previous release, by the commit in the file previous-release; this checkout where a
#                           shallow clone lacks that
#   sharedcloud-fleet:new   this checkout with one more table in its journal, as a later release may have
#
#   images.sh TAR
set -euo pipefail
tar="$1"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/../engine/engine.sh"
project="$(cd "$here/../../.." && pwd)"
base=sharedcloud-agent-test
"$here/../package/build-image.sh" "$base" >/dev/null

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"

# Builds an image from Dockerfile instructions that change the agent, as root, beside the directory $2.
derive() {
  printf 'FROM %s\nUSER 0\nWORKDIR /usr/lib/sharedcloud-agent\n%s\nWORKDIR /\nUSER 10001:10001\n' "$base" "$3" >"$2/Dockerfile"
  docker build --quiet --network none --tag "sharedcloud-fleet:$1" "$2" >/dev/null
}

mkdir old new
commit="$(cat "$here/previous-release")"
if git -C "$project" cat-file -e "$commit^{commit}" 2>/dev/null; then
  mkdir source
  git -C "$project" archive "$commit" | tar --extract --directory source
  ln -s "$project/node_modules" source/node_modules
  (cd source && PATH="$project/node_modules/.bin:$PATH" npm run -s build && cp -r bin dist ../old/)
  derive old old $'RUN rm -rf dist\nCOPY dist dist\nCOPY bin bin'
else
  say "this clone has no commit $commit: its previous release is left out"
  derive old old ''
fi
derive new new "RUN sed -i 's/^const ADDITIONS = \\[/&\"CREATE TABLE IF NOT EXISTS later_release (at INTEGER) STRICT\",/' \\
  dist/journal/schema.js && grep -q later_release dist/journal/schema.js"

docker save --output "$tar" sharedcloud-fleet:old sharedcloud-fleet:new "$REGISTRY/sharedcloud/python36:latest"
