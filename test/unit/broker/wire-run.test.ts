import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readRuns } from '../../../src/broker/wire-run.ts';

describe('readRuns', () => {
  test('puts each item of any JSON list into exactly one of its lists', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (items) => {
        const { invalid, runs } = readRuns(items);
        expect(invalid.length + runs.length).toBe(items.length);
      }),
    );
  });
});
