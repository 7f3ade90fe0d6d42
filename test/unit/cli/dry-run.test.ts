import { describe, expect, test } from 'vitest';
import { dryRunGpus } from '../../../src/cli/dry-run/gpu.ts';
import { outcomeOf } from '../../../src/cli/dry-run/outcome.ts';
import { samplesFor } from '../../../src/cli/dry-run/samples.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { NvidiaProbe } from '../../../src/gpu/nvidia-probe.ts';
import { runLine } from '../../support/cli/run.ts';
import { EIGHT_A100 } from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';

describe('the dry run', () => {
  test('counts GPUs of one model', async () => {
    await using smi = await standIn(EIGHT_A100);
    const { names, simulated } = await dryRunGpus(new NvidiaProbe(smi), new AbortController().signal);
    expect(simulated).toBeUndefined();
    expect(names).toMatch(/^8 x NVIDIA A100[^,]*$/);
  });

  test('adds earnings without rounding errors', () => {
    const [sample] = samplesFor(['node'], 'gpu');
    if (sample === undefined) throw new Error('there is no sample');
    const job = { status: JOB_STATUS.SUCCEEDED, result: '' };
    const jobs = [0.1, 0.2].map((cost) => ({ ...job, cost }));
    expect(outcomeOf({ sample, jobs, skipped: undefined }).earned).toBe(0.3);
  });

  test('refuses an image without --docker', async () => {
    const { exit, stderr } = await runLine(['dry-run', '--image', 'sharedcloud/python36']);
    expect(exit).toBe(2);
    expect(stderr).toContain('error CONFIG_INVALID: --image: ');
  });

  test.each([
    ['--listen', '127.0.0.1:0'],
    ['--listen-host', 'gpu.example'],
    ['--listen-password-file', '/nonexistent/password'],
    ['--listen-insecure'],
  ])('refuses %s without --serve', async (...flag) => {
    const { exit, stderr } = await runLine(['dry-run', ...flag]);
    expect(exit).toBe(2);
    expect(stderr).toContain(`error CONFIG_INVALID: ${flag[0]}: `);
  });
});
