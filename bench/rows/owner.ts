import { setTimeout as pause } from 'node:timers/promises';
import { ask } from '../../src/control-api/ask.ts';
import { ENDPOINTS } from '../../src/control-api/endpoints.ts';
import { JOB_STATUS } from '../../src/domain/job.ts';
import { AS_PACKAGED } from '../../test/support/e2e/as-packaged.ts';
import { openOwnerHost } from '../../test/support/e2e/owner-host.ts';
import { changed, TWO_T4 } from '../../test/support/nvidia-smi/machines.ts';
import { now } from '../measure/now.ts';
import { usageOf } from '../measure/process.ts';
import { openScene, TRIVIAL } from '../measure/scene.ts';
import { figureOf } from '../measure/spread.ts';
import { until } from '../measure/until.ts';
import type { Figure, Ground, Row } from '../row.ts';

/** How long the stand-in for a driver holds the memory of a job that was killed. */
const HELD_MS = 2_000;
/** The jobs' own time at a reclaim. */
const GRACE_MS = 1_000;
const ANSWER_MS = 60_000;
const CALLER = 'bench';

/** Tells when SIGTERM comes, in milliseconds since the epoch, and goes on. */
const TELLS_SIGTERM = `
import os, signal, time

def on_term(*_):
    os.write(2, ('term %.3f\\n' % (time.time() * 1000)).encode())

def handler(event):
    signal.signal(signal.SIGTERM, on_term)
    while True:
        time.sleep(60)
`;

/** What an owner waits for: no new claim, the signal to the job, the memory of the GPU; and what it costs meanwhile. */
export const owner: Row = {
  name: 'owner',
  measure: async (ground) => [await lastClaim(ground), ...(await reclaims(ground)), await idleCpu(ground)],
};

/** A market that always has work, and an agent that claims all the time. */
async function lastClaim(ground: Ground): Promise<Figure> {
  const samples: number[] = [];
  await using scene = await openScene(ground, 4);
  await using _agent = await scene.start();
  const rounds = ground.quick ? 2 : 40;
  scene.addRun(TRIVIAL, rounds * 60);
  for (let round = 0; round < rounds; round += 1) {
    const before = scene.claimed.size;
    await until('claims', () => scene.claimed.size >= before + 4);
    // At every moment of the time between two claims.
    await pause((round * 37) % 200);
    const asked = now();
    await ask(scene.stateDir, ENDPOINTS.pause, { caller: CALLER, body: {} }, ANSWER_MS);
    await pause(1_000);
    samples.push(Math.max(0, ...[...scene.claimed.values()].map((at) => at - asked)));
    await ask(scene.stateDir, ENDPOINTS.resume, { caller: CALLER, body: {} }, ANSWER_MS);
  }
  return figureOf(
    { what: 'pause -> last claim at the broker', unit: 'ms', targets: [{ of: 'p95', atMost: 50 }] },
    samples,
  );
}

async function reclaims(ground: Ground): Promise<readonly Figure[]> {
  const signals: number[] = [];
  const memory: number[] = [];
  await using host = await openOwnerHost(ground.engine, {
    entry: ground.entry,
    heldMs: HELD_MS,
    settings: AS_PACKAGED,
  });
  await using agent = await host.start();
  const stateDir = host.scenario.env.SHAREDCLOUD_STATE_DIR;
  for (let round = 1; round <= (ground.quick ? 1 : 30); round += 1) {
    // Another one each time: a run whose jobs are released is claimed ever more slowly.
    const run = host.addRun(TELLS_SIGTERM, 1);
    await agent.untilLogged({ event: 'job-started' }, round);
    const { seen } = await sigtermOf(ground, host.claims.at(-1) ?? '');
    // The function has to be loaded, and nvidia-smi to show what it uses.
    await pause(1_500);
    const asked = now();
    const body = { withinMs: GRACE_MS, confirmed: true };
    const answer = await ask(stateDir, ENDPOINTS.reclaim, { caller: CALLER, body }, ANSWER_MS);
    memory.push(now() - asked);
    if (answer.kind !== 'answer' || answer.answer.gpus.some(({ state }) => state !== 'free'))
      throw new Error(`the memory is not back: ${JSON.stringify(answer)}`);
    signals.push((await seen) - asked);
    await until('the release', () => host.jobsOf(run).every(({ status }) => status === JOB_STATUS.CREATED));
    host.store.deleteRun(run);
    await ask(stateDir, ENDPOINTS.resume, { caller: CALLER, body: {} }, ANSWER_MS);
  }
  const grace = `${GRACE_MS / 1000} s`;
  return [
    figureOf(
      { what: 'reclaim -> SIGTERM seen by the job', unit: 'ms', targets: [{ of: 'p95', atMost: 100 }] },
      signals,
    ),
    figureOf(
      {
        what: `reclaim -> memory back, ${grace} of grace, held for ${HELD_MS / 1000} s`,
        unit: 'ms',
        targets: [{ of: 'p95', atMost: GRACE_MS + 3_000 }],
      },
      memory,
    ),
  ];
}

/** Follows what the job prints; `seen` is when it has seen SIGTERM. */
async function sigtermOf({ engine }: Ground, job: string): Promise<{ readonly seen: Promise<number> }> {
  const filters = JSON.stringify({ label: [`sharedcloud.job=${job}`] });
  const [found] = await engine.docker.listContainers({ filters });
  if (found === undefined) throw new Error(`no container of job ${job}`);
  const stream = await engine.docker
    .getContainer(found.Id)
    .attach({ stream: true, stdout: true, stderr: true });
  let text = '';
  const seen = new Promise<number>((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const at = /term ([\d.]+)\n/.exec(text)?.[1];
      if (at !== undefined) resolve(Number(at));
    });
    stream.on('end', () => reject(new Error(`the job has not seen SIGTERM: ${text}`)));
  });
  return { seen };
}

/** With everything that looks after GPUs and their owner, one of them with a display; without jobs. */
async function idleCpu(ground: Ground): Promise<Figure> {
  const cpu: number[] = [];
  await using host = await openOwnerHost(ground.engine, {
    entry: ground.entry,
    machine: changed(TWO_T4, 0, { display_active: 'Enabled' }),
    settings: AS_PACKAGED,
  });
  await using agent = await host.start();
  await agent.untilLogged({ event: 'offer-registered' });
  const [settleMs, spanMs, spans] = ground.quick ? [500, 1_000, 1] : [30_000, 60_000, 3];
  await pause(settleMs);
  for (let span = 0; span < spans; span += 1) {
    const before = usageOf(agent.child.pid).cpuSeconds;
    await pause(spanMs);
    cpu.push(((usageOf(agent.child.pid).cpuSeconds - before) / spanMs) * 100_000);
  }
  return figureOf(
    {
      what: 'CPU of an idle agent with two GPUs',
      unit: '% of a core',
      targets: [{ of: 'median', atMost: 0.2 }],
    },
    cpu,
  );
}
