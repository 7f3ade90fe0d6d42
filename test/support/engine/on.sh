#!/usr/bin/env bash
# Starts an engine other than this machine's own, unless it runs already, and then a command that uses it, in the
# engine's network: the registry of the test images listens there. `down.sh` with the same SHAREDCLOUD_ENGINE stops it.
#
#     test/support/engine/on.sh docker-sid npm test -- --project docker
#
# Needs what up.sh needs, and debootstrap.
set -euo pipefail
export SHAREDCLOUD_ENGINE="$1"
shift
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/engine.sh"
"$here/docker-root.sh" >/dev/null

# Network and mounts of its own, which end with a process that only waits.
hold() {
  setsid unshare --net --mount bash -ec 'ip link set lo up && exec sleep infinity' </dev/null >/dev/null 2>&1 &
  printf '%s\n' "$!" >"$ENGINE_HOLDER"
  for _ in $(seq 100); do
    ! alive "$ENGINE_HOLDER" sleep || return 0
    sleep 0.1
  done
  fail 'no namespace could be made'
}

mkdir -p "$ENGINE_DIR"
alive "$ENGINE_HOLDER" sleep || hold
# Only tests that set it would still find the old one.
unset DOCKER_HOST
exec nsenter --target "$(cat "$ENGINE_HOLDER")" --net --mount -- bash -c '
  set -euo pipefail
  here="$1" directory="$2"
  shift 2
  cd "$directory"
  eval "$("$here/up.sh")"
  "$here/images.sh"
  exec env -u SHAREDCLOUD_ENGINE "$@"' on.sh "$here" "$PWD" "$@"
