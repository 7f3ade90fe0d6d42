#!/usr/bin/env bash
# Builds the test images from what this machine has (no public registry) and pushes them to the local one.
# Each root file system is built once and kept as a tar beside the engine's data. Needs up.sh first.
#
#   sharedcloud/busybox                      a static busybox whose shell runs CODE, for the engine's own tests
#   sharedcloud/debian                       Debian with Python 3 and nftables, the base of the agent's own image
#   sharedcloud/python36, .../tensorflow-gpu-python36   Debian's Python 3 under the platform's names and command
#   sharedcloud/node8, .../tensorflow-gpu-node8         this project's Node.js, likewise
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
. "$here/engine.sh"

tars="$ENGINES_DIR/tars"
mkdir -p "$tars"

# Files that every image has: the user and the temporary directory that programs expect.
furnish() {
  local root="$1"
  mkdir -p "$root/etc" "$root/bin" "$root/usr/bin" "$root/root" "$root/proc" "$root/sys" "$root/dev"
  install -d -m 1777 "$root/tmp"
  printf 'root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\n' >"$root/etc/passwd"
}

# Copies a program and the shared libraries that it needs.
copy_program() {
  local program="$1" to="$2" root="$3" library
  cp "$program" "$root$to"
  for library in $(ldd "$program" | grep -o '/[^ ]*'); do
    mkdir -p "$root$(dirname "$library")"
    cp -n "$library" "$root$library"
  done
}

build_busybox() {
  furnish "$1"
  cp "$(command -v busybox)" "$1/bin/busybox"
  "$1/bin/busybox" --list | while read -r applet; do
    [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
  done
}

build_debian() {
  mkdir -p "$ENGINE_DEBS"
  debootstrap --variant=minbase --cache-dir="$ENGINE_DEBS" --include=python3,nftables "${SHAREDCLOUD_ENGINE_SUITE:-bookworm}" "$1" \
    >"$ENGINES_DIR/debootstrap.log" 2>&1 || {
    tail -n 20 "$ENGINES_DIR/debootstrap.log" >&2
    return 1
  }
  rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/usr/share/doc/* "$1"/usr/share/locale/*
}

build_node() {
  build_busybox "$1"
  rm "$1/bin/sh"
  copy_program "$(command -v bash)" /bin/bash "$1"
  ln -s bash "$1/bin/sh"
  copy_program "$here/../../../node_modules/node/bin/node" /usr/bin/node "$1"
}

# Makes the tar of one root file system unless it is there; it gets its name only when it is whole.
tar_of() {
  local name="$1" root
  [ ! -f "$tars/$name.tar" ] || return 0
  root="$(mktemp -d "$tars/$name.XXXXXX")"
  "build_$name" "$root"
  tar --create --file "$tars/$name.tar.part" --directory "$root" --numeric-owner --one-file-system .
  mv "$tars/$name.tar.part" "$tars/$name.tar"
  rm -rf "$root"
}

# Imports a tar under a name with Dockerfile instructions, and pushes it, unless the registry has it.
publish() {
  local tar="$1" ref="$REGISTRY/sharedcloud/$2:latest" changes=()
  shift 2
  ! engine pull --quiet "$ref" >/dev/null 2>&1 || return 0
  for change; do changes+=(--change "$change"); done
  tar_of "$tar"
  engine import "${changes[@]}" "$tars/$tar.tar" "$ref" >/dev/null
  engine push --quiet "$ref" >/dev/null
  printf 'engine: pushed %s\n' "$ref" >&2
}

# The platform's images run the text in CODE, as root by default.
shell_command='CMD ["/bin/sh","-c","eval \"$CODE\""]'
python_command='CMD ["/bin/bash","-c","python3 -c \"$CODE\""]'
node_command='CMD ["/bin/bash","-c","node -e \"$CODE\""]'
path='ENV PATH=/usr/local/bin:/usr/bin:/bin'

publish busybox busybox "$shell_command" "$path"
publish node node8 "$node_command" "$path"
publish node tensorflow-gpu-node8 "$node_command" "$path"
publish debian debian "$path"
publish debian python36 "$python_command" "$path"
publish debian tensorflow-gpu-python36 "$python_command" "$path"
