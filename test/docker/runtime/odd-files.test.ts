import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { describeDocker, PYTHON } from '../../support/engine/docker.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

/** Files as hostile jobs leave them, by the Python code that makes them in /tmp. */
const LEFT: Readonly<Record<string, string>> = {
  'tens of thousands of files': "for n in range(20_000): open('f%d' % n, 'w').close()",
  'tens of thousands of hard links':
    "open('f', 'w').close()\nfor n in range(20_000): os.link('f', 'l%d' % n)",
  'a file that seems to have terabytes': "os.truncate(os.open('f', os.O_CREAT | os.O_RDWR), 10**9)",
  'paths longer than PATH_MAX': "for n in range(100): os.mkdir('d' * 200); os.chdir('d' * 200)",
  'directories without permissions':
    "for n in range(50): os.mkdir('d'); os.chmod('d', 0o700); os.chdir('d')\nos.chmod('.', 0)",
  'names of line breaks, escapes and invalid UTF-8':
    "for name in (b'a\\nb', b'\\x1b[2J', b'\\xff\\xfe', b'-rf', b'*', b'$(id)'): os.close(os.open(name, os.O_CREAT))",
  'pipes and sockets':
    "import socket\nfor n in range(1000): os.mkfifo('p%d' % n); socket.socket(socket.AF_UNIX).bind('s%d' % n)",
};

describeDocker('a container with', (engine) => {
  test.each(Object.entries(LEFT))('%s is removed', async (_, code) => {
    const at = testRuntime(engine.host);
    const env = { CODE: `import os\nos.chdir('/tmp')\n${code}\nprint('made')` };
    await using job = await TestJob.create(engine, at, '', { image: PYTHON, env });
    expect((await job.run()).stdout.toString()).toBe('made\n');
  });

  test('directories nested more deeply than Docker can remove names the command that removes them', async () => {
    const at = testRuntime(engine.host);
    const code =
      "import os\nos.chdir('/tmp')\nfor n in range(22_000): os.mkdir('d'); os.chdir('d')\nprint('made')";
    const job = await TestJob.create(engine, at, '', { image: PYTHON, env: { CODE: code } });
    expect((await job.run()).stdout.toString()).toBe('made\n');
    const outcome = await at.runtime.remove(job.id).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    // A Docker that may open more files than there are levels removes them.
    if (outcome !== undefined) {
      const { code: failure, hint = '', message } = await rejection(Promise.reject(outcome));
      expect(failure).toBe('RUNTIME_FAILED');
      expect(message.length).toBeLessThan(3_000);
      const [, directory] = /sudo rm -rf (\/\S+) && docker rm -f [0-9a-f]{12}$/.exec(hint) ?? [];
      expect(directory).toMatch(/\/overlay2\/[0-9a-f]{64}\/diff$/);
      execFileSync('rm', ['-rf', directory ?? '/nowhere']);
    }
    await job[Symbol.asyncDispose]();
  }, 200_000);
});
