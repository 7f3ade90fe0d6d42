import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { AgentProcess } from '../../support/e2e/agent-process.ts';

const WAIT = { timeout: 30_000, interval: 50 };

describe('a dry run that is ended midway', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('by %s ends its jobs, removes its files and answers %i', async (name, exit) => {
    const directory = scratch();
    await using dryRun = new AgentProcess(['dry-run', '--nvidia-smi', '/nonexistent'], { TMPDIR: directory });
    await vi.waitFor(() => expect(processesIn(directory)).not.toEqual([]), WAIT);
    dryRun.signal(name);
    const { code, stdout } = await dryRun.ended;
    expect(stdout).toBe('');
    expect(code).toBe(exit);
    expect(processesIn(directory)).toEqual([]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('twice kills its jobs and ends with what came first', async () => {
    const directory = scratch();
    await using dryRun = new AgentProcess(['dry-run', '--nvidia-smi', '/nonexistent'], { TMPDIR: directory });
    await vi.waitFor(() => expect(processesIn(directory)).not.toEqual([]), WAIT);
    dryRun.signal('SIGTERM');
    await vi.waitFor(() => expect(dryRun.said).toContain('interrupted'), WAIT);
    dryRun.signal('SIGINT');
    expect((await dryRun.ended).code).toBe(143);
    await vi.waitFor(() => expect(processesIn(directory)).toEqual([]), WAIT);
  });

  test('while nvidia-smi hangs does not wait for it, and leaves none of its processes', async () => {
    const directory = scratch();
    const program = join(directory, 'nvidia-smi');
    writeFileSync(program, `#!/bin/sh\ncd ${directory} && sleep 600\n`, { mode: 0o755 });
    await using dryRun = new AgentProcess(['dry-run', '--nvidia-smi', program], { TMPDIR: directory });
    await vi.waitFor(() => expect(processesIn(directory)).toHaveLength(2), WAIT);
    dryRun.signal('SIGINT');
    expect((await dryRun.ended).code).toBe(130);
    await vi.waitFor(() => expect(processesIn(directory)).toEqual([]), WAIT);
    expect(readdirSync(directory)).toEqual(['nvidia-smi']);
  });
});

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sharedcloud-interrupted-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The processes of this machine that work in the directory or below it, removed or not. */
function processesIn(directory: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && workDirOf(pid).startsWith(directory));
}

function workDirOf(pid: string): string {
  try {
    return readlinkSync(join('/proc', pid, 'cwd'));
  } catch {
    return '';
  }
}
