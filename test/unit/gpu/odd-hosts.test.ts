import { describe, expect, test } from 'vitest';
import type { GpuReading } from '../../../src/domain/gpu.ts';
import { NvidiaProbe } from '../../../src/gpu/nvidia-probe.ts';
import { answer } from '../../support/nvidia-smi/answer.ts';
import type { Machine } from '../../support/nvidia-smi/machine.ts';
import { TWO_T4 } from '../../support/nvidia-smi/machines.ts';
import { ODD_HOSTS } from '../../support/nvidia-smi/odd-hosts.ts';
import { sharedCases } from '../../support/nvidia-smi/shared-cases.ts';

const never = new AbortController().signal;

function read(machine: Machine): Promise<GpuReading> {
  const smi = { run: (args: readonly string[]) => Promise.resolve(answer(machine, args)) };
  return new NvidiaProbe({ program: 'nvidia-smi' }, smi).read(never);
}

const texts = (patterns: readonly RegExp[] = []) =>
  patterns.map((pattern): unknown => expect.stringMatching(pattern));

describe('nvidia-smi with', () => {
  test.each(Object.entries(ODD_HOSTS))('%s', async (_, { error, faults, machine, notices, usable }) => {
    if (error !== undefined) {
      const [code, message, hint] = error;
      const [text, advice] = texts([message, hint]);
      await expect(read(machine)).rejects.toMatchObject({ code, message: text, hint: advice });
      return;
    }
    const reading = await read(machine);
    expect(reading.gpus.filter(({ fault }) => fault === undefined)).toHaveLength(usable ?? 0);
    expect(reading.gpus.flatMap(({ fault }) => fault ?? [])).toEqual(texts(faults));
    expect(reading.notices.map(({ text }) => text)).toEqual(texts(notices));
    expect(reading.notices.every(({ hint }) => hint !== '')).toBe(true);
  });

  test('thousands of other lines has few notices, each bounded and escaped, each text once', async () => {
    const line = `\u001b[31mGPU is lost ${'x'.repeat(10_000)}`;
    const before = Array.from({ length: 5_000 }, (_, at) => `${line}\n${at} is odd\n`).join('');
    const { gpus, notices } = await read({ ...TWO_T4, around: { before, after: '', exit: 255, stderr: '' } });
    expect(gpus).toHaveLength(2);
    expect(notices).toHaveLength(16);
    expect(Math.max(...notices.map(({ text }) => text.length))).toBeLessThan(400);
    expect(notices[0]?.text).toContain(String.raw`\u{1b}[31m`);
  });

  test('the address of a GPU in a line names that GPU', async () => {
    const busIds = async (after: string) =>
      (await read({ ...TWO_T4, around: { before: '', after, exit: 0, stderr: '' } })).notices.map(
        ({ busId }) => busId,
      );
    expect(await busIds('GPU0000:BA:00.0: Unknown Error\n')).toEqual(['0000:BA:00.0']);
    expect(await busIds('at gpu 00000000:3B:00.0 and more\n')).toEqual(['00000000:3B:00.0']);
    expect(await busIds('PCI:0000:65:00: lost\n')).toEqual(['0000:65:00']);
    expect(await busIds('GPU 1 is lost\n')).toEqual([undefined]);
  });
});

const cases = sharedCases();
const skip = cases.length === 0 ? ' (skipped: no shared/nvidia-smi beside the checkout)' : '';

/* What the cases beside the checkout come to: usable GPUs and notices, or an error; the default is one usable GPU. */
const EXPECTED: Readonly<Record<string, string>> = {
  jetson: '0 usable, 0 notices',
  thor: '0 usable, 0 notices',
  'wsl-blocked': 'GPU_PROBE_FAILED',
  'handle-none': 'GPU_PROBE_FAILED',
  'handle-255': 'GPU_PROBE_FAILED',
  'nvml-unknown': 'GPU_PROBE_FAILED',
  'nvml-permissions': 'GPU_PROBE_FAILED',
  mismatch: 'GPU_PROBE_FAILED',
  'lost-15': '1 usable, 1 notices',
  'inforom-14': '2 usable, 1 notices',
  'recovery-drain': '0 usable, 0 notices',
  'twins-zero-uuid': '0 usable, 0 notices',
};

describe.skipIf(cases.length === 0)(`the odd hosts beside the checkout${skip}`, () => {
  test.each(cases)('%s', async (name, machine) => {
    const outcome = await read(machine).then(
      ({ gpus, notices }) =>
        `${gpus.filter(({ fault }) => fault === undefined).length} usable, ${notices.length} notices`,
      (thrown: unknown) => (thrown instanceof Error && 'code' in thrown ? thrown.code : thrown),
    );
    expect(outcome).toBe(EXPECTED[name] ?? '1 usable, 0 notices');
  });
});
