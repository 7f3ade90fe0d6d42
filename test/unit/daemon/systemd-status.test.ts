import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AgentEvent } from '../../../src/agent/events/events.ts';
import { SystemdNotifier, systemdNotifyAddress } from '../../../src/daemon/systemd-notify.ts';
import { SystemdStatus } from '../../../src/daemon/systemd-status.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { createLog } from '../../../src/lib/log.ts';
import { Redactor } from '../../../src/lib/redactor.ts';

describe('the service manager in the environment', () => {
  test.each([
    [{}, undefined],
    [{ NOTIFY_SOCKET: '', PATH: '/bin' }, undefined],
    [
      { NOTIFY_SOCKET: '/n', PATH: '/bin' },
      { socket: '/n', path: '/bin', watchdogMs: undefined },
    ],
    [
      { NOTIFY_SOCKET: '@n', WATCHDOG_USEC: '3000000' },
      { socket: '@n', path: '', watchdogMs: 3_000 },
    ],
    [
      { NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '3000000', WATCHDOG_PID: '7' },
      { socket: '/n', path: '', watchdogMs: 3_000 },
    ],
    [
      { NOTIFY_SOCKET: '/n', WATCHDOG_USEC: '3000000', WATCHDOG_PID: '8' },
      { socket: '/n', path: '', watchdogMs: undefined },
    ],
    [
      { NOTIFY_SOCKET: '/n', WATCHDOG_USEC: 'soon' },
      { socket: '/n', path: '', watchdogMs: undefined },
    ],
  ])('%j', (env, expected) => {
    expect(systemdNotifyAddress(env, 7)).toEqual(expected);
  });
});

describe('what the service manager is told', () => {
  let directory = '';
  const lines: string[] = [];
  const told = async (): Promise<readonly string[]> =>
    (await readFile(join(directory, 'told'), 'utf8').catch(() => '')).trim().split('\n');
  const manager = (watchdogMs?: number): SystemdNotifier => {
    const destination = { write: (line: string) => void lines.push(line) };
    const log = createLog({
      level: 'warn',
      format: 'json',
      colour: false,
      destination,
      redactor: new Redactor(),
    });
    return new SystemdNotifier({ socket: '/n', path: `${directory}:/usr/bin:/bin`, watchdogMs }, log);
  };
  const waiting: AgentEvent = {
    kind: 'startup-blocked',
    error: new AgentError('RUNTIME_UNAVAILABLE', 'no\nengine'),
    retryInMs: 1,
  };
  const recovered: AgentEvent = { kind: 'recovery-completed', adopted: 0 };

  beforeEach(async () => {
    lines.length = 0;
    directory = await mkdtemp(join(tmpdir(), 'notify-'));
    const program = `#!/bin/sh\n[ "$NOTIFY_SOCKET" = /n ] || exit 1\necho "$*" >>${directory}/told\n`;
    await writeFile(join(directory, 'systemd-notify'), program);
    await chmod(join(directory, 'systemd-notify'), 0o755);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test.each([
    [waiting, 'READY=1 STATUS=offers on the market: 0, jobs running: 0; waiting: no engine'],
    [recovered, 'READY=1 STATUS=offers on the market: 0, jobs running: 0'],
  ])('the start is over once it works or waits, and that is said once', async (event, expected) => {
    {
      await using vitals = new SystemdStatus(manager());
      vitals.see(event);
      vitals.see(event);
    }
    expect(await told()).toEqual([expected]);
  });

  test('a reload and its outcome, and the end', async () => {
    {
      await using vitals = new SystemdStatus(manager());
      vitals.see(recovered);
      await vitals.reloading(() => Promise.resolve('read again'));
      vitals.leaving('stopping');
    }
    expect((await told()).slice(1)).toEqual([
      'RELOADING=1',
      'READY=1 STATUS=offers on the market: 0, jobs running: 0; read again',
      'STOPPING=1 STATUS=offers on the market: 0, jobs running: 0; stopping',
    ]);
  });

  test('draining is no stopping: it may last longer than systemd gives a service to stop', async () => {
    {
      await using vitals = new SystemdStatus(manager());
      vitals.see(recovered);
      vitals.leaving('draining');
      await expect.poll(told, { timeout: 5_000 }).toHaveLength(2);
    }
    expect((await told())[1]).toBe('STATUS=offers on the market: 0, jobs running: 0; draining');
  });

  test('signs of life come well within the time that the watchdog gives', async () => {
    await using _ = new SystemdStatus(manager(400));
    await expect
      .poll(async () => (await told()).filter((line) => line === 'WATCHDOG=1').length)
      .toBeGreaterThan(1);
  });

  test('nothing at all where nobody has started us', async () => {
    {
      await using vitals = new SystemdStatus(undefined);
      vitals.see(recovered);
      await vitals.reloading(() => Promise.resolve(''));
      vitals.leaving('stopping');
    }
    expect(await told()).toEqual(['']);
  });

  test('where it cannot be told that is logged once, and nothing else happens', async () => {
    await rm(join(directory, 'systemd-notify'));
    await writeFile(join(directory, 'systemd-notify'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const silent = manager();
    await silent.tell('READY=1');
    await silent.tell('WATCHDOG=1');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('the service manager could not be told how we are');
  });
});
