import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BANNED, EXCEPTIONS } from '../../../scripts/words/banned.ts';
import { findBanned } from '../../../scripts/words/find.ts';

const wordsIn = (text: string, file = 'src/a.ts'): readonly string[] =>
  findBanned(file, text).map(({ word }) => word);

describe('the word check', () => {
  test.each([
    ['the agent is told to end', 'told'],
    ['const toldOnce = 1;', 'told'],
    ['if (isTold) return;', 'told'],
    ['const TOLD_MS = 1;', 'told'],
    ['Told by the broker.', 'told'],
    ["event: 'gpu-kept-out'", 'kept out'],
    ['const keptOut = [];', 'kept out'],
    ['class KeptOut {}', 'kept out'],
    ['const KEPT_OUT = 1;', 'kept out'],
    ['// a GPU is kept\n// out', 'kept out'],
    ['/**\n * a job is given\n * back\n */', 'given back'],
    ['agent.giveBack()', 'give back'],
    ["'what to do: restart'", 'what to do:'],
    ['families of MIG parents', 'families'],
    ['at the next look', 'next look'],
    ['const look = await poll();', 'const look'],
    ['market.lookNow()', 'lookNow'],
    ['new GpuLooks()', 'uLooks'],
    ['export function tellAll() {}', 'tellAll'],
    ['const mostMs = 1;', 'mostMs'],
    ['const leastFreeBytes = 1;', 'leastFreeBytes'],
    ["nobody's container", "nobody's"],
    ['the network is proved', 'proved'],
    ['whoseEnd(exit)', 'whose end'],
    ['new MemoryWatch()', 'memory watch'],
    ['the engine is away', 'is away'],
  ])('finds in %j the word %j', (text, word) => {
    expect(wordsIn(text)).toEqual([word]);
  });

  test.each([
    'an address of family: 4, or family: "IPv6"',
    "connect({ host, family: 6 }), with the socket's family",
    'the agent holds the lock',
    'holds on to it',
    'look for Xid errors, look up the image, looks like JSON',
    'a look-up of the image; the lookup table; lookUp(image); lookupImage()',
    'at least one, most of them, almost all',
    'tell the two apart',
    'stand-in, standard, understand, instead, steady',
    'recommend, amend, amended, mendable',
    'besides, reside, asideways',
    'troubled, untold, proofread, improve, approve',
    'a wake-up of the CPU',
    'gives back-pressure',
  ])('lets pass: %s', (text) => {
    expect(wordsIn(text)).toEqual([]);
  });

  test('counts lines from 1, and finds a word in the name of a file', () => {
    const found = findBanned('src/flood-gate.ts', 'fine\nfine\nafresh\n');
    expect(found.map(({ line, word }) => [line, word]).sort()).toEqual([
      [0, 'flood gate'],
      [3, 'afresh'],
    ]);
  });

  test('takes words that are only wrong as identifiers for ordinary ones in a document', () => {
    expect(wordsIn('tell(x)', 'docs/a.md')).toEqual([]);
  });

  test('says of every word what to write and why', () => {
    for (const { why, words, write } of BANNED)
      expect([words.length > 0, write !== '', why !== '']).toEqual([true, true, true]);
  });

  test('has at most 20 exceptions, and each is needed', () => {
    expect(EXCEPTIONS.length).toBeLessThanOrEqual(20);
    const root = resolve(import.meta.dirname, '../../..');
    const unneeded = EXCEPTIONS.filter(({ file, word }) => {
      if (file.endsWith('/')) return false;
      const text = readFileSync(join(root, file), 'utf8');
      return !wordsIn(text, 'elsewhere.ts').some((found) => word === '*' || found === word);
    });
    expect(unneeded).toEqual([]);
  });
});
