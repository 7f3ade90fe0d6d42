import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { REFUSED_SAMPLES } from '../../../src/cli/dry-run/live/samples.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { describeDocker, PYTHON } from '../../support/engine/docker.ts';

const Rows = z.object({
  runs: z.array(
    z.object({ run: z.string(), outcome: z.string(), wrong: z.string().optional(), earned: z.number() }),
  ),
});

describe('npm run dry-run', () => {
  test('shows the whole lifecycle and ends with 0', async () => {
    const argv = ['dry-run', '--nvidia-smi', '/nonexistent/nvidia-smi', '--log-format', 'json'];
    await using dryRun = new AgentProcess(argv);
    const { code, stderr } = await dryRun.ended;
    expect(stderr).toContain('SIMULATED');
    for (const event of [
      'offer-registered',
      'job-claimed',
      'run-skipped',
      'job-started',
      'job-ended',
      'report-delivered',
    ]) {
      expect(dryRun.logged({ event })).not.toEqual([]);
    }
    expect(code).toBe(0);
  });

  test('prints its table as JSON', async () => {
    await using dryRun = new AgentProcess(['dry-run', '--json']);
    const { code, stdout } = await dryRun.ended;
    const { runs } = Rows.parse(JSON.parse(stdout));
    expect(runs.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
    expect(runs.find(({ run }) => run === 'endless')).toMatchObject({ outcome: 'TIMEOUT' });
    expect(runs.find(({ run }) => run === 'broken')).toMatchObject({ outcome: 'FAILED', earned: 0 });
    expect(code).toBe(0);
  });

  test('shows page and broker with --serve until Ctrl-C', async () => {
    const argv = ['dry-run', '--serve', '--log-format', 'json', '--log-level', 'info'];
    await using dryRun = new AgentProcess(argv);
    await vi.waitFor(() => expect(dryRun.said).toContain('curl'), 30_000);
    const [, page = '', link] = /(http:\S+\/)#link=(\S+)/.exec(dryRun.said) ?? [];
    const signedIn = await fetch(new URL('/session', page), {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: new URL(page).origin },
      body: JSON.stringify({ link }),
    });
    expect(await signedIn.json()).toMatchObject({ rights: ['read', 'control'] });
    const [, token, url = ''] = /Token (\S+)' (\S+)/.exec(dryRun.said) ?? [];
    const answer = await fetch(url, { headers: { authorization: `Token ${token}` } });
    expect(answer.status).toBe(200);
    for (const reason of new Set(REFUSED_SAMPLES.map((sample) => sample.reason)))
      await dryRun.untilLogged({ event: 'run-skipped', reason });
    await dryRun.untilLogged({ event: 'job-started' }, 2);
    await dryRun.untilLogged({ event: 'report-delivered' });
    dryRun.signal('SIGINT');
    expect((await dryRun.ended).code).toBe(0);
  });

  test.each([
    ['--serve', '--json'],
    ['--listen', '127.0.0.1:0'],
  ])('refuses %s %s together', async (...argv) => {
    await using dryRun = new AgentProcess(['dry-run', ...argv]);
    expect((await dryRun.ended).code).toBe(2);
  });
});

describeDocker('npm run dry-run -- --docker', (engine) => {
  test('runs the samples in containers and ends with 0', async () => {
    const argv = ['dry-run', '--docker', '--image', PYTHON, '--docker-host', engine.host];
    await using dryRun = new AgentProcess([...argv, '--nvidia-smi', '/nonexistent/nvidia-smi']);
    const { code } = await dryRun.ended;
    expect(code).toBe(0);
  });
});
