import type Docker from 'dockerode';
import { z } from 'zod';
import { AgentError, asAgentError } from '../../../domain/errors.ts';
import { within } from '../../../lib/deadline.ts';
import { sleep } from '../../../lib/sleep.ts';
import { callEngine, type EngineDeadlines } from '../engine/call.ts';
import { engineError, readFault } from '../engine/errors.ts';
import { inspectState } from './state.ts';
import { waitForExit } from './wait.ts';

/** What has been killed and has not ended after this long may want for CPU time. */
const STARVED_AFTER_MS = 1_000;

/** Repricer a container to end, and kills it `graceMs` later. Nothing to do where it has ended or is gone. */
export async function stopContainer(
  docker: Docker,
  id: string,
  graceMs: number,
  deadlines: EngineDeadlines,
  now: () => number,
): Promise<void> {
  if (!(await sendSignal(docker, id, 'SIGTERM', deadlines))) return;
  if (await endedWithin(docker, id, graceMs, deadlines, now)) return;
  // The engine answers when it has seen the end, or has waited for it long enough. What it refuses is no kill: then the
  // container may run on, and is not to get more than before.
  const killed = sendSignal(docker, id, 'SIGKILL', deadlines);
  const isStarved = await Promise.race([
    killed.then(() => false),
    endedWithin(docker, id, STARVED_AFTER_MS, deadlines, now).then((ended) => !ended),
  ]);
  if (isStarved) await feed(docker, id, deadlines);
  if (await endedWithin(docker, id, deadlines.endMs, deadlines, now)) return;
  throw new AgentError('RUNTIME_FAILED', `container ${id} was killed and has not ended`, {
    hint: 'a process that cannot be killed hangs in the kernel, often in the GPU’s driver: see dmesg',
  });
}

/**
 * Gives a container that has been killed all CPU time of its host: hundreds of processes that share a part of one
 * processor take minutes even to die. A running container is never updated, since that takes its GPU away on some hosts.
 */
async function feed(docker: Docker, id: string, deadlines: EngineDeadlines): Promise<void> {
  const doing = `give container ${id} time to end`;
  try {
    await callEngine({ doing, ms: deadlines.endMs }, async () => {
      const { NCPU } = CPUS.parse(await docker.info());
      await docker.getContainer(id).update({ NanoCpus: NCPU * 1e9 });
    });
  } catch (thrown) {
    // It may have ended by now, and if not it is killed all the same; only a defect is worth telling.
    if (asAgentError(thrown).code === 'INTERNAL') throw thrown;
  }
}

const CPUS = z.object({ NCPU: z.number().positive() });

/** Answers whether there was something to signal. */
async function sendSignal(
  docker: Docker,
  id: string,
  signal: 'SIGTERM' | 'SIGKILL',
  deadlines: EngineDeadlines,
): Promise<boolean> {
  const doing = `stop container ${id}`;
  return callEngine({ doing, ms: deadlines.endMs }, async (abortSignal) => {
    try {
      await docker.getContainer(id).kill({ signal, abortSignal });
      return true;
    } catch (thrown) {
      const { status } = readFault(thrown);
      if (status === 404 || status === 409) return false;
      // The container may have ended between the engine's look and its signal.
      if (status !== undefined && (await hasEnded(docker, id, deadlines))) return false;
      throw engineError(thrown, doing);
    }
  });
}

async function hasEnded(docker: Docker, id: string, deadlines: EngineDeadlines): Promise<boolean> {
  return (await inspectState(docker, id, deadlines.lookMs)).exit !== undefined;
}

/** Whether a container ends, or goes, within that time. */
async function endedWithin(
  docker: Docker,
  id: string,
  ms: number,
  deadlines: EngineDeadlines,
  now: () => number,
): Promise<boolean> {
  const patience = within(ms);
  try {
    await waitForExit(docker, id, deadlines, now, patience);
    return true;
  } catch (thrown) {
    if (patience.aborted) return false;
    if (asAgentError(thrown).code === 'CONTAINER_GONE') return true;
    throw thrown;
  }
}

const REMOVAL_LOOK_MS = 200;
const REMOVAL_TRIES = 3;
const REMOVAL_PAUSE_MS = 1000;

/** Removes a container with its volumes, running or not. Nothing to do where it is gone. */
export async function removeContainer(docker: Docker, id: string, deadlines: EngineDeadlines): Promise<void> {
  const doing = `remove container ${id}`;
  await callEngine({ doing, ms: deadlines.endMs }, async (abortSignal) => {
    for (let tries = 1; ; tries += 1) {
      try {
        await docker.getContainer(id).remove({ force: true, v: true, abortSignal });
        return;
      } catch (thrown) {
        const { status = 0 } = readFault(thrown);
        if (status === 404) return;
        // Someone's removal is under way: ours is done when that is.
        if (status === 409) return untilGone(docker, id, deadlines, abortSignal);
        // A busy mount, or a kill whose effect the engine had not yet seen: both pass.
        if (status < 500 || tries === REMOVAL_TRIES) throw thrown;
        await sleep(REMOVAL_PAUSE_MS, abortSignal);
      }
    }
  });
}

async function untilGone(
  docker: Docker,
  id: string,
  deadlines: EngineDeadlines,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      await inspectState(docker, id, deadlines.lookMs, signal);
    } catch (thrown) {
      if (asAgentError(thrown).code === 'CONTAINER_GONE') return;
      throw thrown;
    }
    await sleep(REMOVAL_LOOK_MS, signal);
  }
}
