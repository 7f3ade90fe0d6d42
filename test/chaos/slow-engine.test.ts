import { setTimeout as pause } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { EngineScenario } from '../support/chaos/engine-scenario.ts';
import { LONG } from '../support/chaos/length.ts';
import { describeDocker } from '../support/engine/docker.ts';
import type { EngineCall, EngineFault } from '../support/engine/engine-proxy.ts';

/** Longer than the slowest engine here takes for a job. */
const LATE_MS = LONG ? 2_000_000 : 500_000;

type Slowness = { readonly ms: number; readonly of: (call: EngineCall, index: number) => boolean };

const EVERY = (ms: number): Slowness => ({ ms, of: () => true });
const ONLY = (name: string, ms: number): Slowness => ({ ms, of: (call) => call.name === name });
const ONE_IN_TEN: Slowness = { ms: 5_000, of: (_, index) => index % 10 === 0 };

const CASES: readonly (readonly [string, Slowness])[] = [
  ['that takes 5 s for each call', EVERY(5_000)],
  ['that takes 6 s to create', ONLY('create', 6_000)],
  ['that takes 5 s for one call in ten', ONE_IN_TEN],
  ...(LONG
    ? ([
        ['that takes 1 s for each call', EVERY(1_000)],
        ['that takes 20 s for each call', EVERY(20_000)],
        ['that takes 6 s to list', ONLY('list', 6_000)],
      ] as const)
    : []),
];

describeDocker('an engine', (engine) => {
  test.concurrent.for(CASES)('%s runs jobs, and is shown as slow', async ([, slow]) => {
    await using scenario = await EngineScenario.open(engine);
    let calls = 0;
    scenario.proxy.plan = async (call): Promise<EngineFault> => {
      calls += 1;
      if (slow.of(call, calls)) await pause(slow.ms);
      return 'pass';
    };
    const job = scenario.addJob();
    const agent = scenario.startAgent();
    const within = { timeout: LATE_MS, interval: 200 };
    await vi.waitFor(() => expect(agent.logged({ event: 'job-started', job })).toHaveLength(1), within);
    // Meanwhile the engine is pinged.
    await vi.waitFor(() => expect(agent.logged({ event: 'engine-degraded' })).toHaveLength(1), within);
    await scenario.goOn(job);
    await vi.waitFor(() => expect(scenario.words(job)).toContain('reported SUCCEEDED'), within);
    expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
    expect(scenario.job(job)).toMatchObject({ stdout: 'first\nlast\n', result: 'done' });
    const { stdout } = await scenario.command(['health', '--ready']);
    expect(stdout).toContain('degraded');
    expect(agent.logged({ event: 'engine-degraded' })).toHaveLength(1);
    expect(agent.logged({ event: 'claiming-paused' })).toEqual([]);
    scenario.proxy.plan = () => 'pass';
    await scenario.untilExhausted();
  });
});
