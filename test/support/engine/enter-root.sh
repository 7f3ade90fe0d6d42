#!/usr/bin/env bash
# Runs a program of the Debian that docker-root.sh has made, in place of this process:
#
#     enter-root.sh ROOT FIRST PROGRAM [ARGUMENT...]    FIRST: a directory that begins its PATH
#
# What this machine has mounted is seen in there, as far as an engine needs it. The mounts are made once in each mount
# namespace, which must not be the machine's own.
set -euo pipefail
debian="$(realpath "$1")" first="$2" root=/mnt
shift 2

prepare() {
  # The process numbers of this namespace mean: it has been here.
  [ "$root/proc/1" -ef /proc/1 ] && mountpoint -q "$root/run" && return
  # runc refuses a root directory that is no mount point, or that lies on a shared one.
  mount --bind "$debian" "$root"
  mount --make-private "$root"
  for directory in /proc /sys /dev /tmp ${TMPDIR:-}; do
    mkdir -p "$root$directory"
    mount --rbind "$directory" "$root$directory"
    # What is mounted on the machine later comes along; nothing goes the other way.
    mount --make-rslave "$root$directory"
  done
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
}

exec 9>"$debian/.lock"
flock 9
prepare
exec 9>&-
exec chroot "$root" /usr/bin/env PATH="$first:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
