import type Docker from 'dockerode';
import { z } from 'zod';
import { AgentError, asAgentError } from '../../../domain/errors.ts';
import { within } from '../../../lib/deadline.ts';
import { sleep } from '../../../lib/sleep.ts';
import { callEngine, type EngineDeadlines } from '../engine/call.ts';
import { engineError, readFault } from '../engine/errors.ts';
import { inspectState } from './state.ts';
import { waitForExit } from './wait.ts';

/** A killed container that is still running after this long may lack CPU time to die. */
const STARVED_AFTER_MS = 1_000;

/** Sends SIGTERM, and SIGKILL after `graceMs`. Does nothing if the container has exited or is gone. */
export async function stopContainer(
  docker: Docker,
  id: string,
  graceMs: number,
  deadlines: EngineDeadlines,
  now: () => number,
): Promise<void> {
  if (!(await sendSignal(docker, id, 'SIGTERM', deadlines))) return;
  if (await exitsWithin(docker, id, graceMs, deadlines, now)) return;
  // The engine answers once the container has exited, or after waiting for that. A refused kill rejects here, because
  // the container may then go on running and must not get more CPU.
  const killed = sendSignal(docker, id, 'SIGKILL', deadlines);
  const isStarved = await Promise.race([
    killed.then(() => false),
    exitsWithin(docker, id, STARVED_AFTER_MS, deadlines, now).then((exited) => !exited),
  ]);
  if (isStarved) await liftCpuLimit(docker, id, deadlines);
  if (await exitsWithin(docker, id, deadlines.stopMs, deadlines, now)) return;
  throw new AgentError('RUNTIME_FAILED', `container ${id} is still running after it was killed`, {
    hint: 'run dmesg: an unkillable process hangs in the kernel, often in the GPU driver',
  });
}

/**
 * Gives a killed container all CPUs of the host: hundreds of processes that share a fraction of one CPU take minutes to
 * die. Never done to a running container, because an update removes its GPU with old container toolkits.
 */
async function liftCpuLimit(docker: Docker, id: string, deadlines: EngineDeadlines): Promise<void> {
  const action = `lift the CPU limit of container ${id}`;
  try {
    await callEngine({ action, ms: deadlines.stopMs }, async () => {
      const { NCPU } = CPUS.parse(await docker.info());
      await docker.getContainer(id).update({ NanoCpus: NCPU * 1e9 });
    });
  } catch (thrown) {
    // The container may have exited by now, and the kill stands in any case. Only a defect of ours is an error.
    if (asAgentError(thrown).code === 'INTERNAL') throw thrown;
  }
}

const CPUS = z.object({ NCPU: z.number().positive() });

/** Returns false if the container has exited or is gone. */
async function sendSignal(
  docker: Docker,
  id: string,
  signal: 'SIGTERM' | 'SIGKILL',
  deadlines: EngineDeadlines,
): Promise<boolean> {
  const action = `stop container ${id}`;
  return callEngine({ action, ms: deadlines.stopMs }, async (abortSignal) => {
    try {
      await docker.getContainer(id).kill({ signal, abortSignal });
      return true;
    } catch (thrown) {
      const { status } = readFault(thrown);
      if (status === 404 || status === 409) return false;
      // The container may have exited between the engine's check and its signal.
      if (status !== undefined && (await hasExited(docker, id, deadlines))) return false;
      throw engineError(thrown, action);
    }
  });
}

async function hasExited(docker: Docker, id: string, deadlines: EngineDeadlines): Promise<boolean> {
  return (await inspectState(docker, id, deadlines.inspectMs)).exit !== undefined;
}

/** Whether a container exits or disappears within `ms`. */
async function exitsWithin(
  docker: Docker,
  id: string,
  ms: number,
  deadlines: EngineDeadlines,
  now: () => number,
): Promise<boolean> {
  const timeout = within(ms);
  try {
    await waitForExit(docker, id, deadlines, now, timeout);
    return true;
  } catch (thrown) {
    if (timeout.aborted) return false;
    if (asAgentError(thrown).code === 'CONTAINER_GONE') return true;
    throw thrown;
  }
}

const REMOVAL_POLL_MS = 200;
const REMOVAL_TRIES = 3;
const REMOVAL_PAUSE_MS = 1000;
/** A healthy engine ends another removal within this time, in milliseconds. */
const REMOVAL_IN_PROGRESS_MS = 10_000;
const SHORT_ID = 12;

/**
 * Removes a container with its volumes, running or not. Does nothing if it is gone. Throws RUNTIME_FAILED, with the
 * command to type, if the engine cannot remove it, and RUNTIME_UNAVAILABLE if it does not answer.
 */
export async function removeContainer(docker: Docker, id: string, deadlines: EngineDeadlines): Promise<void> {
  const action = `remove container ${id}`;
  const remove = async (abortSignal: AbortSignal): Promise<void> => {
    for (let tries = 1; ; tries += 1) {
      try {
        await docker.getContainer(id).remove({ force: true, v: true, abortSignal });
        return;
      } catch (thrown) {
        const { message, status = 0 } = readFault(thrown);
        if (status === 404 || /no such container/i.test(message)) return;
        // Another removal is in progress.
        if (status === 409) return untilGone(docker, id, deadlines, abortSignal);
        // Transient: a busy mount, or a kill that the engine has not noticed yet.
        if (status < 500 || tries === REMOVAL_TRIES) throw thrown;
        await sleep(REMOVAL_PAUSE_MS, abortSignal);
      }
    }
  };
  await callEngine({ action, ms: deadlines.stopMs }, remove, (thrown) => removalError(thrown, id));
}

/** Docker opens a file for each level. What comes after the layer's directory is the job's own choice. */
const TOO_DEEP = /openfdat (\/[\w./-]*?\/overlay2\/[0-9a-f]{64})\/.*too many open files/s;

/** A failed removal, with what its owner can do. */
function removalError(thrown: unknown, id: string): AgentError {
  const error = engineError(thrown, `remove container ${id}`);
  if (error.code !== 'RUNTIME_FAILED') return error;
  const again = `docker rm -f ${id.slice(0, SHORT_ID)}`;
  const [, layer] = TOO_DEEP.exec(readFault(thrown).message) ?? [];
  const hint =
    layer === undefined
      ? `find what holds it, then: ${again}; if that fails, too: sudo systemctl restart docker`
      : `remove its files, which are nested too deeply for Docker: sudo rm -rf ${layer}/diff && ${again}`;
  return new AgentError('RUNTIME_FAILED', error.message, { hint, cause: thrown });
}

/** Waits for another removal. Throws RUNTIME_FAILED if that takes long although the container has ended. */
async function untilGone(
  docker: Docker,
  id: string,
  deadlines: EngineDeadlines,
  signal: AbortSignal,
): Promise<void> {
  for (const until = performance.now() + REMOVAL_IN_PROGRESS_MS; ; ) {
    try {
      const { exit } = await inspectState(docker, id, deadlines.inspectMs, signal);
      if (exit !== undefined && performance.now() > until)
        throw new AgentError(
          'RUNTIME_FAILED',
          `container ${id} is still there: its removal is already in progress`,
        );
    } catch (thrown) {
      if (asAgentError(thrown).code === 'CONTAINER_GONE') return;
      throw thrown;
    }
    await sleep(REMOVAL_POLL_MS, signal);
  }
}
