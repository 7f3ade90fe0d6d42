import { expect, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import type { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts';
import { AgentProcess } from '../e2e/agent-process.ts';
import { type HttpProxy, isRunsPoll } from '../faults/http-proxy.ts';
import { LONG } from './length.ts';

/** The lines of the log when claiming stops and goes on. */
export const PAUSED = { event: 'claiming-paused' };
export const RESUMED = { event: 'claiming-resumed' };
/** A line for each run that is skipped since it went wrong here before. */
export const IN_BACKOFF = { event: 'run-skipped', reason: 'in-backoff' };
/** A line for each call that failed and is tried again. */
export const RETRIED = { attempt: /^\d+$/ };

/** What a stop must not wait for takes longer, on any machine: a job's grace, or an engine's or broker's answer. */
const WAITS_FOR_NOTHING_MS = 8_000;

/**
 * Fails where something took too long since `began`, in `performance.now()`. The limit counts in the long form, for which the
 * machine does nothing else; otherwise only that nothing was waited for.
 */
export function expectWithin(began: number, limitMs: number): void {
  expect(performance.now() - began).toBeLessThan(LONG ? limitMs : limitMs + WAITS_FOR_NOTHING_MS);
}

/** A daemon that is on the market. */
export async function startDaemon(env: Readonly<Record<string, string>>): Promise<AgentProcess> {
  const agent = new AgentProcess(['start'], env);
  await agent.untilLogged({ event: 'offer-registered' });
  return agent;
}

/** Waits until all jobs of the run have succeeded; answers after how many milliseconds they had. */
export async function allDone(broker: EmbeddedBroker, run: string, timeout = 60_000): Promise<number> {
  const began = performance.now();
  await vi.waitFor(
    () => {
      const statuses = broker.store.jobsOf(run).map(({ status }) => status);
      expect(statuses).toEqual(statuses.map(() => JOB_STATUS.SUCCEEDED));
    },
    { timeout, interval: 20 },
  );
  return performance.now() - began;
}

/** What the broker hears about jobs from now on, in order: `claimed`, `released` or `reported`, and of which job. */
export function watchBroker(broker: EmbeddedBroker): readonly string[] {
  const heard: string[] = [];
  broker.store.onEvent((event) => {
    if (event.kind === 'claimed' || event.kind === 'released' || event.kind === 'reported')
      heard.push(`${event.kind} ${event.job.uuid}`);
  });
  return heard;
}

/**
 * Changes the market and waits until the daemon behind the front has seen that and decided about it: it has asked
 * what comes next.
 */
export async function seen<T>(front: HttpProxy, change: () => T): Promise<T> {
  const polls = (): number => front.calls.filter(isRunsPoll).length;
  const before = polls();
  const changed = change();
  await vi.waitFor(() => expect(polls()).toBeGreaterThan(before), { timeout: 20_000, interval: 20 });
  return changed;
}
