import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { TokenRefresher } from '../../../../src/agent/lifecycle/token-refresher.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import { createLog } from '../../../../src/lib/log.ts';
import { Notifier } from '../../../../src/lib/notifier.ts';
import { Redactor } from '../../../../src/lib/redactor.ts';

/** A watch over a token whose readings answer these, one after the other, and then the last again and again. */
function watchOver(...answers: readonly (boolean | Error)[]) {
  return watchEvery(5, ...answers);
}

/** The same, with its readings so many milliseconds apart. */
function watchEvery(everyMs: number, ...answers: readonly (boolean | Error)[]) {
  const lines: string[] = [];
  const end = new AbortController();
  const seen = { reads: 0, fresh: 0 };
  onTestFinished(() => end.abort());
  const log = createLog({
    level: 'debug',
    format: 'json',
    colour: false,
    destination: { write: (line) => void lines.push(line) },
    redactor: new Redactor(),
  });
  const renewed = new Notifier();
  renewed.subscribe(() => void (seen.fresh += 1));
  const watch = new TokenRefresher({
    reloadToken: () => {
      const answer = answers[Math.min(seen.reads, answers.length - 1)] ?? false;
      seen.reads += 1;
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    log,
    renewed,
    signal: end.signal,
    everyMs,
  });
  return { watch, seen, lines, end };
}

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5_000, interval: 2 });

describe('a token that was refused', () => {
  test('is read again until there is another, which is logged once; and again when that is refused too', async () => {
    const { seen, watch } = watchOver(false, false, true, false, true);
    expect(seen.reads).toBe(0);
    watch.rejected();
    watch.rejected();
    await until(() => expect(seen).toEqual({ reads: 3, fresh: 1 }));
    watch.rejected();
    await until(() => expect(seen).toEqual({ reads: 5, fresh: 2 }));
  });

  test('is read again at once: another one may be there already', async () => {
    const { seen, watch } = watchEvery(3_600_000, true);
    watch.rejected();
    await until(() => expect(seen).toEqual({ reads: 1, fresh: 1 }));
  });

  test('is not read any more once the broker takes it', async () => {
    const quiet = watchOver(false);
    const going = watchOver(false);
    quiet.watch.rejected();
    await until(() => expect(quiet.seen.reads).toBeGreaterThan(1));
    quiet.watch.accepted();
    const { reads } = quiet.seen;
    going.watch.rejected();
    await until(() => expect(going.seen.reads).toBeGreaterThan(5));
    // One reading may have been under way.
    expect(quiet.seen.reads).toBeLessThanOrEqual(reads + 1);
  });

  test('that cannot be read is logged once, not at every try, and waited for', async () => {
    const gone = new AgentError('TOKEN_MISSING', 'there is no token file', { hint: 'write it' });
    const { lines, seen, watch } = watchOver(gone, gone, gone, true);
    watch.rejected();
    await until(() => expect(seen).toEqual({ reads: 4, fresh: 1 }));
    expect(lines.filter((line) => line.includes('there is no token file'))).toHaveLength(1);
  });
});
