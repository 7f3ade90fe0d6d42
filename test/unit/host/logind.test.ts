import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Logind, parseSessions } from '../../../src/host/logind.ts';

/** As loginctl of systemd 252 prints it, written by hand after its manual. */
const SHOWN = `Id=2
Name=ada
TimestampMonotonic=61000000
Remote=no
Type=wayland
Class=user
Active=yes
State=active
IdleHint=yes
IdleSinceHint=1790000000123456
LockedHint=no

Id=c1
Name=gdm
TimestampMonotonic=9000000
Remote=no
Type=x11
Class=greeter
Active=no
State=closing
IdleHint=no
IdleSinceHint=0
LockedHint=no

Id=7
Name=bob
TimestampMonotonic=71000000
Remote=yes
Type=tty
Class=user
Active=yes
State=active
IdleHint=no
IdleSinceHint=0
LockedHint=no
`;

type StandIn = AsyncDisposable & { readonly logind: Logind };

/** A loginctl that is this shell script. */
async function loginctl(script: string): Promise<StandIn> {
  const directory = await mkdtemp(join(tmpdir(), 'loginctl-'));
  const program = join(directory, 'loginctl');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  return {
    logind: new Logind({ program, monotonic: () => 100_000 }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

const SIGNAL = new AbortController().signal;
const LIST = `echo '     2 1000 ada seat0 tty2'; echo '     7 1001 bob       pts/0'; echo; echo 'x; rm 1000'`;

describe('the sessions of this host', () => {
  test('are read with all that is known of them, but for one that is closing', () => {
    expect(parseSessions(SHOWN, 100_000)).toEqual([
      {
        id: '2',
        kind: 'user',
        type: 'wayland',
        user: 'ada',
        isRemote: false,
        isActive: true,
        isLocked: false,
        isIdle: true,
        idleSince: 1_790_000_000_123.456,
        ageMs: 39_000,
      },
      expect.objectContaining({ id: '7', user: 'bob', isRemote: true, idleSince: undefined, ageMs: 29_000 }),
    ]);
  });

  test('are asked for by their ids', async () => {
    await using one = await loginctl(
      `case $1 in list-sessions) ${LIST};; show-session) printf 'Id=2\\nClass=user\\nName=%s-%s\\n' "$4" "$5";; esac`,
    );
    const sessions = await one.logind.read(SIGNAL);
    expect(sessions?.[0]?.user).toBe('2-7');
  });

  test('are none on a host without a session', async () => {
    await using one = await loginctl('exit 0');
    expect(await one.logind.read(SIGNAL)).toEqual([]);
  });

  test.each([
    ['System has not been booted with systemd as init system (PID 1). Can’t operate.'],
    ['Failed to connect to bus: No such file or directory'],
    ['Failed to connect to system scope bus via local transport: Connection refused'],
  ])('do not exist where loginctl says %j', async (words) => {
    await using one = await loginctl(`echo '${words}' >&2; exit 1`);
    expect(await one.logind.read(SIGNAL)).toBeUndefined();
  });

  test('do not exist without loginctl', async () => {
    expect(await new Logind({ program: 'no-such-loginctl' }).read(SIGNAL)).toBeUndefined();
  });

  test.each([
    ['the list', `echo 'Failed to list sessions: Connection timed out' >&2; exit 1`],
    [
      'the sessions',
      `case $1 in list-sessions) ${LIST};; *) echo 'Failed: Connection timed out' >&2; exit 1;; esac`,
    ],
  ])('are unknown, not none, where %s cannot be read', async (_, script) => {
    await using one = await loginctl(script);
    await expect(one.logind.read(SIGNAL)).rejects.toMatchObject({ code: 'SESSIONS_UNREADABLE' });
  });
});
