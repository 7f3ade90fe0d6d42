import { describe, expect, test } from 'vitest';
import { findEngine, type TestEngine } from './find-engine.ts';

export * from './find-engine.ts';

const finding = await findEngine(process.env);

/**
 * A suite that needs a Docker engine. Without one it is skipped under a name that says why; where CI=true it fails
 * instead, so that a broken engine cannot pass for a green run.
 */
export function describeDocker(name: string, body: (engine: TestEngine) => void): void {
  if ('engine' in finding) {
    describe(name, () => body(finding.engine));
  } else if (process.env['CI'] === 'true') {
    test(`${name}: has a Docker engine`, () => expect.fail(finding.missing));
  } else {
    describe.skip(`${name} (skipped: ${finding.missing})`, () => test('needs Docker', () => undefined));
  }
}

/** As describeDocker, for what needs the GPU stand-in that only the engine of `up.sh` has. */
export function describeGpuStandIn(
  name: string,
  body: (engine: TestEngine, standInDir: string) => void,
): void {
  const dir = 'engine' in finding ? finding.engine.standInDir : undefined;
  if (dir === undefined && 'engine' in finding && process.env['CI'] !== 'true') {
    describe.skip(`${name} (skipped: ${finding.engine.host} has no GPU stand-in)`, () =>
      test('needs the stand-in', () => undefined));
    return;
  }
  describeDocker(name, (engine) => {
    if (dir === undefined) test('has a GPU stand-in', () => expect.fail('start the engine with up.sh'));
    else body(engine, dir);
  });
}

/** Fails if an agent left a container behind, or any container left a volume without a name. */
export async function expectNothingLeft(engine: TestEngine, agentId: string): Promise<void> {
  const label = [`sharedcloud.agent=${agentId}`];
  const containers = await engine.docker.listContainers({ all: true, filters: JSON.stringify({ label }) });
  expect(containers.map(({ Names }) => Names)).toEqual([]);
}

/** The names of all volumes of an engine, to compare before and after. */
export async function volumeNames(engine: TestEngine): Promise<readonly string[]> {
  const { Volumes } = await engine.docker.listVolumes();
  return Volumes.map(({ Name }) => Name).toSorted();
}

/**
 * Makes an image of busybox with these Dockerfile instructions, under a name of its own, after
 * running `prepare` in it. Its `using` scope removes it again.
 */
export async function imageWith(
  engine: TestEngine,
  base: string,
  name: string,
  instructions: readonly string[],
  prepare = 'true',
): Promise<AsyncDisposable & { readonly ref: string }> {
  const container = await engine.docker.createContainer({ Image: base, Cmd: ['/bin/sh', '-c', prepare] });
  try {
    await container.start();
    await container.wait();
    const { Config } = await engine.docker.getImage(base).inspect();
    // A commit would keep the command that prepared it.
    const changes = [`CMD ${JSON.stringify(Config.Cmd)}`, ...instructions].join('\n');
    await container.commit({ repo: name, tag: 'latest', changes });
  } finally {
    await container.remove({ force: true, v: true });
  }
  const ref = `${name}:latest`;
  return {
    ref,
    [Symbol.asyncDispose]: async () => {
      await engine.docker.getImage(ref).remove({ force: true });
    },
  };
}
