import {
  appendFileSync,
  chmodSync,
  chownSync,
  lchownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Connection } from '../../../../src/domain/connection.ts';
import { type ConnectionQuery, findConnections } from '../../../../src/host/traffic-log/reader.ts';
import { TrafficLogWriter } from '../../../../src/host/traffic-log/writer.ts';

const AT = Date.UTC(2026, 10, 26, 14, 3, 0);
const DAY = 86_400_000;
let directory: string;

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'traffic-log-')), 'log');
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true }));

const connection = (more: Partial<Connection> = {}): Connection => ({
  at: AT,
  protocol: 'tcp',
  address: '172.18.0.2',
  sourcePort: 50_000,
  destination: '203.0.113.10',
  destinationPort: 443,
  outerPort: 40_000,
  ...more,
});

const query = (more: Partial<ConnectionQuery> = {}): ConnectionQuery => ({
  destination: '203.0.113.10',
  destinationPort: undefined,
  outerPort: undefined,
  fromMs: AT - 300_000,
  toMs: AT + 300_000,
  ...more,
});

function write(...connections: readonly Connection[]): void {
  using writer = new TrafficLogWriter(directory);
  writer.write(connections);
}

const found = async (more: Partial<ConnectionQuery> = {}): Promise<readonly Connection[]> =>
  (await findConnections(directory, query(more), 100)).connections;

describe('what was written is found', () => {
  test('by destination, ports and time, as it was', async () => {
    const icmp = connection({ protocol: 'icmp', sourcePort: null, destinationPort: null, outerPort: null });
    write(
      connection(),
      icmp,
      connection({ destination: '203.0.113.1' }),
      connection({ destination: '203.0.113.100' }),
    );
    expect(await found()).toEqual([connection(), icmp]);
    expect(await found({ destinationPort: 443 })).toEqual([connection()]);
    expect(await found({ destinationPort: 80 })).toEqual([]);
    expect(await found({ outerPort: 40_000 })).toEqual([connection()]);
    expect(await found({ outerPort: 40_001 })).toEqual([]);
    expect(await found({ fromMs: AT + 1 })).toEqual([]);
    expect(await found({ fromMs: AT, toMs: AT })).toHaveLength(2);
  });

  test('across midnight in UTC, where a day has a file of its own', async () => {
    const midnight = Date.UTC(2026, 10, 27);
    write(connection({ at: midnight - 1 }), connection({ at: midnight }));
    expect(readdirSync(directory)).toEqual([
      'connections-2026-11-26-0001.log',
      'connections-2026-11-27-0001.log',
    ]);
    expect(await found({ fromMs: midnight - 60_000, toMs: midnight + 60_000 })).toHaveLength(2);
  });

  test('also behind a line that a crash has cut', async () => {
    write(connection());
    appendFileSync(join(directory, 'connections-2026-11-26-0001.log'), '2026-11-26T14:03:00.000Z tcp 172.18');
    write(connection({ address: '172.18.0.3' }));
    expect((await found()).map(({ address }) => address)).toEqual(['172.18.0.2', '172.18.0.3']);
  });

  test('up to a limit, and says that there are more', async () => {
    write(...Array.from({ length: 5 }, () => connection()));
    expect(await findConnections(directory, query(), 3)).toMatchObject({ more: true, since: '2026-11-26' });
  });
});

test('the owner’s group may read it, and nobody else', () => {
  write(connection());
  expect(statSync(directory).mode & 0o007).toBe(0);
  expect(statSync(join(directory, 'connections-2026-11-26-0001.log')).mode & 0o007).toBe(0);
});

test('a directory that others could change is refused', () => {
  write(connection());
  const code = { code: 'TRAFFIC_LOG_UNAVAILABLE' };
  for (const mode of [0o770, 0o707]) {
    chmodSync(directory, mode);
    expect(() => write(connection())).toThrow(expect.objectContaining(code));
  }
  chmodSync(directory, 0o750);
  expect(() => write(connection())).not.toThrow();
});

test.skipIf(process.getuid?.() !== 0)(
  'a directory of another user, or a link of theirs to one, is refused',
  () => {
    const code = { code: 'TRAFFIC_LOG_UNAVAILABLE' };
    write(connection());
    const link = join(directory, '../link');
    symlinkSync(directory, link);
    expect(() => new TrafficLogWriter(link)).not.toThrow();
    lchownSync(link, 65_534, 65_534);
    expect(() => new TrafficLogWriter(link)).toThrow(expect.objectContaining(code));
    chownSync(directory, 65_534, 65_534);
    expect(() => write(connection())).toThrow(expect.objectContaining(code));
  },
);

test('a link in the place of a file is not written through', () => {
  write(connection());
  const [name = ''] = readdirSync(directory);
  const file = join(directory, name);
  const target = join(directory, '../target');
  renameSync(file, target);
  const before = readFileSync(target, 'utf8');
  symlinkSync(target, file);
  expect(() => write(connection())).toThrow(expect.objectContaining({ code: 'ELOOP' }));
  expect(readFileSync(target, 'utf8')).toBe(before);
});

test('a line is for people too', () => {
  write(connection());
  expect(readFileSync(join(directory, 'connections-2026-11-26-0001.log'), 'utf8')).toBe(
    '2026-11-26T14:03:00.000Z tcp 172.18.0.2 50000 203.0.113.10 443 40000\n',
  );
});

describe('the log is bounded', () => {
  const limits = { maxBytes: 1_000, segmentBytes: 200 };

  test('in bytes: the oldest goes first', async () => {
    using writer = new TrafficLogWriter(directory, limits);
    for (let n = 0; n < 100; n += 1) {
      writer.write([connection({ at: AT + n })]);
      writer.prune(AT);
    }
    const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1_000 + 200);
    const kept = await found();
    expect(kept.at(-1)?.at).toBe(AT + 99);
    expect(kept[0]?.at).toBeGreaterThan(AT + 50);
  });

  test('in time: 30 days', () => {
    using writer = new TrafficLogWriter(directory);
    writer.write([connection({ at: AT - 31 * DAY }), connection({ at: AT - 30 * DAY }), connection()]);
    writer.prune(AT);
    expect(readdirSync(directory)).toEqual([
      'connections-2026-10-27-0001.log',
      'connections-2026-11-26-0001.log',
    ]);
  });
});

test('a log that is missing or unreadable is an error with a hint', async () => {
  await expect(found()).rejects.toMatchObject({ code: 'TRAFFIC_LOG_UNAVAILABLE' });
  write(connection());
  chmodSync(directory, 0);
  // Root reads all the same.
  if (process.getuid?.() !== 0)
    await expect(found()).rejects.toMatchObject({ code: 'TRAFFIC_LOG_UNAVAILABLE' });
  chmodSync(directory, 0o750);
});

test('what the log says of itself is no connection, and shows when it was not written', async () => {
  using writer = new TrafficLogWriter(directory);
  writer.mark({ at: AT - 360_000, kind: 'begins' });
  writer.write([connection({ at: AT - 290_000 })]);
  writer.mark({ at: AT - 280_000, kind: 'ends' });
  writer.mark({ at: AT, kind: 'begins' });
  for (const minute of [1, 2, 3, 4]) writer.mark({ at: AT + minute * 60_000, kind: 'runs' });
  writer.write([connection()]);
  writer.mark({ at: AT + 299_000, kind: 'ends' });
  const { connections, gaps } = await findConnections(directory, query(), 100);
  expect(connections).toHaveLength(2);
  expect(gaps).toEqual([
    { fromMs: AT - 280_000, toMs: AT },
    { fromMs: AT + 299_000, toMs: AT + 300_000 },
  ]);
});
