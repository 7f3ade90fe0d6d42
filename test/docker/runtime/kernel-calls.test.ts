import { expect, test } from 'vitest';
import { describeDocker, NODE, PYTHON } from '../../support/engine/docker.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

const CALL = `
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    number = libc.syscall(*[ctypes.c_long(argument) for argument in arguments])
    return 'done' if number >= 0 else errno.errorcode[ctypes.get_errno()]
file = os.open('/tmp/file', os.O_RDWR | os.O_CREAT)
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

  test('has what programs are made of: processes, threads, memory, pipes, sockets, files', async () => {
    const python3 = await python(`
import multiprocessing, subprocess, tempfile, threading
with multiprocessing.Pool(2) as pool: print(pool.map(abs, [-1, -2]))
thread = threading.Thread(target=print, args=('thread',)); thread.start(); thread.join()
print(subprocess.check_output(['/bin/sh', '-c', 'echo shell | cat']).decode().strip())
ours, theirs = socket.socketpair(); ours.send(b'socket'); print(theirs.recv(9).decode())
with tempfile.TemporaryDirectory() as there: os.mkfifo(there + '/pipe'); print(os.listdir(there))`);
    expect(python3.split('\n')).toEqual(['[1, 2]', 'thread', 'shell', 'socket', "['pipe']"]);
    const node = `const { execFileSync } = require('child_process');
      console.log(execFileSync('/bin/sh', ['-c', 'echo shell']).toString().trim());
      require('net').createServer().listen(0, '127.0.0.1', function () { console.log('listens'); this.close(); });`;
    expect(await inside(NODE, node)).toBe('shell\nlistens');
  });
});
