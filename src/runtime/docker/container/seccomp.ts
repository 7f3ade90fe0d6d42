/** A rule of a seccomp profile in the engine's field names. The engine evaluates `includes`, the kernel the rest. */
type Rule = {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  readonly errnoRet?: number;
  readonly includes?: { readonly minKernel: string };
  readonly args?: readonly Arg[];
};

/** A comparison with an argument of the call: `MASKED_EQ` compares it with `valueTwo`, under the mask `value`. */
type Arg = {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_MASKED_EQ';
};

const ENOMEM = 12;
const ENOSYS = 38;
const EOPNOTSUPP = 95;

/** UNIX, IPv4, IPv6 and netlink. Any other family makes the kernel load a module. */
const SOCKET_FAMILIES = [1, 2, 10, 16];

/** The values that Docker's own profile allows: PER_LINUX, PER_LINUX32, both with UNAME26, and the query. */
const PERSONALITIES = [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/** The `clone` flags that create a namespace: mount, cgroup, UTS, IPC, user, PID, network. */
const NEW_NAMESPACES = 0x7e02_0000;

/** Flags of `mmap` and `memfd_create` for huge pages, of which the host has a fixed number. */
const MAP_HUGETLB = 0x4_0000;
const MFD_HUGETLB = 0x4;

/** Compares the lower 32 bits alone, since the kernel takes such an argument as an `int`. */
const INT = 0xffff_ffff;

/**
 * All of `prctl` but PR_SET_SECCOMP (22), as masks and values: 0 to 127, PR_SET_VMA and PR_SET_PTRACER. A filter's
 * compiled code counts against one limit of the whole host (net.core.bpf_jit_limit).
 */
const PRCTL_OPTIONS = [
  [0xffff_fff0, 0],
  [0xffff_fffc, 16],
  [0xffff_fffe, 20],
  [INT, 23],
  [0xffff_fff8, 24],
  [0xffff_ffe0, 32],
  [0xffff_ffc0, 64],
  [INT, 0x5356_4d41],
  [INT, 0x5961_6d61],
] as const;

const SOL_SOCKET = 1;
/** The levels of IP, TCP, UDP, IPv6, ICMPv6, UDP-Lite, netlink, TLS and MPTCP, of which all options are allowed. */
const SOCKET_LEVELS = [0, 6, 17, 41, 58, 136, 270, 282, 284];
/**
 * All options of sockets, as masks and values, but those that attach a filter: SO_ATTACH_FILTER (26), SO_ATTACH_BPF (50),
 * SO_ATTACH_REUSEPORT_CBPF (51) and _EBPF (52).
 */
const SOCKET_OPTIONS = [
  [0xffff_fff0, 0],
  [0xffff_fff8, 16],
  [0xffff_fffe, 24],
  [INT, 27],
  [0xffff_fffc, 28],
  [0xffff_fff0, 32],
  [0xffff_fffe, 48],
  [INT, 53],
  [0xffff_fffe, 54],
  [0xffff_fff8, 56],
  [0xffff_ffc0, 64],
] as const;

/** System calls for a process without capabilities on 64-bit CPUs. The engine ignores names that the CPU lacks. */
const CALLS = {
  files: `access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
    fadvise64 fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync flock fstat fstatfs fsync ftruncate
    futimesat getcwd getdents getdents64 ioctl lchown link linkat lseek lstat mkdir mkdirat mknod mknodat newfstatat
    open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv
    rename renameat renameat2 rmdir sendfile splice stat statfs statx symlink symlinkat sync sync_file_range
    sync_file_range2 syncfs tee truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev`,
  attributes: `fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat
    llistxattr lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat`,
  waiting: `epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 pipe pipe2 poll ppoll pselect6 select signalfd
    signalfd4`,
  memory: `brk cachestat madvise map_shadow_stack membarrier mincore mlock mlock2 mlockall mprotect
    mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages`,
  shared: `msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget`,
  processes: `arch_prctl capget capset execve execveat exit exit_group fork getcpu getpgid getpgrp getpid getppid
    getpriority getrlimit getrusage getsid gettid ioprio_get ioprio_set kill pidfd_open pidfd_send_signal
    prlimit64 process_mrelease sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr
    sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
    sched_setscheduler sched_yield setpgid setpriority setrlimit setsid sysinfo tgkill times tkill uname vfork wait4
    waitid`,
  threads: `futex futex_requeue futex_wait futex_waitv futex_wake get_robust_list rseq set_robust_list set_tid_address`,
  signals: `alarm getitimer pause restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn
    rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo setitimer sigaltstack uretprobe`,
  identity: `getegid geteuid getgid getgroups getresgid getresuid getuid setfsgid setfsuid setgid setgroups setregid
    setresgid setresuid setreuid setuid`,
  time: `clock_getres clock_gettime clock_nanosleep gettimeofday nanosleep time timer_create timer_delete
    timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime`,
  sockets: `accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg
    sendmsg sendto shutdown socketpair`,
  own: `getrandom landlock_add_rule landlock_create_ruleset landlock_restrict_self`,
};

/**
 * Calls that draw on a count of the whole host, or of one user on it, which one job could use up for all others: AIO
 * contexts (fs.aio-max-nr), inotify instances, POSIX queues, and filters. Programs fall back on ENOSYS, as on a small
 * kernel.
 */
const HOST_WIDE = `fanotify_init fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
    io_cancel io_destroy io_getevents io_pgetevents io_setup io_submit
    mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink
    seccomp`;

const RULES: readonly Rule[] = [
  allow(Object.values(CALLS).flatMap((names) => names.split(/\s+/))),
  // Before Linux 4.8, ptrace bypassed every filter.
  { ...allow(['ptrace']), includes: { minKernel: '4.8' } },
  ...SOCKET_FAMILIES.map((value) => allowWhere('socket', equal(0, value))),
  ...PERSONALITIES.map((value) => allowWhere('personality', equal(0, value))),
  allowWhere('clone', masked(0, NEW_NAMESPACES, 0)),
  ...unlessHuge('mmap', 3, MAP_HUGETLB),
  ...unlessHuge('memfd_create', 1, MFD_HUGETLB),
  ...PRCTL_OPTIONS.map(([mask, value]) => allowWhere('prctl', masked(0, mask, value))),
  ...SOCKET_LEVELS.map((level) => allowWhere('setsockopt', masked(1, INT, level))),
  ...SOCKET_OPTIONS.map(([mask, value]) =>
    allowWhere('setsockopt', masked(1, INT, SOL_SOCKET), masked(2, mask, value)),
  ),
  { names: HOST_WIDE.split(/\s+/), action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  // clone3 passes its flags in memory, where a filter cannot read them. On ENOSYS, libraries fall back to `clone`.
  { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  // fallocate takes any amount of disk at once, and evades the file size limit and the disk measurement. On EOPNOTSUPP,
  // libraries write zeros instead.
  { names: ['fallocate'], action: 'SCMP_ACT_ERRNO', errnoRet: EOPNOTSUPP },
];

/**
 * The seccomp profile of jobs, as the engine's JSON. Other system calls fail with EPERM, and so do 32-bit programs.
 * Stricter than Docker's own: nothing that needs a capability, no io_uring and no `fallocate` (decision 0016).
 */
export const SECCOMP_PROFILE = JSON.stringify({ defaultAction: 'SCMP_ACT_ERRNO', syscalls: RULES });

function allow(names: readonly string[]): Rule {
  return { names, action: 'SCMP_ACT_ALLOW' };
}

function allowWhere(name: string, ...args: readonly Arg[]): Rule {
  return { ...allow([name]), args };
}

/** Allows a call without a flag; with it, the host has no huge page left. */
function unlessHuge(name: string, index: number, flag: number): readonly Rule[] {
  const refuse = { names: [name], action: 'SCMP_ACT_ERRNO', errnoRet: ENOMEM } as const;
  return [allowWhere(name, masked(index, flag, 0)), { ...refuse, args: [masked(index, flag, flag)] }];
}

function equal(index: number, value: number): Arg {
  return { index, value, op: 'SCMP_CMP_EQ' };
}

function masked(index: number, mask: number, value: number): Arg {
  return { index, value: mask, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' };
}
