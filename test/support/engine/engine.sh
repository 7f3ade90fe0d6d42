# Sourced by the scripts of this directory: where the throwaway engines live, and whether one is up.
#
# SHAREDCLOUD_ENGINE chooses the engine. Unset: this machine's own Docker, in the machine's own network.
#   docker-sid              Docker of Debian sid (of trixie, where sid's cannot be had), CDI on, store overlay2
#   docker-sid-containerd   the same with containerd's image store
# on.sh starts these two in a network of their own, and runs what is to use them in it.
ENGINE_KIND="${SHAREDCLOUD_ENGINE:-}"

# Everything lies under this directory. A unix socket's path may have about 100 characters.
ENGINES_DIR="${SHAREDCLOUD_ENGINE_DIR:-${TMPDIR:-/tmp}/sharedcloud-agent-engine}"
# What belongs to this engine alone.
ENGINE_DIR="$ENGINES_DIR${ENGINE_KIND:+/$ENGINE_KIND}"
ENGINE_SOCKET="$ENGINE_DIR/docker.sock"
ENGINE_PID="$ENGINE_DIR/dockerd.pid"
ENGINE_LOG="$ENGINE_DIR/dockerd.log"
# The process that keeps the namespaces of an engine that has some.
ENGINE_HOLDER="$ENGINE_DIR/holder.pid"
# The Debian whose Docker it is; and commands that run Docker's programs in there.
ENGINE_ROOT="$ENGINES_DIR/debian-docker"
ENGINE_COMMANDS="$ENGINE_DIR/commands"
REGISTRY_DIR="$ENGINES_DIR/registry"
REGISTRY_PID="$ENGINE_DIR/registry.pid"
# Debian packages that debootstrap has fetched, for the next Debian that is made.
ENGINE_DEBS="$ENGINES_DIR/debs"
# Engines speak to localhost without TLS, so the name of every test image begins with it.
REGISTRY='localhost:5000'

case "$ENGINE_KIND" in
  '' | docker-sid | docker-sid-containerd) ;;
  *)
    printf 'engine: SHAREDCLOUD_ENGINE=%s is none of docker-sid, docker-sid-containerd\n' "$ENGINE_KIND" >&2
    exit 2
    ;;
esac

say() { printf 'engine: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

engine() { docker --host "unix://$ENGINE_SOCKET" "$@"; }
engine_answers() { [ -S "$ENGINE_SOCKET" ] && engine version >/dev/null 2>&1; }

# Whether the process whose id is in file $1 is alive and is a $2.
alive() {
  local pid
  pid="$(cat "$1" 2>/dev/null)" && [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]
}
