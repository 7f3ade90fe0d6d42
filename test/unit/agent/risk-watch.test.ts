import { expect, test } from 'vitest';
import { RiskWatch, type RiskWatchDeps } from '../../../src/agent/risk-watch.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import type { Gpu } from '../../../src/domain/gpu.ts';
import { NvidiaProbe } from '../../../src/gpu/nvidia-probe.ts';
import { createLog } from '../../../src/lib/log.ts';
import { Redactor } from '../../../src/lib/redactor.ts';
import { RTX_4080_SUPER } from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';

const never = new AbortController().signal;
const SOUND = { docker: '29.7.0', runc: '1.3.3', 'nvidia-container-toolkit': '1.19.1', seccomp: true };

/** A watch over the GPU of a stand-in, and what it has logged. */
async function watched(
  more: Partial<RiskWatchDeps>,
  work: (watch: RiskWatch, log: string[]) => Promise<void>,
) {
  await using smi = await standIn(RTX_4080_SUPER);
  const lines: string[] = [];
  const log = createLog({
    level: 'debug',
    format: 'json',
    colour: false,
    destination: { write: (line) => void lines.push(line) },
    redactor: new Redactor(),
  });
  const probe = new NvidiaProbe(smi);
  const surroundings = async () => SOUND;
  await work(new RiskWatch({ probe, surroundings, accepted: [], log, ...more }), lines);
}

const faults = (gpus: readonly Gpu[]) => gpus.map(({ fault }) => fault);

test('where nothing is known against it, a GPU is as it is', () =>
  watched({}, async (watch, log) => {
    expect(faults(await watch.gpus(never))).toEqual([undefined]);
    expect(watch.refusal).toBeUndefined();
    // The stand-in's driver is older than its branch's mend.
    expect(log).toHaveLength(1);
    expect(log[0]).toContain('the Nvidia driver 580.65.06');
  }));

test('with a toolkit that lets images out no GPU is well, which is told once', () =>
  watched(
    { surroundings: async () => ({ ...SOUND, 'nvidia-container-toolkit': '1.17.8' }) },
    async (watch, log) => {
      const [fault] = faults(await watch.gpus(never));
      expect(fault).toContain('container toolkit 1.17.8 may let an image take over this host');
      expect(watch.refusal?.mend).toContain('--accept-risk nvidia-container-toolkit');
      await watch.gpus(never);
      expect(log.filter((line) => line.includes('no GPU is offered'))).toHaveLength(1);
    },
  ));

test('where its owner accepts that, it is well', () =>
  watched(
    {
      surroundings: async () => ({ ...SOUND, 'nvidia-container-toolkit': '1.17.8' }),
      accepted: ['nvidia-container-toolkit'],
    },
    async (watch, log) => {
      expect(faults(await watch.gpus(never))).toEqual([undefined]);
      expect(log.join()).toContain('you accept that');
    },
  ));

test('a toolkit that was updated is seen as it is now', async () => {
  let version = '1.17.8';
  await watched(
    { surroundings: async () => ({ ...SOUND, 'nvidia-container-toolkit': version }) },
    async (watch) => {
      await watch.gpus(never);
      version = '1.19.1';
      expect(faults(await watch.gpus(never))).toEqual([undefined]);
      expect(watch.refusal).toBeUndefined();
    },
  );
});

test('an engine that is away leaves what was known', async () => {
  let away = false;
  const gone = new AgentError('RUNTIME_UNAVAILABLE', 'no answer');
  await watched(
    {
      surroundings: async () => {
        if (away) throw gone;
        return { ...SOUND, 'nvidia-container-toolkit': '1.17.8' };
      },
    },
    async (watch) => {
      await watch.gpus(never);
      away = true;
      expect(faults(await watch.gpus(never))[0]).toContain('may let');
    },
  );
});

test('without GPUs the trouble is the probe’s, and Docker’s holes are told all the same', () =>
  watched(
    {
      probe: { gpus: () => Promise.reject(new AgentError('GPU_NONE', 'none')) },
      surroundings: async () => ({ ...SOUND, docker: '20.10.24', 'nvidia-container-toolkit': undefined }),
    },
    async (watch, log) => {
      await expect(watch.gpus(never)).rejects.toMatchObject({ code: 'GPU_NONE' });
      expect(log).toHaveLength(1);
      expect(log[0]).toContain('Docker 20.10.24');
    },
  ));
