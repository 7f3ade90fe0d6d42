import { z } from 'zod';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import { type NetworkChallenge, targetsOf, whyUnproven } from '../../domain/jobs-network.ts';
import { languageOf } from '../../domain/language.ts';
import type { JobFiles, Runtime } from '../../domain/ports.ts';
import { PROBE_CODE } from './probe-code.ts';

/** How long a target may take to answer; what our own rules refuse is refused in no time. */
const SILENCE_S = 3;
/** How long a probe may take in all, start included. */
const DEADLINE_MS = 60_000;
const LABEL = 'network-probe';

/** An image that is here, and the platform's word for the language of its functions. */
export type ProbeImage = { readonly id: string; readonly runtime: string };

/** What a probe stands on. */
export type ProbeDeps = {
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly random: () => number;
};

const FOUND = z.array(z.string());

/**
 * Tries a challenge from a container on the isolated network, made as a job's container is, with the same loader and
 * files. Answers why that does not prove the isolation; undefined: it does. The container is removed. Throws where the
 * probe cannot be run.
 */
export async function probeNetwork(
  { files, random, runtime }: ProbeDeps,
  image: ProbeImage,
  challenge: NetworkChallenge,
  signal: AbortSignal,
): Promise<string | undefined> {
  // The journal knows no job of this name: whatever a crash leaves of a probe is removed as nobody's.
  const job = `${LABEL}-${Math.floor(random() * 2 ** 48).toString(16)}`;
  const language = languageOf(image.runtime) ?? 'python';
  const fn = {
    uuid: LABEL,
    name: LABEL,
    code: PROBE_CODE[language],
    runtime: image.runtime,
    imageUuid: LABEL,
    registryPath: image.id,
  };
  const targets = targetsOf(challenge).map(({ host, port }) => [host, port]);
  const ended = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
  let container: string | undefined;
  try {
    const laid = await files.layOut(job, fn, `(${JSON.stringify(targets)}, ${SILENCE_S})`);
    container = await runtime.create({
      job,
      run: LABEL,
      offerKey: LABEL,
      image: image.id,
      inputDir: laid.inputDir,
      env: laid.env,
      gpu: null,
      network: 'isolated',
    });
    await runtime.start(container);
    const output = await files.output(job);
    const [exit] = await Promise.all([
      runtime.wait(container, ended),
      runtime.follow(container, output.write, ended),
    ]);
    const { result, stderr } = output.end();
    if (exit.code !== 0 || result === undefined) throw failed(exit.code, stderr);
    return whyUnproven(challenge, readFound(result));
  } finally {
    await clearAway({ files, runtime }, job, container);
  }
}

function readFound(result: string): readonly string[] {
  try {
    return FOUND.parse(JSON.parse(result));
  } catch {
    // An image may make of our function what it likes; then the probe said nothing.
    return [];
  }
}

function failed(code: number, stderr: string): AgentError {
  const last = stderr.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
  return new AgentError('RUNTIME_FAILED', `the probe ended with exit code ${code}${last && `: ${last}`}`);
}

async function clearAway(
  { files, runtime }: Pick<ProbeDeps, 'files' | 'runtime'>,
  job: string,
  container: string | undefined,
): Promise<void> {
  try {
    const made = container ?? (await runtime.list()).find((found) => found.job === job)?.id;
    if (made !== undefined) await runtime.remove(made);
    await files.remove(job);
  } catch (thrown) {
    // What stays is removed as nobody's later; only a defect is worth ending a job's story for.
    const error = asAgentError(thrown);
    if (error.code === 'INTERNAL') throw error;
  }
}
