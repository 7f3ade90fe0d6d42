import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ContainerPlan } from '../../../src/domain/ports/runtime.ts';
import { ProcessRuntime } from '../../../src/embedded/runtime/process-runtime.ts';
import { systemClock } from '../../../src/lib/clock.ts';

const BROKER = 'http://127.0.0.1:4321';
export const NODE = 'sharedcloud/node:latest';
export const SHELL = 'sharedcloud/shell:latest';
export const MISSING = 'sharedcloud/missing:latest';

/** A runtime in a directory of its own, gone after the test, and the plans and looks that tests need. */
export class Bench {
  readonly workDir = mkdtempSync(join(tmpdir(), 'runtime-process-'));
  readonly runtime: ProcessRuntime;
  #made = 0;

  constructor() {
    this.runtime = new ProcessRuntime({
      interpreters: {
        [NODE]: [process.execPath, '-e'],
        [SHELL]: ['sh', '-c'],
        [MISSING]: ['no-such-interpreter', '-c'],
      },
      brokerUrl: BROKER,
      embeddedBrokerUrl: BROKER,
      workDir: this.workDir,
      path: '/usr/local/bin:/usr/bin:/bin',
      clock: systemClock,
    });
    onTestFinished(async () => {
      await this.runtime[Symbol.asyncDispose]();
      rmSync(this.workDir, { recursive: true, force: true });
    });
  }

  plan(image: string, code: string, more: Partial<ContainerPlan> = {}): ContainerPlan {
    this.#made += 1;
    return {
      job: `job-${this.#made}`,
      run: 'run-1',
      offerKey: 'cpu',
      image,
      inputDir: '/input',
      env: { CODE: code },
      gpu: null,
      resources: { memoryBytes: 1e8, cpus: 1 },
      ...more,
    };
  }

  /** Creates and starts a job; answers its id. */
  async begin(image: string, code: string, more: Partial<ContainerPlan> = {}): Promise<string> {
    const id = await this.runtime.create(this.plan(image, code, more));
    await this.runtime.start(id);
    return id;
  }

  /** All that a job prints until its end. */
  async output(id: string): Promise<{ stdout: string; stderr: string }> {
    const said = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
    await this.runtime.follow(id, (stream, chunk) => said[stream].push(chunk), new AbortController().signal);
    return {
      stdout: Buffer.concat(said.stdout).toString(),
      stderr: Buffer.concat(said.stderr).toString(),
    };
  }

  /** Waits until a running job has printed `text` on stdout. */
  async printed(id: string, text: string): Promise<string> {
    const seen = new AbortController();
    let all = '';
    await this.runtime.follow(
      id,
      (_, chunk) => {
        all += Buffer.from(chunk).toString();
        if (all.includes(text)) seen.abort();
      },
      seen.signal,
    );
    return all;
  }

  /** What lies in the work directory. */
  files(): readonly string[] {
    return readdirSync(this.workDir);
  }
}

/** Whether a process runs; one that waits only for its parent to notice its end does not. */
export function isAlive(pid: number): boolean {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', `${pid}`])
      .toString()
      .startsWith('Z');
  } catch {
    return false;
  }
}
