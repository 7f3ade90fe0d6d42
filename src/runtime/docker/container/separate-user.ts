const NOBODY = 65_534;
/** `nobody`, and the users before it that systemd and Debian leave unused (65520 to 65533). */
const USERS = 15;

/**
 * The user of a job beside others, as `uid:gid`. The kernel counts some things by user, whatever the container: one job
 * could use up what all jobs of its user may have of file descriptors in messages, epoll watches, pending signals and
 * pipe buffers. The first job, which is the only one on most hosts, is nobody, as images know it. Pure.
 */
export function separateUser(neighbour = 0): string {
  return `${NOBODY - (neighbour % USERS)}:${NOBODY}`;
}
