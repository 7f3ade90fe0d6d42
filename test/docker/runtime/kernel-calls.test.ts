import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { describeDocker, NODE, PYTHON } from '../../support/engine/docker.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

const exec = promisify(execFile);

const CALL = `
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    number = libc.syscall(*[ctypes.c_long(argument) for argument in arguments])
    return 'done' if number >= 0 else errno.errorcode[ctypes.get_errno()]
file = os.open('/tmp/file', os.O_RDWR | os.O_CREAT)
text = ctypes.create_string_buffer(b'text')
name_at = ctypes.addressof(text)
one = ctypes.c_int(1)
tcp = socket.socket()
def option(level, name):
    return call(54, tcp.fileno(), level, name, ctypes.addressof(one), 4)
`;

describeDocker('the kernel, as a job may call it,', (engine) => {
  const inside = async (image: string, code: string): Promise<string> => {
    const at = testRuntime(engine.host, { limits: { diskBytes: 1_000_000 } });
    await using job = await TestJob.create(engine, at, '', { image, env: { CODE: code } });
    return (await job.run()).stdout.toString().trim();
  };
  const python = (code: string): Promise<string> => inside(PYTHON, `${CALL}${code}`);

  test('gives out no room on the disk that is not written', async () => {
    // FALLOC_FL_KEEP_SIZE: the file stays empty, and has ten megabytes of the disk.
    const taken = await python(`
print(call(285, file, 1, 0, 10_000_000), os.fstat(file).st_blocks)
print(call(285, file, 0, 0, 10_000), os.fstat(file).st_blocks)
os.posix_fallocate(file, 0, 10_000)
print(os.fstat(file).st_size)`);
    expect(taken.split('\n')).toEqual(['ENOTSUP 0', 'ENOTSUP 0', '10000']);
  });

  test('answers no call that leads out of the container', async () => {
    const answers = {
      'unshare, for a user namespace': ['call(272, 0x10000000)', 'EPERM'],
      'clone, for a user namespace': ['call(56, 0x10000011, 0, 0, 0, 0)', 'EPERM'],
      'clone3, whose flags no filter sees': ['call(435, 0, 0)', 'ENOSYS'],
      mount: ['call(165, 0, 0, 0, 0, 0)', 'EPERM'],
      bpf: ['call(321, 0, 0, 0)', 'EPERM'],
      perf_event_open: ['call(298, 0, 0, -1, -1, 0)', 'EPERM'],
      io_uring_setup: ['call(425, 1, 0)', 'EPERM'],
      keyctl: ['call(250, 0, -3, 0)', 'EPERM'],
      userfaultfd: ['call(323, 0)', 'EPERM'],
      io_setup: ['call(206, 1, 0)', 'ENOSYS'],
      io_destroy: ['call(207, 0)', 'ENOSYS'],
      io_getevents: ['call(208, 0, 0, 0, 0, 0)', 'ENOSYS'],
      io_submit: ['call(209, 0, 0, 0)', 'ENOSYS'],
      io_cancel: ['call(210, 0, 0, 0)', 'ENOSYS'],
      io_pgetevents: ['call(333, 0, 0, 0, 0, 0, 0)', 'ENOSYS'],
      mq_open: ['call(240, 0, 0, 0, 0)', 'ENOSYS'],
      mq_unlink: ['call(241, 0)', 'ENOSYS'],
      mq_timedsend: ['call(242, 0, 0, 0, 0, 0)', 'ENOSYS'],
      mq_timedreceive: ['call(243, 0, 0, 0, 0, 0)', 'ENOSYS'],
      mq_notify: ['call(244, 0, 0)', 'ENOSYS'],
      mq_getsetattr: ['call(245, 0, 0, 0)', 'ENOSYS'],
      inotify_init: ['call(253)', 'ENOSYS'],
      inotify_add_watch: ['call(254, 0, 0, 0)', 'ENOSYS'],
      inotify_rm_watch: ['call(255, 0, 0)', 'ENOSYS'],
      inotify_init1: ['call(294, 0)', 'ENOSYS'],
      fanotify_init: ['call(300, 0, 0)', 'ENOSYS'],
      fanotify_mark: ['call(301, 0, 0, 0, 0, 0)', 'ENOSYS'],
      'seccomp, for a filter': ['call(317, 1, 0, 0)', 'ENOSYS'],
      'prctl, for a filter': ['call(157, 22, 2, 0)', 'EPERM'],
      'prctl, for a filter in the lower half': ['call(157, 0x100000016, 2, 0)', 'EPERM'],
      'prctl, for a name': ['call(157, 16, name_at, 0)', 'done'],
      'setsockopt, for a filter': ['option(1, 26)', 'EPERM'],
      'setsockopt, for a filter in the lower halves': ['option(0x100000001, 0x10000001a)', 'EPERM'],
      'setsockopt, for a filter of a group': ['option(1, 51)', 'EPERM'],
      'setsockopt, to reuse an address': ['option(1, 2)', 'done'],
      'setsockopt, for TCP': ['option(6, 1)', 'done'],
      'mmap, for huge pages': ['call(9, 0, 0x200000, 3, 0x40022, -1, 0)', 'ENOMEM'],
      'memfd_create, for huge pages': ['call(319, name_at, 4)', 'ENOMEM'],
      memfd_create: ['call(319, name_at, 0)', 'done'],
      setns: ['call(308, file, 0)', 'EPERM'],
      open_by_handle_at: ['call(304, file, 0, 0)', 'EPERM'],
      'a socket of the kernel’s ciphers': ['call(41, 38, 5, 0)', 'EPERM'],
      'a socket to the hypervisor': ['call(41, 40, 1, 0)', 'EPERM'],
      'a raw socket': ['call(41, 17, 3, 0)', 'EPERM'],
      'a socket of the internet': ['call(41, 2, 1, 0)', 'done'],
      'the name of a file system’s personality': ['call(135, 0xffffffff)', 'done'],
    } as const;
    const calls = Object.values(answers).map(([call]) => `print(${call})`);
    const got = (await python(calls.join('\n'))).split('\n');
    expect(Object.fromEntries(Object.keys(answers).map((name, index) => [name, got[index]]))).toEqual(
      Object.fromEntries(Object.entries(answers).map(([name, [, answer]]) => [name, answer])),
    );
  });

  test('leaves the counts of the whole host to its neighbours', async () => {
    const at = testRuntime(engine.host, { limits: { diskBytes: 1_000_000 } });
    const greedy = `${CALL}
for _ in range(2000): call(206, 4096, 0); call(294, 0)
print('has tried', flush=True); import time; time.sleep(600)`;
    await using job = await TestJob.create(engine, at, '', { image: PYTHON, env: { CODE: greedy } });
    await at.runtime.start(job.id);
    const tried = new AbortController();
    const onOutput = (): void => tried.abort();
    await at.runtime.follow(job.id, onOutput, AbortSignal.any([tried.signal, AbortSignal.timeout(60_000)]));
    expect(tried.signal.aborted).toBe(true);
    // Another job has the same user, and would meet the same counts.
    const neighbour = `import ctypes; libc = ctypes.CDLL(None, use_errno=True)
context = ctypes.c_ulong()
print(libc.syscall(206, 128, ctypes.byref(context)), libc.inotify_init1(0) >= 0)`;
    const user = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
    // Debian's own Python, since that user may not be allowed to run any other.
    const { stdout } = await exec('setpriv', [...user, '/usr/bin/python3', '-c', neighbour]);
    expect(stdout.trim()).toBe('0 True');
  });

  test('leaves the counts of a user to a neighbour', async () => {
    const at = testRuntime(engine.host, { limits: { diskBytes: 1_000_000, user: 'separate' } });
    // The kernel allows as many descriptors on their way in messages as a process may have open, for all of a user.
    const greedy = `
import array, os, socket, time
file = os.open('/dev/null', os.O_RDONLY)
kept = []
try:
    while True:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.setblocking(False)
        kept.append((ours, theirs))
        try:
            while True:
                ours.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [file] * 253))])
        except BlockingIOError: pass
except OSError as error: print(error.errno, flush=True)
time.sleep(600)`;
    const neighbourly = `
import multiprocessing, socket
from multiprocessing import reduction
ours, theirs = socket.socketpair()
reduction.send_handle(ours, 0, None)
print(reduction.recv_handle(theirs) > 0)`;
    await using job = await TestJob.create(engine, at, '', { image: PYTHON, env: { CODE: greedy } });
    await at.runtime.start(job.id);
    const full = new AbortController();
    const onOutput = (): void => full.abort();
    await at.runtime.follow(job.id, onOutput, AbortSignal.any([full.signal, AbortSignal.timeout(60_000)]));
    expect(full.signal.aborted).toBe(true);
    const beside = async (neighbour: number): Promise<string> => {
      const plan = { image: PYTHON, env: { CODE: neighbourly }, neighbour };
      await using other = await TestJob.create(engine, { ...at, agentId: randomUUID() }, '', plan);
      return (await other.run()).stdout.toString().trim();
    };
    expect(await beside(1)).toBe('True');
    // As the same user, it would be refused: the test shows something.
    expect(await beside(0)).toBe('');
  });

  test('has what programs are made of: processes, threads, memory, pipes, sockets, files', async () => {
    const python3 = await python(`
import multiprocessing, subprocess, tempfile, threading
with multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1, -2]))
thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()
print(subprocess.check_output(['/bin/sh', '-c', 'echo shell | cat']).decode().strip())
ours, theirs = socket.socketpair(); ours.send(b'socket'); print(theirs.recv(9).decode())
with tempfile.TemporaryDirectory() as there: os.mkfifo(there + '/pipe'); print(os.listdir(there))
import asyncio, getpass, mmap
async def served():
    server = await asyncio.start_server(lambda reader, writer: writer.close(), '127.0.0.1', 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    return await reader.read()
print(asyncio.run(served()), len(mmap.mmap(-1, 100_000)), getpass.getuser())`);
    expect(python3.split('\n')).toEqual([
      '[1, 2]',
      'thread',
      'shell',
      'socket',
      "['pipe']",
      "b'' 100000 nobody",
    ]);
    const node = `const { execFileSync } = require('child_process');
      console.log(execFileSync('/bin/sh', ['-c', 'echo shell']).toString().trim());
      require('net').createServer().listen(0, '127.0.0.1', function () { console.log('listens'); this.close(); });`;
    expect(await inside(NODE, node)).toBe('shell\nlistens');
  });
});
