import { mkdtempSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { parseGpus, parseProcesses } from '../../../../src/gpu/csv.ts';
import { spaceOf } from '../../../../src/host/disk-space.ts';
import { readHostMemory, readOomKills } from '../../../../src/host/memory.ts';
import { readMemoryEvents } from '../../../../src/host/memory-monitor.ts';
import { readState } from '../../../../src/runtime/docker/container/state.ts';
import { layerBytes, readImage } from '../../../../src/runtime/docker/image/config.ts';
import { LayerProgress } from '../../../../src/runtime/docker/image/layer-progress.ts';
import { trafficOf } from '../../../../src/runtime/docker/network/bridge-ports.ts';

const directory = mkdtempSync(join(tmpdir(), 'odd-figures-'));
afterAll(() => rm(directory, { recursive: true }));

/** What JSON may have for a figure, as text: huge numbers become Infinity. */
const json = fc.constantFrom(
  '0',
  '1',
  '123456789',
  '-1',
  '-1e300',
  '1e300',
  '1e999',
  '-1e999',
  '0.5',
  'null',
  '""',
  '"1"',
  '{}',
  '[]',
);
/** What a file or a program may have for one. */
const text = fc.constantFrom(
  '0',
  '1',
  '123456789',
  '-1',
  'nan',
  'inf',
  'NaN',
  '1e999',
  '',
  ' ',
  '0x1',
  '[N/A]',
  '9'.repeat(400),
);

/** What `read` answers; undefined: it throws. */
function measured<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The figures that are known, and are not finite or are negative. */
function wrong(...figures: readonly (number | undefined)[]): readonly number[] {
  return figures
    .filter((figure) => figure !== undefined)
    .filter((figure) => !(Number.isFinite(figure) && figure >= 0));
}

test('the sizes of an image are measurements or failures', () => {
  fc.assert(
    fc.property(json, (size) => {
      expect(wrong(measured(() => readImage(JSON.parse(`{"Id":"x","Size":${size}}`)).sizeBytes))).toEqual([]);
      expect(wrong(measured(() => layerBytes(JSON.parse(`[{"Size":1},{"Size":${size}}]`))))).toEqual([]);
    }),
  );
  expect(measured(() => layerBytes(JSON.parse('[{"Size":-1}]')))).toBeUndefined();
});

test('the progress of a pull is a measurement, whatever the engine reports', () => {
  const step = fc.record({
    id: fc.constantFrom('a', 'b'),
    status: fc.constantFrom('Downloading', 'Extracting', 'Pull complete'),
    current: json,
    total: json,
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const progress = new LayerProgress();
      for (const { current, id, status, total } of steps)
        progress.take(
          `{"id":"${id}","status":"${status}","progressDetail":{"current":${current},"total":${total}}}`,
        );
      expect(wrong(progress.bytes.doneBytes, progress.bytes.totalBytes)).toEqual([]);
    }),
  );
});

test('an exit code is a whole number or a failure', () => {
  const state = (code: string): unknown =>
    JSON.parse(
      `{"Status":"exited","OOMKilled":false,"StartedAt":"","FinishedAt":"2026-01-01T00:00:00Z","ExitCode":${code}}`,
    );
  fc.assert(
    fc.property(json, (code) => {
      const read = measured(() => readState(state(code)).exit?.code);
      expect(read === undefined || Number.isSafeInteger(read)).toBe(true);
    }),
  );
  expect(measured(() => readState({ Status: 'exited' }))).toBeUndefined();
});

test('the space of a file system is never more than its size, nor less than none', () => {
  const odd = fc.constantFrom(0, 1, 1000, -1, 2 ** 64 - 5, Number.NaN, Number.POSITIVE_INFINITY);
  fc.assert(
    fc.property(odd, odd, (bavail, ffree) => {
      const { freeBytes, freeInodes } = spaceOf({ bavail, ffree, blocks: 1000, bsize: 4096, files: 1000 });
      expect(wrong(freeBytes, freeInodes)).toEqual([]);
      expect([freeBytes <= 4_096_000, freeInodes <= 1]).toEqual([true, true]);
    }),
  );
  expect(spaceOf({ bavail: 2 ** 64 - 5, ffree: -1, blocks: 1000, bsize: 4096, files: 1000 })).toEqual({
    freeBytes: 0,
    freeInodes: 0,
  });
});

test('the kernel’s figures are measurements or failures', async () => {
  const statistics = join(directory, 'class/net/veth0/statistics');
  await mkdir(statistics, { recursive: true });
  const file = (name: string, content: string): string => {
    const path = join(directory, name);
    writeFileSync(path, content);
    return path;
  };
  fc.assert(
    fc.property(text, text, (one, other) => {
      const memory = readHostMemory(file('meminfo', `MemTotal: ${one} kB\nMemAvailable: ${other} kB\n`));
      const events = readMemoryEvents(file('memory.events', `oom ${one}\noom_kill ${other}\n`));
      expect(wrong(memory?.totalBytes, memory?.availableBytes, events?.limitsReached, events?.kills)).toEqual(
        [],
      );
      expect(wrong(readOomKills(file('vmstat', `oom_kill ${one}\n`)))).toEqual([]);
      writeFileSync(join(statistics, 'rx_bytes'), one);
      writeFileSync(join(statistics, 'tx_bytes'), other);
      const traffic = measured(() => trafficOf('veth0', directory));
      expect(wrong(traffic?.sentBytes, traffic?.receivedBytes)).toEqual([]);
    }),
  );
  writeFileSync(join(statistics, 'rx_bytes'), '');
  expect(measured(() => trafficOf('veth0', directory))).toBeUndefined();
});

test('the figures of a GPU are measurements or not known', () => {
  const fields = [
    'index',
    'uuid',
    'name',
    'pci.bus_id',
    'driver_version',
    'memory.total',
    'power.draw',
  ] as const;
  fc.assert(
    fc.property(text, text, (memory, power) => {
      const csv = `0, GPU-1, a, 00000000:01:00.0, 1, ${memory}, ${power}\n`;
      const [gpu] = parseGpus(csv, fields).rows;
      expect(wrong(gpu?.memoryTotalMiB, gpu?.powerDrawW)).toEqual([]);
      for (const { usedMiB } of parseProcesses(`1, GPU-1, ${memory}\n`)) expect(wrong(usedMiB)).toEqual([]);
    }),
  );
});
