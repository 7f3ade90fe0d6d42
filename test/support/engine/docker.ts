/* oxlint-disable vitest/no-conditional-tests, vitest/no-disabled-tests, vitest/valid-title -- this file decides
   whether suites run, and so has no suite of its own that these rules could runChecks. */
/* oxlint-disable vitest/expect-expect, vitest/valid-describe-callback */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { z } from 'zod';
import { leaveOut } from '../leave-out.ts';
import { findEngine, type TestEngine } from './find-engine.ts';

export * from './find-engine.ts';

const finding = await findEngine(process.env);
const WITH_RUNTIMES = z.object({ Runtimes: z.record(z.string(), z.unknown()) });

/**
 * A suite that needs a Docker engine. Without one it is skipped under a name that says why; where CI=true it fails
 * instead, so that a broken engine cannot pass for a green run.
 */
export function describeDocker(name: string, body: (engine: TestEngine) => void): void {
  if ('engine' in finding) describe(name, () => body(finding.engine));
  else leaveOut(name, finding.missing);
}

/** As describeDocker, for what needs the GPU stand-in that only the engine of `up.sh` has. */
export function describeGpuStandIn(
  name: string,
  body: (engine: TestEngine, standInDir: string) => void,
): void {
  if (!('engine' in finding)) return leaveOut(name, finding.missing);
  const { engine } = finding;
  const dir = engine.standInDir;
  if (dir === undefined) leaveOut(name, `${engine.host} has no GPU stand-in: use test/support/engine/up.sh`);
  else describe(name, () => body(engine, dir));
}

/** As describeDocker, for what needs a runtime by this name at the engine. */
export async function describeRuntime(
  runtime: string,
  name: string,
  body: (engine: TestEngine) => void,
): Promise<void> {
  if (!('engine' in finding)) return leaveOut(name, finding.missing);
  const { engine } = finding;
  const { Runtimes } = WITH_RUNTIMES.parse(await engine.docker.info());
  if (Object.hasOwn(Runtimes, runtime)) describe(name, () => body(engine));
  else leaveOut(name, `${engine.host} has no runtime ${runtime}`);
}

/**
 * As describeDocker, for what must hurt an engine: the body opens ones of its own. Needs root, and what the engine
 * that the tests use was itself started from.
 */
export function describeOwnEngine(name: string, body: () => void): void {
  const missing = 'missing' in finding ? finding.missing : whyNoOwnEngine();
  if (missing === undefined) describe(name, body);
  else leaveOut(name, missing);
}

function whyNoOwnEngine(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can start an engine of its own';
  const folders = (process.env['PATH'] ?? '').split(':');
  const tools = ['dockerd', 'containerd', 'docker-init', 'busybox', 'unshare', 'nsenter', 'setpriv'];
  const tool = tools.find((tool) => !folders.some((folder) => existsSync(join(folder, tool))));
  return tool === undefined ? undefined : `an engine of its own needs ${tool}`;
}

/** Fails if an agent left a container behind. */
export async function expectNothingLeft(engine: TestEngine, agentId: string): Promise<void> {
  const label = [`sharedcloud.agent=${agentId}`];
  const containers = await engine.docker.listContainers({ all: true, filters: JSON.stringify({ label }) });
  expect(containers.map(({ Names }) => Names)).toEqual([]);
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
  // No instruction of a commit sets the signal, and no image is to choose it.
  const command = { Cmd: ['/bin/sh', '-c', prepare], StopSignal: 'SIGSTOP' };
  const container = await engine.docker.createContainer({ Image: base, ...command });
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
