import { expect, test } from 'vitest';
import type { FoundContainer } from '../../../../../src/domain/ports/runtime.ts';
import { ENGINE_DEADLINES } from '../../../../../src/runtime/docker/engine/call.ts';
import { testRuntime } from '../../../../support/engine/runtime.ts';
import { scriptedEngine } from '../../../../support/engine/scripted-engine.ts';

const JOB = '0f5b1c9e-8d7a-4c53-9f0e-2b6a1d3c4e5f';
const OURS = 'agent-1';

type Listed = {
  readonly agent?: string;
  readonly job?: string;
  readonly name?: string;
  readonly neighbour?: string;
  readonly mount?: { readonly Type: string; readonly Source: string; readonly Destination: string };
};

const input = (Source: string, Destination = '/sharedcloud', Type = 'bind') => ({
  Type,
  Source,
  Destination,
});
const volume = input('/var/lib/docker/volumes/x/_data', '/data', 'volume');

/** What is found while the engine lists this container, created long ago. */
async function listing({
  agent = OURS,
  job = JOB,
  mount,
  name = '/mine',
  neighbour,
}: Listed): Promise<readonly FoundContainer[]> {
  await using engine = await scriptedEngine((path) =>
    path === '/containers/json'
      ? {
          json: [
            {
              Id: 'abc',
              Created: 1,
              Names: [name],
              Labels: {
                'sharedcloud.agent': agent,
                'sharedcloud.job': job,
                ...(neighbour === undefined ? {} : { 'sharedcloud.neighbour': neighbour }),
              },
              Mounts: mount === undefined ? [] : [mount],
              State: 'exited',
            },
          ],
        }
      : {
          json: {
            Id: 'abc',
            Created: '2026-01-01T00:00:00Z',
            State: { Status: 'created', StartedAt: '0001-01-01T00:00:00Z' },
          },
        },
  );
  const { runtime } = testRuntime(engine.host, { agentId: OURS });
  return await runtime.list();
}

/** The jobs that are found. */
async function found(listed: Listed): Promise<readonly string[]> {
  return (await listing(listed)).map((container) => container.job);
}

test.each([
  ['3', 3],
  ['0', 0],
  [undefined, undefined],
  ['', undefined],
  ['-1', undefined],
  ['1e9', undefined],
])('a container with the number %j among neighbours has %j', async (label, neighbour) => {
  const named = { name: `/sharedcloud-job-${JOB}` };
  const [one] = await listing(label === undefined ? named : { ...named, neighbour: label });
  expect(one).toMatchObject({ job: JOB });
  expect(one?.neighbour).toBe(neighbour);
});

test.each<[string, Listed]>([
  ['by its name', { name: `/sharedcloud-job-${JOB}` }],
  ['renamed, by its input', { mount: input(`/var/lib/sharedcloud-agent/jobs/${JOB}`) }],
  ['of a test of check', { agent: 'check', job: 'test-0a1b', name: '/sharedcloud-job-test-0a1b' }],
  ['of a probe of check', { agent: 'check', job: 'probe-f00', name: '/sharedcloud-job-probe-f00' }],
])('a container is ours %s', async (_, listed) => {
  expect(await found(listed)).toEqual([listed.job ?? JOB]);
});

test.each<[string, Listed]>([
  ['with another name', {}],
  ['with the job as a folder of a volume', { job: 'var', mount: volume }],
  ['with the job as a folder of its input', { job: 'var', mount: input('/var/lib/x') }],
  ['with a volume as its input', { mount: input(`/x/${JOB}`, '/sharedcloud', 'volume') }],
  ['with the job mounted elsewhere', { mount: input(`/x/${JOB}`, '/data') }],
  ['of another agent', { agent: 'agent-2', name: `/sharedcloud-job-${JOB}` }],
  ['that says it is of check, with a volume', { agent: 'check', job: 'var', mount: volume }],
  [
    'that says it is of check, with an input',
    { agent: 'check', job: 'test-0a1b', mount: input('/test-0a1b') },
  ],
  ['that says it is of check, for a job', { agent: 'check', name: `/sharedcloud-job-${JOB}` }],
  ['with a job that names no container', { job: '/', mount: volume }],
  ['with an empty job', { job: '', mount: input('/') }],
])('a container is not ours %s', async (_, listed) => {
  expect(await found(listed)).toEqual([]);
});

test.each([
  ['created', 'created'],
  ['running', 'running'],
  ['dead', 'exited'],
])(
  'a container about which the engine does not answer is taken as it is listed: %s',
  async (status, state) => {
    await using engine = await scriptedEngine((path) =>
      path === '/containers/json'
        ? {
            json: [
              {
                Id: 'abc',
                Created: 1,
                Names: [`/sharedcloud-job-${JOB}`],
                Labels: { 'sharedcloud.agent': OURS, 'sharedcloud.job': JOB },
                Mounts: [],
                State: status,
              },
            ],
          }
        : { lines: [] },
    );
    const deadlines = { ...ENGINE_DEADLINES, inspectMs: 2_000 };
    const { runtime } = testRuntime(engine.host, { agentId: OURS, deadlines });
    expect(await runtime.list()).toMatchObject([{ job: JOB, state, startedAt: undefined }]);
  },
);
