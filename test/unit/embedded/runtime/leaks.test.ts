import { getEventListeners } from 'node:events';
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Bench, SHELL } from '../../../support/runtime-process/fixture.ts';

const openFiles = () => readdirSync('/proc/self/fd').length;

test.skipIf(process.platform !== 'linux')('200 jobs leak no process, file, handle or listener', async () => {
  const bench = new Bench();
  const stop = new AbortController();
  const one = async () => {
    const id = await bench.begin(SHELL, 'echo "$$"');
    const [exit, { stdout }] = await Promise.all([bench.runtime.wait(id, stop.signal), bench.output(id)]);
    expect(exit.code).toBe(0);
    await bench.runtime.remove(id);
    return Number(stdout);
  };
  await one();
  const filesBefore = openFiles();
  const pids: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    pids.push(...(await Promise.all(Array.from({ length: 10 }, one))));
  }
  expect(new Set(pids).size).toBe(200);
  const running = new Set(readdirSync('/proc').map(Number));
  expect(pids.filter((pid) => running.has(pid))).toEqual([]);
  expect(openFiles()).toBeLessThanOrEqual(filesBefore);
  expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  expect(process.getActiveResourcesInfo().filter((name) => /process|timeout/i.test(name))).toEqual([]);
  expect(bench.files()).toEqual([]);
  expect(await bench.runtime.list()).toEqual([]);
});
