import { expect, test } from 'vitest';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import { MAX_ORPHANS, OrphanContainers } from '../../../../src/agent/jobs/orphan-containers.ts';
import { StatusText } from '../../../../src/daemon/status-text.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { VirtualTime } from '../../../support/clock/virtual-time.ts';
import { logInto } from '../../../support/log/log-into.ts';

const busy = (): AgentError => new AgentError('RUNTIME_FAILED', 'device or resource busy');

function open(remove: (id: string) => Promise<void>) {
  const events: AgentEvent[] = [];
  const detach = new AbortController();
  const orphanContainers = new OrphanContainers({
    runtime: { ping: () => Promise.resolve(), remove },
    clock: systemClock,
    random: () => 1,
    log: logInto([]),
    observe: (event) => void events.push(event),
    detach: detach.signal,
  });
  return { detach, events, orphanContainers };
}

test('what is removed is not kept', async () => {
  const { events, orphanContainers } = open(() => Promise.resolve());
  expect(await orphanContainers.remove({ container: 'c', job: 'j' })).toBe(true);
  expect(orphanContainers.size).toBe(0);
  expect(events).toEqual([]);
});

test('a container that is gone already is not kept', async () => {
  const { orphanContainers } = open(() =>
    Promise.reject(new AgentError('CONTAINER_GONE', 'no such container')),
  );
  expect(await orphanContainers.remove({ container: 'c', job: 'j' })).toBe(true);
});

test('a refused removal stays at once, an unanswered one after 30 seconds', async () => {
  await using time = new VirtualTime();
  const { orphanContainers } = open((id) =>
    id === 'refused' ? Promise.reject(busy()) : new Promise(() => undefined),
  );
  expect(await orphanContainers.remove({ container: 'refused', job: 'j1' })).toBe(false);
  expect(time.waitedMs).toBeLessThan(1_000);
  const removal = orphanContainers.remove({ container: 'hangs', job: 'j2' });
  expect(orphanContainers.has('j2')).toBe(true);
  expect(await removal).toBe(false);
  expect(orphanContainers.size).toBe(2);
  expect(orphanContainers.has('j1')).toBe(true);
});

test('a removal in which an engine hangs that answers otherwise is logged', async () => {
  await using time = new VirtualTime();
  const { events, orphanContainers } = open(() =>
    Promise.reject(new AgentError('RUNTIME_UNAVAILABLE', 'no answer in 30000 ms')),
  );
  expect(await orphanContainers.remove({ container: 'c', job: 'j' })).toBe(false);
  expect(time.waitedMs).toBeGreaterThanOrEqual(30_000);
  expect(events).toMatchObject([{ kind: 'container-removal-failed', container: 'c' }]);
});

test('tries again with growing pauses, and at once when the engine was restarted', async () => {
  await using time = new VirtualTime();
  const tries: number[] = [];
  const { detach, events, orphanContainers } = open(() => {
    tries.push(performance.now());
    return Promise.reject(busy());
  });
  await orphanContainers.remove({ container: 'c', job: 'j' });
  const work = orphanContainers.work(detach.signal);
  await time.passUntil(() => tries.length === 5);
  const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
  for (const [index, pause] of pauses.entries())
    if (index > 0) expect(pause).toBeGreaterThan((pauses[index - 1] ?? 0) * 1.5);
  const before = performance.now();
  orphanContainers.soon();
  await time.passUntil(() => tries.length === 6);
  expect(performance.now() - before).toBeLessThan(1_000);
  expect(events).toHaveLength(1);
  detach.abort();
  await work;
});

test('many stop claims, with the reason, until they are gone', async () => {
  const { events, orphanContainers } = open(() => Promise.reject(busy()));
  const status = new StatusText();
  const ids = Array.from({ length: MAX_ORPHANS }, (_, index) => `container-${index}`);
  for (const container of ids.slice(1)) await orphanContainers.remove({ container, job: container });
  expect(orphanContainers.problem()).toBeUndefined();
  await orphanContainers.remove({ container: 'container-0', job: 'container-0' });
  expect(orphanContainers.problem()).toContain('device or resource busy');
  for (const event of events) status.observe(event);
  expect(status.text).toContain(String(MAX_ORPHANS));
  expect(status.text.match(/container-/g)).toHaveLength(20);
  orphanContainers.retain(new Set(['container-1']));
  expect(orphanContainers.problem()).toBeUndefined();
  expect(orphanContainers.size).toBe(1);
  for (const event of events.slice(MAX_ORPHANS)) status.observe(event);
  expect(status.text).toContain('container-1');
});
