import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ask } from '../../../src/control-api/ask.ts';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { openDecisions } from '../../../src/journal/open-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { describeDisks } from '../../support/disk/describe-disks.ts';
import { SmallDisk } from '../../support/disk/disks.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { openOwnerHost, STUBBORN } from '../../support/e2e/owner-host.ts';
import { describeGpuStandIn } from '../../support/engine/docker.ts';

/* What an owner may get wrong, or find wrong: each is refused with a code of its own, and nothing has changed. */

/** A command of the owner on a state directory, without GPUs, and what it was refused for. */
async function refusal(
  stateDir: string,
  argv: readonly string[],
  {
    env = {},
    through = [],
  }: { readonly env?: Readonly<Record<string, string>>; readonly through?: readonly string[] } = {},
): Promise<string> {
  const more = { SHAREDCLOUD_STATE_DIR: stateDir, SHAREDCLOUD_NVIDIA_SMI: '/nonexistent', ...env };
  await using command = new AgentProcess(argv, more, 'src/main.ts', through);
  const { code, stderr, stdout } = await command.ended;
  return `${code} ${/error (\w+)/.exec(stderr)?.[1] ?? `${stdout}${stderr}`}`;
}

/** What is decided on a state directory, and by how many commands. */
function decided(stateDir: string) {
  const directory = openStateDir(stateDir, statSync(stateDir, { throwIfNoEntry: false })?.uid);
  const journal = openDecisions(directory, systemClock);
  try {
    return { decisions: journal.decisions.load().length, commands: journal.decisions.audit(1_000).length };
  } finally {
    journal.close();
    directory.close();
  }
}

/** Pauses with one tag after the other; answers how many were taken, and by which codes the others were refused. */
async function manyPauses(stateDir: string) {
  let taken = 0;
  const codes = new Set<string>();
  for (let tag = 0; tag < 60; tag += 1) {
    const body = { targets: ['1'], tag: String(tag), note: 'x'.repeat(500) };
    try {
      await ask(stateDir, ENDPOINTS.pause, { caller: 'a test', body }, 20_000);
      taken += 1;
    } catch (thrown) {
      codes.add(thrown instanceof AgentError ? thrown.code : String(thrown));
    }
  }
  return { taken, codes: [...codes] };
}

const NOTHING = { decisions: 0, commands: 0 };

function folder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'owner-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

const WRONG: readonly (readonly [what: string, argv: readonly string[], refused: string])[] = [
  ['a GPU that is not here', ['pause', '7'], '2 TARGET_UNKNOWN'],
  ['one of several GPUs that is not here', ['reclaim', '0', 'GPU-dead', '--yes'], '2 TARGET_UNKNOWN'],
  ['a minor number that is not here', ['mode', 'off', '--gpu-minor', '0,9'], '2 TARGET_UNKNOWN'],
  ['two ends', ['pause', '0', '--for', '1h', '--until', '22:00'], '2 CONFIG_INVALID'],
  ['a time in the past', ['pause', '--until', '2020-01-01T00:00'], '2 TIME_INVALID'],
  ['a time that the clocks skip', ['reclaim', '--yes', '--until', '2027-03-28T02:30'], '2 TIME_INVALID'],
  ['a day that does not exist', ['mode', 'off', '--until', '2027-02-30T12:00'], '2 TIME_INVALID'],
  ['no time at all', ['pause', '--until', 'tomorrow'], '2 TIME_INVALID'],
  ['no duration', ['pause', '--for', '0s'], '2 CONFIG_INVALID'],
  ['a schedule that never changes', ['pause', '--until-next'], '2 TIME_INVALID'],
  ['no mode', ['mode', '0'], '2 CONFIG_INVALID'],
  ['a question that nobody can answer', ['reclaim'], '1 NOT_CONFIRMED'],
];

describeGpuStandIn('an owner’s command', (engine) => {
  test.concurrent('that is wrong changes nothing at a running agent, and without one', async () => {
    await using host = await openOwnerHost(engine, { settings: { TZ: 'Europe/Berlin' } });
    const tried = async (rows: typeof WRONG) => {
      const ended = await Promise.all(rows.map(([, argv]) => host.command(...argv)));
      return ended.map(({ code, stderr }, at) => [
        rows[at]?.[0],
        `${code} ${/error (\w+)/.exec(stderr)?.[1] ?? stderr}`,
      ]);
    };
    const expected = WRONG.map(([what, , refused]) => [what, refused]);
    expect(await tried(WRONG.slice(0, 3))).toEqual(expected.slice(0, 3));
    {
      await using agent = await host.start();
      const run = host.addRun(STUBBORN, 1);
      await agent.untilLogged({ event: 'job-started' });
      expect(await tried(WRONG)).toEqual(expected);
      expect(host.offered()).toEqual([2]);
      await host.untilRunning(run, 1);
      expect(await host.json('reclaim', '--yes', '--within', '0s', '--for', '1h')).toMatchObject({ code: 0 });
      // What is there already is no mistake.
      expect(await host.json('pause')).toMatchObject({ code: 0, changed: true });
      expect(await host.json('pause')).toMatchObject({ code: 0, changed: false });
    }
    expect(decided(host.scenario.env.SHAREDCLOUD_STATE_DIR)).toEqual({ decisions: 1, commands: 2 });
  });
});

