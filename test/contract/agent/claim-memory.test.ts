import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../src/limits.ts';
import { cpuOffer, TestEnv } from '../../support/agent/test-env.ts';
import { faults, isClaim } from '../../support/faults/http-proxy.ts';

const QUICK = 'function handler(event) { return event.length }';
const SLOTS = 8;
/** As many of these share the budget as its name says. */
const QUARTER = Math.floor(LIMITS.broker.claimInput.max / 4) - 1_000;

/** Adds a run of one job whose function and argument have so many bytes. */
function addLong(env: TestEnv, { code = 0, argument = 0 }): string {
  return env.addRun(`${QUICK}//`.padEnd(code, 'x'), `(('${'y'.repeat(argument)}',),)`);
}

/** How many claims come of runs that are added now and never answered, once there are so many. */
async function claimsOf(env: TestEnv, expected: number, add: (env: TestEnv) => void): Promise<number> {
  const claims = (): number => env.proxy.calls.filter(isClaim).length;
  const before = claims();
  env.proxy.plan = (call) => (isClaim(call) ? faults.hang : undefined);
  for (let n = 0; n < SLOTS; n += 1) add(env);
  await env.time.passUntil(() => claims() - before >= expected);
  // Others would come now.
  await env.time.pass(500);
  return claims() - before;
}

/** An environment whose agent has started a container: until then there is one claim at a time. */
async function openClaiming() {
  await using opened = new AsyncDisposableStack();
  const env = opened.use(await TestEnv.open());
  const first = env.addRun(QUICK, '((1,),)');
  opened.use(await env.start({ offers: [cpuOffer(SLOTS)] }));
  await env.untilDone(first);
  const kept = opened.move();
  return { env, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

describe('what is claimed shares memory until it is on the disk', () => {
  test.each([
    ['long functions', { code: QUARTER }, 4],
    ['long arguments', { argument: QUARTER }, 4],
    ['short ones', { code: 1_000, argument: 1_000 }, SLOTS],
  ])('so of %s only some are claimed at the same time', async (_, long, atOnce) => {
    await using opened = await openClaiming();
    expect(await claimsOf(opened.env, atOnce, (env) => addLong(env, long))).toBe(atOnce);
  });

  test('and jobs that run have none', async () => {
    await using opened = await openClaiming();
    const { env } = opened;
    const runs = Array.from({ length: 5 }, () => addLong(env, { code: QUARTER }));
    for (const run of runs) await env.untilDone(run);
    expect(env.proxy.calls.filter(isClaim)).toHaveLength(runs.length + 1);
  });
});
