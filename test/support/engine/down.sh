#!/usr/bin/env bash
# Stops what up.sh or on.sh started: the engine that SHAREDCLOUD_ENGINE names. With --purge it also deletes its data,
# images included.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/engine.sh"

# Asks process $1 (file with its id) to end, if it is still a $2, and waits for it for 30 seconds.
end() {
  alive "$1" "$2" || return 0
  kill "$(cat "$1")"
  for _ in $(seq 300); do
    alive "$1" "$2" || return 0
    sleep 0.1
  done
  printf 'engine: %s did not stop\n' "$2" >&2
  exit 1
}

end "$ENGINE_PID" dockerd
end "$REGISTRY_PID" docker-registry
end "$ENGINE_HOLDER" sleep
rm -f "$REGISTRY_PID" "$ENGINE_HOLDER"
if [ "${1:-}" = --purge ]; then rm -rf "$ENGINE_DIR"; fi
