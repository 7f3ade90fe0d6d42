import { expect, test } from 'vitest';
import { recordPulls } from '../../../../src/agent/images/own-pulls.ts';
import { type EngineIdentity, engineKey } from '../../../../src/domain/engine-identity.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { OwnPull } from '../../../../src/domain/ports/image-records.ts';
import type { ReadyImage, Runtime } from '../../../../src/domain/ports/runtime.ts';
import { withOther } from '../../../support/agent/with-other.ts';
import { ManualClock } from '../../../support/clock/manual-clock.ts';
import { logged, logInto } from '../../../support/log/log-into.ts';
import { Bench } from '../../../support/runtime-process/fixture.ts';

const ENGINE: EngineIdentity = { id: 'e', dataRoot: '/var/lib/docker', endpoint: 'unix:///run/docker.sock' };
const READY: ReadyImage = { ref: 'docker.io/app', id: 'app@sha256:1', sizeBytes: 7, broughtId: 'sha256:2' };
const signal = new AbortController().signal;

type Engine = EngineIdentity | undefined | Error;

function setUp(more: {
  readonly ready?: ReadyImage;
  /** Which engine answers each time. */
  readonly engines?: readonly Engine[];
  readonly addPull?: () => void;
  /** What is recorded already. */
  readonly known?: readonly OwnPull[];
}) {
  const pulls: OwnPull[] = [];
  const lines: string[] = [];
  const clock = new ManualClock();
  const engines = [...(more.engines ?? [ENGINE, ENGINE])];
  const ready = more.ready ?? READY;
  const runtime = recordPulls(
    withOther<Runtime>(new Bench().runtime, {
      images: { find: () => Promise.resolve(ready), prepare: () => Promise.resolve(ready) },
    }),
    {
      identity: () => {
        const engine = engines.shift();
        if (engine instanceof Error) return Promise.reject(engine);
        return engine === undefined ? Promise.reject(new Error('asked too often')) : Promise.resolve(engine);
      },
      records: {
        addPull: (pull) => (more.addPull ?? (() => pulls.push(pull)))(),
        pulls: (engine) => (more.known ?? []).filter((pull) => pull.engine === engine),
      },
      clock,
      log: logInto(lines),
    },
  );
  return { clock, lines, pulls, runtime };
}

test('a pull that brought an image is recorded by the name that runs and owners use', async () => {
  const { clock, pulls, runtime } = setUp({});
  await expect(runtime.images.prepare('docker.io/app', signal)).resolves.toEqual(READY);
  expect(pulls).toEqual([
    {
      engine: engineKey(ENGINE),
      imageId: 'sha256:2',
      ref: 'app:latest',
      pulledAt: clock.now(),
      bytes: 7,
      removedAt: undefined,
    },
  ]);
});

const NAMED: ReadyImage = { ref: 'app:2', id: 'app@sha256:1', sizeBytes: 7, namedId: 'sha256:2' };
const OWN: OwnPull = {
  engine: engineKey(ENGINE) ?? '',
  imageId: 'sha256:2',
  ref: 'app:latest',
  pulledAt: 1,
  bytes: 7,
  removedAt: undefined,
};

test('a pull that gave an own image another name is recorded too', async () => {
  const { clock, pulls, runtime } = setUp({ ready: NAMED, known: [OWN] });
  await runtime.images.prepare('app:2', signal);
  expect(pulls).toEqual([{ ...OWN, ref: 'app:2', pulledAt: clock.now() }]);
});

test.each<[string, readonly OwnPull[]]>([
  ['nobody knows of', []],
  ['somebody else has', [{ ...OWN, imageId: 'sha256:3' }]],
  ['the agent had once', [{ ...OWN, removedAt: 2 }]],
  ['the agent has in another engine', [{ ...OWN, engine: 'another' }]],
])('a pull that gave another name to an image that %s is not', async (_what, known) => {
  const { pulls, runtime } = setUp({ ready: NAMED, known });
  await runtime.images.prepare('app:2', signal);
  expect(pulls).toEqual([]);
});

test('it is recorded also where nobody needs it any more', async () => {
  const { pulls, runtime } = setUp({});
  await runtime.images.prepare('app', AbortSignal.abort());
  expect(pulls).toHaveLength(1);
});

test.each<[string, Parameters<typeof setUp>[0]]>([
  ['the engine had it before', { ready: { ...READY, broughtId: undefined } }],
  ['another engine answers by the end', { engines: [ENGINE, { ...ENGINE, id: 'f' }] }],
  ['the engine names no id', { engines: [{ ...ENGINE, id: undefined }] }],
  ['the engine names no directory', { engines: [{ ...ENGINE, dataRoot: undefined }] }],
])('an image counts as the owner’s where %s', async (_why, more) => {
  const { lines, pulls, runtime } = setUp(more);
  await expect(runtime.images.prepare('app', signal)).resolves.toMatchObject({ id: READY.id });
  expect(pulls).toEqual([]);
  expect(lines).toEqual([]);
});

test.each<[string, Parameters<typeof setUp>[0]]>([
  ['the engine does not say who it is', { engines: [new AgentError('RUNTIME_UNAVAILABLE', 'gone')] }],
  [
    'the engine no longer says who it is',
    { engines: [ENGINE, new AgentError('RUNTIME_UNAVAILABLE', 'gone')] },
  ],
  [
    'the journal cannot be written',
    {
      addPull: () => {
        throw new AgentError('STATE_DIR_UNUSABLE', 'full');
      },
    },
  ],
])('the pull is not lost where %s', async (_why, more) => {
  const { lines, pulls, runtime } = setUp(more);
  await expect(runtime.images.prepare('app', signal)).resolves.toEqual(READY);
  expect(pulls).toEqual([]);
  expect(logged(lines, 'image-pull-not-recorded')).toHaveLength(1);
});

test('engines of one machine have keys of their own', () => {
  const keys = [
    ENGINE,
    { ...ENGINE, id: 'f' },
    { ...ENGINE, dataRoot: '/mnt/docker' },
    { ...ENGINE, endpoint: 'tcp://other:2375' },
  ].map(engineKey);
  expect(new Set(keys).size).toBe(4);
  expect(engineKey({ ...ENGINE })).toBe(engineKey(ENGINE));
});
