import { expect, test } from 'vitest';
import { EngineBinding } from '../../../../src/agent/admission/engine-binding.ts';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';
import type { EngineIdentity } from '../../../../src/domain/engine-identity.ts';
import type { JobState } from '../../../../src/domain/job.ts';
import { aNewJob } from '../../../support/domain.ts';
import { rejection } from '../../../support/engine/rejection.ts';

const OLD = { id: 'old', dataRoot: '/var/lib/docker', endpoint: 'unix:///var/run/docker.sock' };
const since = { boot: 'boot-1', upMs: 5 };
const running: JobState = { name: 'running', container: 'c1', startedAt: 5, since };
const starting: JobState = { name: 'starting', container: 'c1', since };
const cancelling: JobState = { name: 'cancelling', why: 'taken back' };

/** The jobs' engine is OLD, and `now` answers. */
function bound(
  now: EngineIdentity | undefined,
  choices: {
    readonly job?: JobState;
    readonly here?: boolean;
    readonly noneRuns?: boolean;
    readonly answer?: () => EngineIdentity | undefined;
  } = {},
) {
  const events: AgentEvent[] = [];
  let known: EngineIdentity | undefined = OLD;
  const record = { ...aNewJob(), state: choices.job ?? running, claimedAt: 0, updatedAt: 0 };
  const binding = new EngineBinding({
    journal: {
      engine: () => known,
      rememberEngine: (engine) => (known = engine),
      inState: (...names) => (names.includes(record.state.name) ? [record] : []),
    },
    runtime: {
      ...(now !== undefined && { identity: async () => choices.answer?.() ?? now }),
      list: () =>
        Promise.resolve(
          choices.here === true ? [{ id: 'c1', job: record.uuid, state: 'running', startedAt: 5 }] : [],
        ),
    },
    noneRuns: (containers) => choices.noneRuns === true && containers.includes('c1'),
    observe: (event) => events.push(event),
    signal: new AbortController().signal,
  });
  return { binding, events, known: () => known };
}

test.each([
  ['another id', { ...OLD, id: 'new' }],
  ['another data root', { ...OLD, dataRoot: '/mnt/docker' }],
  ['another address', { ...OLD, endpoint: 'tcp://10.0.0.2:2375' }],
])('with %s, and without the containers of started jobs, is ENGINE_CHANGED', async (_, now) => {
  for (const job of [running, starting, cancelling]) {
    const { binding, events, known } = bound(now, { job });
    const error = await rejection(binding.confirm());
    expect(error.code).toBe('ENGINE_CHANGED');
    const isElsewhere = now.endpoint !== OLD.endpoint;
    expect(error.hint?.includes(`--docker-host ${OLD.endpoint}`)).toBe(isElsewhere);
    expect(error.hint).toContain('agent-moved');
    expect([events, known()]).toEqual([[], OLD]);
  }
});

test.each<[string, Parameters<typeof bound>[1]]>([
  ['no job was started', { job: { name: 'claimed' } }],
  ['the containers are there', { here: true }],
])('is adopted if %s', async (_, choices) => {
  const now = { ...OLD, id: 'new', dataRoot: '/mnt/docker' };
  const { binding, events, known } = bound(now, choices);
  await binding.confirm();
  expect(known()).toEqual(now);
  expect(events).toEqual([{ kind: 'engine-changed', from: OLD, to: now, lost: 0 }]);
});

test('was installed again if nothing of its jobs runs any more: they are lost', async () => {
  const now = { ...OLD, id: 'new' };
  const { binding, events, known } = bound(now, { noneRuns: true });
  await binding.confirm();
  expect(known()).toEqual(now);
  expect(events).toMatchObject([{ kind: 'engine-changed', lost: 1 }]);
});

test('may have got a larger directory meanwhile, but no other address', async () => {
  const larger = { ...OLD, id: 'new', dataRoot: '/mnt' };
  const { binding, known } = bound(larger, { noneRuns: true });
  await binding.confirm();
  expect(known()).toEqual(larger);
  for (const endpoint of ['unix:///other.sock', 'tcp://10.0.0.2:2375'])
    expect((await rejection(bound({ ...OLD, endpoint }, { noneRuns: true }).binding.confirm())).code).toBe(
      'ENGINE_CHANGED',
    );
});

test('is asked again only once it was unreachable', async () => {
  const { binding, known } = bound(OLD);
  await binding.confirmIfDoubtful();
  const other = bound({ ...OLD, id: 'new' });
  expect((await rejection(other.binding.confirmIfDoubtful())).code).toBe('ENGINE_CHANGED');
  expect(known()).toEqual(OLD);
});

test('is asked again where it was unreachable while it was asked', async () => {
  const answers = [OLD];
  const answer = (): EngineIdentity | undefined => {
    binding.doubt();
    return answers.shift();
  };
  const { binding } = bound({ ...OLD, id: 'new' }, { answer });
  await binding.confirmIfDoubtful();
  expect((await rejection(binding.confirmIfDoubtful())).code).toBe('ENGINE_CHANGED');
});

test('says nothing where jobs do not run in containers', async () => {
  const { binding, known } = bound(undefined);
  await binding.confirm();
  expect(known()).toEqual(OLD);
});
