#!/usr/bin/env bash
# Starts a throwaway Docker engine and a registry for the tests, on a bare Debian machine, as root.
# Needs: docker.io docker-registry iptables (and, for images.sh, debootstrap busybox-static).
# Safe to repeat. Prints the line that makes a shell use the engine:
#
#     eval "$(test/support/engine/up.sh)"
#
# on.sh calls it for the engines that SHAREDCLOUD_ENGINE names.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/engine.sh"

for tool in dockerd docker docker-registry iptables; do
  command -v "$tool" >/dev/null || fail "$tool is missing: apt-get install docker.io docker-registry iptables"
done
[ "$(id -u)" = 0 ] || fail 'only root can start an engine; with Docker of your own, set DOCKER_HOST instead'

# A second engine in one network namespace would take the first one's bridge and rules away.
refuse_second_engine() {
  local ours pid
  ours="$(readlink /proc/self/ns/net)"
  for pid in $(pgrep -x dockerd || true); do
    [ "$(readlink "/proc/$pid/ns/net" || true)" != "$ours" ] ||
      fail "a dockerd runs here already (process $pid): use it through DOCKER_HOST, or stop it"
  done
}

# The stand-in for Nvidia's container toolkit: the engine finds its hook on PATH and calls it for every
# container with a GPU request; the runtime is chosen by name. Both keep what they were given.
write_gpu_stand_in() {
  mkdir -p "$ENGINE_DIR/bin" "$ENGINE_DIR/gpu-hook" "$ENGINE_DIR/gpu-runtime"
  cat >"$ENGINE_DIR/bin/nvidia-container-runtime-hook" <<HOOK
#!/bin/sh
# Called as "prestart" with the container's state (JSON) on stdin; the bundle's config.json has its environment.
state="\$(cat)"
id="\$(printf %s "\$state" | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')"
bundle="\$(printf %s "\$state" | sed 's/.*"bundle":"\([^"]*\)".*/\1/')"
{
  printf 'arguments %s\n' "\$*"
  grep -o '"NVIDIA_[A-Z_]*=[^"]*"' "\$bundle/config.json" | tr -d '"' | sed 's/^/environment /'
} >"$ENGINE_DIR/gpu-hook/\$id"
HOOK
  cat >"$ENGINE_DIR/bin/nvidia-container-runtime" <<RUNTIME
#!/bin/sh
for last; do :; done
printf '%s\n' "\$*" >>"$ENGINE_DIR/gpu-runtime/\$last"
exec runc "\$@"
RUNTIME
  chmod +x "$ENGINE_DIR/bin/"*
}

# The stand-in for what `nvidia-ctk cdi generate` writes, for the first two GPUs of the stand-ins of nvidia-smi.
write_cdi_spec() {
  mkdir -p "$ENGINE_DIR/cdi"
  local gpu devices=''
  for gpu in GPU-11111111-aaaa-4bbb-8ccc-111111111111 GPU-22222222-aaaa-4bbb-8ccc-222222222222; do
    devices+="${devices:+,}
    { \"name\": \"$gpu\", \"containerEdits\": { \"env\": [\"STAND_IN_GPU=$gpu\"],
      \"deviceNodes\": [{ \"path\": \"/dev/nvidia-stand-in\", \"hostPath\": \"/dev/null\" }] } }"
  done
  cat >"$ENGINE_DIR/cdi/nvidia.json" <<SPEC
{ "cdiVersion": "0.6.0", "kind": "nvidia.com/gpu", "devices": [$devices] }
SPEC
}

# Commands that run Docker's programs of the other Debian, for whatever looks for them on PATH.
write_commands() {
  mkdir -p "$ENGINE_COMMANDS"
  local program
  for program in dockerd containerd docker; do
    printf '#!/bin/sh\nexec %q %q %q %s "$@"\n' "$here/enter-root.sh" "$ENGINE_ROOT" "$ENGINE_DIR/bin" "$program" \
      >"$ENGINE_COMMANDS/$program"
  done
  chmod +x "$ENGINE_COMMANDS/"*
}

# gVisor too, where it is installed; without a network of its own, which the version of Debian 12 cannot make on new
# kernels.
write_config() {
  local gvisor='' more=''
  ! command -v runsc >/dev/null ||
    gvisor=", \"runsc\": { \"path\": \"$(command -v runsc)\", \"runtimeArgs\": [\"--network=none\"] }"
  [ -z "$ENGINE_KIND" ] || more=", \"cdi-spec-dirs\": [\"$ENGINE_DIR/cdi\"], \"features\": { \"cdi\": true,
  \"containerd-snapshotter\": $([ "$ENGINE_KIND" = docker-sid ] && echo false || echo true) }"
  cat >"$ENGINE_DIR/daemon.json" <<CONFIG
{ "runtimes": { "nvidia": { "path": "$ENGINE_DIR/bin/nvidia-container-runtime" }$gvisor }$more }
CONFIG
}

# Runs a command for good: in a session of its own, so that it outlives this shell.
launch() {
  local log="$1"
  shift
  setsid "$@" >>"$log" 2>&1 </dev/null &
}

start_engine() {
  refuse_second_engine
  write_gpu_stand_in
  write_config
  rm -f "$ENGINE_PID" "$ENGINE_SOCKET"
  PATH="$ENGINE_DIR/bin:$PATH" launch "$ENGINE_LOG" dockerd \
    --config-file "$ENGINE_DIR/daemon.json" --data-root "$ENGINE_DIR/data" --exec-root "$ENGINE_DIR/exec" \
    --host "unix://$ENGINE_SOCKET" --pidfile "$ENGINE_PID"
}

start_registry() {
  mkdir -p "$REGISTRY_DIR"
  cat >"$ENGINE_DIR/registry.yml" <<CONFIG
version: 0.1
log: { level: warn }
storage:
  filesystem: { rootdirectory: "$REGISTRY_DIR" }
  delete: { enabled: true }
http: { addr: "127.0.0.1:${REGISTRY#*:}" }
CONFIG
  launch "$ENGINE_DIR/registry.log" docker-registry serve "$ENGINE_DIR/registry.yml"
  printf '%s\n' "$!" >"$REGISTRY_PID"
}

# Tries a command ten times a second for 30 seconds.
await() {
  local what="$1" log="$2"
  shift 2
  for _ in $(seq 300); do
    ! "$@" || return 0
    sleep 0.1
  done
  tail -n 20 "$log" >&2
  fail "$what did not come up; its log is $log"
}

registry_answers() { (: <"/dev/tcp/127.0.0.1/${REGISTRY#*:}") 2>/dev/null; }

mkdir -p "$ENGINE_DIR"
if [ -n "$ENGINE_KIND" ]; then
  write_commands
  write_cdi_spec
  PATH="$ENGINE_COMMANDS:$PATH"
fi
engine_answers || start_engine
alive "$REGISTRY_PID" docker-registry || start_registry
await dockerd "$ENGINE_LOG" engine_answers
await docker-registry "$ENGINE_DIR/registry.log" registry_answers
say "$(engine info --format 'Docker {{.ServerVersion}}, store {{.Driver}}, cgroup v{{.CgroupVersion}}') with a GPU stand-in;" \
  "registry at $REGISTRY"
[ -z "$ENGINE_KIND" ] || printf 'export PATH=%q:$PATH\n' "$ENGINE_COMMANDS"
printf 'export DOCKER_HOST=%q\n' "unix://$ENGINE_SOCKET"
