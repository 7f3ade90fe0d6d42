import { describe, expect, test } from 'vitest';
import {
  diskSpaceProblem,
  inodeProblem,
  memoryProblem,
  refuseFullDisk,
  reserveProblem,
  resourceChecks,
} from '../../../../src/agent/admission/resource-checks.ts';

const GIB = 1024 ** 3;

describe('room on the disks', () => {
  const free: Readonly<Record<string, number>> = { '/state': 100, '/docker': 50 };
  const freeBytes = (path: string): number | undefined => free[path];

  test.each([
    ['there is enough everywhere', ['/state', '/docker'], 50, undefined],
    ['the state directory has too little', ['/state'], 101, '/state'],
    ['the engine’s disk has too little', ['/state', '/docker'], 51, '/docker'],
    ['the engine’s directory is not known', ['/state', undefined], 100, undefined],
    ['the engine’s directory is not on this machine', ['/state', '/elsewhere'], 100, undefined],
    ['the owner wants no floor', ['/state', '/docker'], 0, undefined],
  ])('%s', (_, paths, least, named) => {
    const why = diskSpaceProblem(paths, least, freeBytes);
    if (named === undefined) expect(why).toBeUndefined();
    else expect(why).toContain(`${named} has ${free[named]} B of free disk`);
  });
});

test('a disk that can hold hardly any more files holds claims, one that nobody can tell of does not', () => {
  const free = new Map([
    ['/few', 0.04],
    ['/enough', 0.06],
  ]);
  const freeFiles = (path: string): number | undefined => free.get(path);
  expect(inodeProblem(['/enough', undefined, '/elsewhere'], freeFiles)).toBeUndefined();
  expect(inodeProblem(['/enough', '/few'], freeFiles)).toContain('/few');
});

describe('memory', () => {
  test.each([
    ['a big host at its floor of 1 GiB', 256 * GIB, 1 * GIB, false, true],
    ['a big host below it', 256 * GIB, 1 * GIB - 1, false, false],
    ['a small host at 5 %', 8 * GIB, 0.4 * GIB + 1, false, true],
    ['a small host below 5 %', 8 * GIB, 0.4 * GIB - 1, false, false],
    ['just above the floor, claims held before', 256 * GIB, 1.24 * GIB, true, false],
    ['a quarter above the floor, claims held before', 256 * GIB, 1.25 * GIB, true, true],
  ])('%s', (_, totalBytes, availableBytes, held, fine) => {
    const why = memoryProblem({ totalBytes, availableBytes }, held);
    if (fine) expect(why).toBeUndefined();
    else expect(why).toContain('short of memory');
  });

  test('where nobody can tell, nothing is held', () => {
    expect(memoryProblem(undefined, false)).toBeUndefined();
  });
});

describe('the owner’s reserve of memory', () => {
  test.each([
    ['just as much is available', 4 * GIB, false, true],
    ['less is available', 4 * GIB - 1, false, false],
    ['a little more is, claims held before', 4.9 * GIB, true, false],
    ['a quarter more is, claims held before', 5 * GIB, true, true],
    ['nothing is, without a reserve', 0, false, true],
  ])('%s', (label, availableBytes, held, fine) => {
    const reserve = label.includes('without') ? 0 : 4 * GIB;
    expect(reserveProblem({ totalBytes: 8 * GIB, availableBytes }, reserve, held) === undefined).toBe(fine);
  });

  test('of all memory holds claims while any of it is in use', () => {
    const memory = { totalBytes: 8 * GIB, availableBytes: 8 * GIB };
    expect(reserveProblem(memory, 8 * GIB, true)).toBeUndefined();
    expect(reserveProblem({ ...memory, availableBytes: 7 * GIB }, 16 * GIB, false)).toBeDefined();
    expect(reserveProblem(undefined, 16 * GIB, false)).toBeUndefined();
  });
});

test('the checks read the host again each time', () => {
  let availableBytes = 8 * GIB;
  let free = 10;
  let freeFiles = 1;
  const [disk, files, memory, reserve] = resourceChecks({
    directories: () => ['/state'],
    minFreeBytes: 10,
    freeBytes: () => free,
    freeFiles: () => freeFiles,
    memory: () => ({ totalBytes: 8 * GIB, availableBytes }),
    reserveBytes: 4 * GIB,
  });
  expect([disk, files, memory, reserve].map((each) => each?.why(false))).toEqual(Array(4).fill(undefined));
  availableBytes = 3 * GIB;
  expect([memory?.why(false), reserve?.why(false)]).toEqual([
    undefined,
    expect.stringContaining('--reserve-memory'),
  ]);
  availableBytes = 0;
  free = 9;
  freeFiles = 0;
  expect(disk?.why(false)).toContain('/state');
  expect(files?.why(false)).toContain('inodes');
  expect(memory?.why(false)).toContain('memory');
});

describe('the disk of a pull', () => {
  const free = (path: string): number | undefined => ({ '/state': 200, '/docker': 1_000 })[path];

  test.each([
    ['takes what pulls will still download', '/docker', 100, 900, undefined],
    ['is too full for one byte more', '/docker', 100, 901, 'IMAGE_STORE_FULL'],
    ['is too full where the agent has too little', '/docker', 201, 0, 'IMAGE_STORE_FULL'],
    ['is not known at another machine', undefined, 100, 1e12, undefined],
  ])('%s', (_, storage, least, pending, code) => {
    const check = (): void => refuseFullDisk('/state', storage, least, pending, free);
    if (code === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code }));
  });
});
