import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readGames } from '../../../src/host/game-mode.ts';

const SIGNAL = new AbortController().signal;

/** Asks a busctl that is this shell script; the last argument is `ClientCount` or the name of GameMode. */
async function games(script: string): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'busctl-'));
  const program = join(directory, 'busctl');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  try {
    return await readGames(SIGNAL, program);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const RUNNING = `case "$*" in *NameHasOwner*) echo '{"type":"b","data":[true]}';;`;

describe('the games of a session', () => {
  test('are counted by GameMode', async () => {
    expect(await games(`${RUNNING} *ClientCount) echo '{"type":"i","data":2}';; esac`)).toBe(2);
  });

  test('are none while GameMode does not run, and it is not started', async () => {
    const onlyQuietly = `case "$*" in *--auto-start=no*NameHasOwner*) echo '{"type":"b","data":[false]}';; *) exit 1;; esac`;
    expect(await games(onlyQuietly)).toBe(0);
  });

  test.each([
    ['there is no session bus', `echo 'Failed to connect to user scope bus: No medium found' >&2; exit 1`],
    ['the bus answers something else', 'echo nonsense'],
    ['GameMode answers something else', `${RUNNING} *) echo '{"type":"s","data":"two"}';; esac`],
    [
      'GameMode ends in between',
      `${RUNNING} *) echo 'Failed to get property: no such name' >&2; exit 1;; esac`,
    ],
    ['GameMode counts backwards', `${RUNNING} *) echo '{"type":"i","data":-1}';; esac`],
  ])('are unknown, not none, where %s', async (_, script) => {
    await expect(games(script)).rejects.toMatchObject({ code: 'GAMES_UNREADABLE' });
  });

  test('are unknown without busctl', async () => {
    await expect(readGames(SIGNAL, 'no-such-busctl')).rejects.toMatchObject({ code: 'GAMES_UNREADABLE' });
  });
});
