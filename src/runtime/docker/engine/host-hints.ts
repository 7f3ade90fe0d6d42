/** What the engine or its OCI runtime says of a fault of this host, and what its owner can do about it. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /bind source path does not exist|error while creating mount source path|error mounting .* to rootfs at "?\/sharedcloud/i,
    'name a state directory with --state-dir that Docker sees under the same path (Docker from snap sees only /home, Docker Desktop only shared folders)',
  ],
  [
    /docker-init|tini/,
    'install docker-init beside dockerd (in Debian’s docker.io: package tini), or correct init-path in daemon.json',
  ],
  [
    /no space left on device|disk quota exceeded/i,
    'free disk space where Docker keeps its data (docker info: Docker Root Dir)',
  ],
  [
    /(?:runc|runsc|crun|kata).*(?:executable file not found|no such file or directory)|OCI runtime .*not found|unknown or invalid runtime name/i,
    'reinstall the container runtime that the message names, and restart Docker',
  ],
  [
    /unmapped user|(?:uid|gid|user|group) \S* ?(?:is )?not mapped|cannot set uid|newuidmap/i,
    'give the user of Docker’s userns-remap 65536 ids in /etc/subuid and /etc/subgid, then restart Docker',
  ],
  [/apparmor/i, 'reload the AppArmor profiles (sudo systemctl restart apparmor), then restart Docker'],
  [/selinux/i, 'see what SELinux refuses: ausearch -m avc -ts recent'],
  [/cgroup/i, 'check the cgroup driver and controllers (docker info), then restart Docker'],
  [
    /iptables|nftables|failed to set up container networking|network .* not found|bridge/i,
    'restart Docker, which makes its network rules again: sudo systemctl restart docker',
  ],
  [/seccomp/i, 'update Docker, runc and libseccomp together'],
  [
    /shim.*(?:not installed|permission denied|no such file|not found)/i,
    'reinstall containerd (package containerd or containerd.io), then restart Docker: sudo systemctl restart docker',
  ],
  [/shim|containerd|ttrpc/i, 'restart containerd and Docker: sudo systemctl restart containerd docker'],
  [
    /input\/output error|structure needs cleaning|stale file handle/i,
    'the disk with Docker’s data fails: see the kernel’s log (journalctl -k), and check its file system',
  ],
  [
    /permission denied|operation not permitted|read-only file system/i,
    'see Docker’s log (journalctl -u docker) for what the kernel refuses',
  ],
];

/** The hint for a message about a failed container; undefined where the message is not known. Pure. */
export function hostHint(message: string): string | undefined {
  return HINTS.find(([pattern]) => pattern.test(message))?.[1];
}
