#!/usr/bin/env bash
# Runs a program of the Debian that docker-root.sh has made, in place of this process, with that Debian as the root of a
# mount namespace of its own: where it was a mere chroot, `docker exec` would end up in this machine's root.
#
#     enter-root.sh ROOT FIRST PROGRAM [ARGUMENT...]    FIRST: a directory that begins its PATH
#
# It has this machine's processes, devices and temporary directories. What is mounted on the latter is seen by both,
# and so by every such program: containerd finds what dockerd mounts. Not for a shell in the machine's own namespaces.
set -euo pipefail
root="$1" first="$2"
shift 2
directories="/tmp ${TMPDIR:-}"

if [ -z "${INSIDE:-}" ]; then
  exec 9>"$root/.lock"
  flock 9
  for directory in $directories; do
    [ "$(findmnt -n -o PROPAGATION "$directory")" = shared ] || {
      mount --rbind "$directory" "$directory"
      mount --make-rshared "$directory"
    }
  done
  exec 9>&-
  INSIDE=yes exec unshare --mount --propagation unchanged "$0" "$root" "$first" "$@"
fi

mount --bind "$(realpath "$root")" /mnt
mount --make-private /mnt
for directory in /proc /sys /dev $directories; do
  mkdir -p "/mnt$directory"
  mount --rbind "$directory" "/mnt$directory"
done
mount -t tmpfs -o mode=755 tmpfs /mnt/run
cd /mnt
pivot_root . mnt
# Else what is unmounted here would be unmounted there too.
mount --make-rprivate /mnt
umount -l /mnt
unset INSIDE
exec /usr/bin/env PATH="$first:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
