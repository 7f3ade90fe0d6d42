# Sourced by up.sh, down.sh and images.sh: where the throwaway engine lives, and whether it is up.

# Everything of the engine lies under this directory. A unix socket's path may have about 100 characters.
ENGINE_DIR="${SHAREDCLOUD_ENGINE_DIR:-${TMPDIR:-/tmp}/sharedcloud-agent-engine}"
ENGINE_SOCKET="$ENGINE_DIR/docker.sock"
ENGINE_PID="$ENGINE_DIR/dockerd.pid"
ENGINE_LOG="$ENGINE_DIR/dockerd.log"
REGISTRY_DIR="$ENGINE_DIR/registry"
REGISTRY_PID="$ENGINE_DIR/registry.pid"
# Debian packages that debootstrap has fetched, for the next Debian that is made.
ENGINE_DEBS="$ENGINE_DIR/debs"
# Engines speak to localhost without TLS, so the name of every test image begins with it.
REGISTRY='localhost:5000'

engine() { docker --host "unix://$ENGINE_SOCKET" "$@"; }
engine_answers() { [ -S "$ENGINE_SOCKET" ] && engine version >/dev/null 2>&1; }

# Whether the process whose id is in file $1 is alive and is a $2.
alive() {
  local pid
  pid="$(cat "$1" 2>/dev/null)" && [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]
}