describeDisks(
  'a full disk',
  () => new SmallDisk(),
  (engine) => {
    test.concurrent('refuses a pause at a running agent, which goes on', async () => {
      using disk = new SmallDisk('16m');
      const stateDir = join(disk.path, 'state');
      await using host = await openOwnerHost(engine, { settings: { SHAREDCLOUD_STATE_DIR: stateDir } });
      {
        await using agent = await host.start();
        await agent.untilLogged({ event: 'offer-registered' });
        disk.fill();
        // The journal may have room of its own for a while.
        const { codes, taken } = await manyPauses(stateDir);
        expect(codes).toEqual(['STATE_DIR_UNUSABLE']);
        disk.empty();
        expect(await host.json('pause', '--tag', 'last')).toMatchObject({ code: 0, changed: true });
        await agent[Symbol.asyncDispose]();
        expect(decided(stateDir)).toEqual({ decisions: taken + 1, commands: taken + 1 });
      }
    });

    test.concurrent('refuses a pause without an agent', async () => {
      using disk = new SmallDisk();
      const stateDir = join(disk.path, 'state');
      expect(decided(stateDir)).toEqual(NOTHING);
      disk.fill();
      expect(await refusal(stateDir, ['pause'])).toBe('7 STATE_DIR_UNUSABLE');
      disk.empty();
      expect(decided(stateDir)).toEqual(NOTHING);
    });
  },
);

test.concurrent('an agent of another version is not commanded', async () => {
  using dir = folder();
  const server = createServer((_, response) => response.end('{"schema":2,"version":"9.9.9"}'));
  const listening = Promise.withResolvers<void>();
  server.listen(join(dir.path, 'control.sock'), listening.resolve);
  await listening.promise;
  expect(await refusal(dir.path, ['pause'])).toBe('1 CONTROL_VERSION');
  expect(await refusal(dir.path, ['reclaim'])).toBe('1 CONTROL_VERSION');
  server.close();
  expect(decided(dir.path)).toEqual(NOTHING);
});

test.concurrent('an agent without a socket is not commanded', async () => {
  using dir = folder();
  const held = openStateDir(dir.path);
  expect(await refusal(dir.path, ['resume'])).toBe('1 AGENT_OUT_OF_REACH');
  held.close();
  expect(decided(dir.path)).toEqual(NOTHING);
});

test.skipIf(process.getuid?.() !== 0)(
  'what root writes in the directory of an agent is that agent’s',
  async () => {
    using dir = folder();
    chownSync(dir.path, 65_534, 65_534);
    await using command = new AgentProcess([
      'pause',
      '--nvidia-smi',
      '/nonexistent',
      '--state-dir',
      dir.path,
    ]);
    expect(await command.ended).toMatchObject({ code: 0 });
    const owners = readdirSync(dir.path).map((name) => statSync(join(dir.path, name)).uid);
    expect(new Set(owners)).toEqual(new Set([65_534]));
    // An agent that could not start would not obey either.
    expect(decided(dir.path)).toEqual({ decisions: 1, commands: 1 });
  },
);

test.skipIf(process.getuid?.() !== 0)('another user’s socket or directory is left alone', async () => {
  using dir = folder();
  const server = createServer((_, response) => response.end('{}'));
  const listening = Promise.withResolvers<void>();
  const socket = join(dir.path, 'control.sock');
  server.listen(socket, listening.resolve);
  await listening.promise;
  chownSync(socket, 12_345, 12_345);
  expect(await refusal(dir.path, ['pause'])).toBe('1 CONTROL_FOREIGN');
  server.close();
  const theirs = join(dir.path, 'theirs');
  mkdirSync(theirs, { mode: 0o700 });
  chownSync(theirs, 12_345, 12_345);
  chownSync(dir.path, 65_534, 65_534);
  const through = ['setpriv', '--reuid', '65534'];
  expect(await refusal(theirs, ['pause'], { through })).toBe('1 AGENT_OUT_OF_REACH');
});
