import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerPlan, Exit, OutputStream } from '../../../src/domain/ports/runtime.ts';
import type { DockerRuntime } from '../../../src/runtime/docker/docker-runtime.ts';
import { expectNothingLeft, type TestEngine } from './docker.ts';
import { testPlan } from './runtime.ts';

/** What one job printed, whole. */
export type Printed = { readonly stdout: Buffer; readonly stderr: Buffer };

/** A job's container for a test. Disposing removes all that it left, and fails if anything is left all the same. */
export class TestJob implements AsyncDisposable {
  readonly id: string;
  readonly plan: ContainerPlan;
  readonly #runtime: DockerRuntime;
  readonly #cleanUp: () => Promise<void>;

  private constructor(runtime: DockerRuntime, id: string, plan: ContainerPlan, cleanUp: () => Promise<void>) {
    this.#runtime = runtime;
    this.id = id;
    this.plan = plan;
    this.#cleanUp = cleanUp;
  }

  /** Creates, without starting, a container whose `CODE` is `code`: a shell script, where the image is busybox. */
  static async create(
    engine: TestEngine,
    at: { readonly runtime: DockerRuntime; readonly agentId: string },
    code: string,
    changes: Partial<ContainerPlan> = {},
  ): Promise<TestJob> {
    const inputDir = await mkdtemp(join(tmpdir(), 'sharedcloud-input-'));
    await chmod(inputDir, 0o755);
    await writeFile(join(inputDir, 'event.json'), '[1, 2]', { mode: 0o644 });
    const plan = testPlan({ inputDir, env: { CODE: code }, ...changes });
    const removeInput = (): Promise<void> => rm(inputDir, { recursive: true });
    try {
      const id = await at.runtime.create(plan);
      return new TestJob(at.runtime, id, plan, async () => {
        await at.runtime.remove(id);
        await removeInput();
        await expectNothingLeft(engine, at.agentId);
      });
    } catch (thrown) {
      await removeInput();
      throw thrown;
    }
  }

  /** Starts it, and answers its end and all that it printed. */
  async run(signal: AbortSignal = AbortSignal.timeout(120_000)): Promise<Printed & { readonly exit: Exit }> {
    await this.#runtime.start(this.id);
    const [exit, printed] = await Promise.all([this.#runtime.wait(this.id, signal), this.output(signal)]);
    return { exit, ...printed };
  }

  /** All that it prints until it ends. */
  async output(signal: AbortSignal = AbortSignal.timeout(120_000)): Promise<Printed> {
    const chunks: Record<OutputStream, Buffer[]> = { stdout: [], stderr: [] };
    await this.#runtime.follow(this.id, (stream, bytes) => chunks[stream].push(Buffer.from(bytes)), signal);
    return { stdout: Buffer.concat(chunks.stdout), stderr: Buffer.concat(chunks.stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanUp();
  }
}
