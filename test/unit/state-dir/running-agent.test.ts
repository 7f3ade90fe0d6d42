import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { inspectStateDir } from '../../../src/state-dir/inspection.ts';
import { findAgent } from '../../../src/state-dir/running-agent.ts';
import { openStateDir, readLockHolder } from '../../../src/state-dir/state-dir.ts';
import { scratchDir } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';
import { WriterProcess } from '../../support/journal/writer-process.ts';

describe('the agent that runs on a state directory', () => {
  test('is found with its process and phase, and keeps its lock', async () => {
    const path = scratchDir();
    const writer = WriterProcess.start(path);
    await writer.read(1);
    expect(findAgent(path)).toEqual({ kind: 'here', pid: writer.pid, phase: 'working' });
    expect(findAgent(path)).toEqual({ kind: 'here', pid: writer.pid, phase: 'working' });
    expect(agentErrorOf(() => openStateDir(path)).code).toBe('STATE_DIR_IN_USE');
    await writer.kill();
    expect(findAgent(path)).toEqual({ kind: 'none' });
    openStateDir(path).close();
  });

  test('is none if a crash has left a pid that another program has now, for `check` too', async () => {
    const path = scratchDir();
    const writer = WriterProcess.start(path);
    await writer.read(1);
    await writer.kill();
    writeFileSync(join(path, 'lock.pid'), `${process.pid}\n\n`);
    expect(findAgent(path)).toEqual({ kind: 'none' });
    expect(await inspectStateDir(path, () => 0)).toMatchObject({ agent: { kind: 'none' } });
  });

  test('is hidden if the pid in the directory is that of another process', async () => {
    const path = scratchDir();
    const writer = WriterProcess.start(path);
    await writer.read(1);
    writeFileSync(join(path, 'lock.pid'), `${process.pid}\n\n`);
    expect(findAgent(path)).toEqual({ kind: 'hidden', pid: process.pid });
    rmSync(join(path, 'lock.pid'));
    expect(findAgent(path)).toEqual({ kind: 'hidden', pid: undefined });
    await writer.kill();
  });

  test('is none if no agent ever ran', () => {
    expect(findAgent(scratchDir())).toEqual({ kind: 'none' });
  });

  test('writes its phase', () => {
    const path = scratchDir();
    const dir = openStateDir(path);
    expect(readLockHolder(path)).toEqual({ pid: process.pid, phase: 'working' });
    dir.setPhase('draining');
    expect(readLockHolder(path)).toEqual({ pid: process.pid, phase: 'draining' });
    expect(readFileSync(join(path, 'lock.pid'), 'utf8')).toBe(`${process.pid}\ndraining\n`);
    dir.close();
  });
});
