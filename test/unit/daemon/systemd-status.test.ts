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

describe('the address of systemd in the environment', () => {
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

describe('systemd is notified', () => {
  let directory = '';
  const lines: string[] = [];
  const sent = async (): Promise<readonly string[]> =>
    (await readFile(join(directory, 'sent'), 'utf8').catch(() => '')).trim().split('\n');
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
    const program = `#!/bin/sh\n[ "$NOTIFY_SOCKET" = /n ] || exit 1\necho "$*" >>${directory}/sent\n`;
    await writeFile(join(directory, 'systemd-notify'), program);
    await chmod(join(directory, 'systemd-notify'), 0o755);
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test.each([
    [waiting, 'READY=1 STATUS=offers on the market: 0, jobs running: 0; waiting: no engine'],
    [recovered, 'READY=1 STATUS=offers on the market: 0, jobs running: 0'],
  ])('READY=1 is sent once, when the agent works or waits', async (event, expected) => {
    {
      await using status = new SystemdStatus(manager());
      status.observe(event);
      status.observe(event);
    }
    expect(await sent()).toEqual([expected]);
  });

  test('of a reload with its outcome, and of the stop', async () => {
    {
      await using status = new SystemdStatus(manager());
      status.observe(recovered);
      await status.reloading(() => Promise.resolve('read again'));
      status.setPhase('stopping');
    }
    expect((await sent()).slice(1)).toEqual([
      'RELOADING=1',
      'READY=1 STATUS=offers on the market: 0, jobs running: 0; read again',
      'STOPPING=1 STATUS=offers on the market: 0, jobs running: 0; stopping',
    ]);
  });

  test('of draining by its status only, because draining may take longer than systemd lets a stop take', async () => {
    {
      await using status = new SystemdStatus(manager());
      status.observe(recovered);
      status.setPhase('draining');
      await expect.poll(sent, { timeout: 5_000 }).toHaveLength(2);
    }
    expect((await sent())[1]).toBe('STATUS=offers on the market: 0, jobs running: 0; draining');
  });

  test('by the watchdog well within its time', async () => {
    await using _ = new SystemdStatus(manager(400));
    await expect
      .poll(async () => (await sent()).filter((line) => line === 'WATCHDOG=1').length)
      .toBeGreaterThan(1);
  });

  test('not at all where systemd did not start the process', async () => {
    {
      await using status = new SystemdStatus(undefined);
      status.observe(recovered);
      await status.reloading(() => Promise.resolve(''));
      status.setPhase('stopping');
    }
    expect(await sent()).toEqual(['']);
  });

  test('a failure is logged once and has no other effect', async () => {
    await rm(join(directory, 'systemd-notify'));
    await writeFile(join(directory, 'systemd-notify'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const silent = manager();
    await silent.notify('READY=1');
    await silent.notify('WATCHDOG=1');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', event: 'systemd-notify-failed' });
  });
});
