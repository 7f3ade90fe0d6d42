import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ROWS } from '../../../scripts/monitoring/panels.ts';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { METRICS } from '../../../src/metrics/table.ts';
import { aSample } from '../../support/agent/manual-sampler.ts';
import { PageHost } from '../../support/browser/page-host.ts';
import { describePrometheus, promtool } from '../../support/prometheus/describe.ts';
import { Prometheus } from '../../support/prometheus/prometheus.ts';

const FIGURES = {
  uuid: 'GPU-1',
  utilizationPercent: 75,
  memoryUsedMiB: 1_024,
  memoryFreeMiB: 14_336,
  temperatureC: 61,
  powerW: 68,
  powerLimitW: 70,
  fanPercent: 40,
} as const;
const GPU_OFFER = '{offer="gpu:NVIDIA T4"}';
/** What a buyer may name so that owners see it. */
const HOSTILE = 'evil"} 1\nsharedcloud_agent_info{x="y';

function scrapeOf({ origin }: PageHost, more = ''): string {
  return `  - job_name: sharedcloud-agent\n    static_configs: [{ targets: ['${new URL(origin).host}'] }]\n${more}`;
}

/** Runs one job to its confirmed report; answers what the broker pays for it. */
async function earn(host: PageHost): Promise<number> {
  const run = host.addRun({ code: 'function handler() { return 7 }', name: HOSTILE });
  await expect.poll(() => host.jobsOf(run)[0]?.status).toBe(JOB_STATUS.SUCCEEDED);
  return host.jobsOf(run)[0]?.cost ?? Number.NaN;
}

describePrometheus('Prometheus', () => {
  test('reads of a real agent what it did, over a restart, and every panel of the dashboard', async () => {
    const host = await PageHost.open();
    host.samples.give(aSample(FIGURES));
    const prometheus = await Prometheus.start(scrapeOf(host));
    const value = (expr: string): Promise<number | undefined> => prometheus.value(expr);

    const first = await earn(host);
    const jobs = `sharedcloud_agent_jobs_total{offer="gpu:NVIDIA T4", outcome="succeeded"}`;
    await expect.poll(() => value(jobs)).toBe(1);
    expect(await value(`sharedcloud_agent_earnings_confirmed_dollars_total${GPU_OFFER}`)).toBeCloseTo(
      first,
      9,
    );
    expect(await value(`sharedcloud_agent_ask_dollars_per_minute${GPU_OFFER}`)).toBe(0.1);
    expect(await value('sharedcloud_agent_claims_total{result="claimed"}')).toBe(1);
    expect(await value('sharedcloud_agent_claims_total{result="lost"}')).toBe(0);
    expect(await value('sharedcloud_agent_job_duration_seconds_count')).toBe(1);
    expect(await value('sharedcloud_agent_slots{state="free"}')).toBe(1);
    expect(await value('sharedcloud_agent_broker_up')).toBe(1);
    expect(await value('sharedcloud_agent_engine_up')).toBe(1);
    expect(
      await value(
        'sharedcloud_agent_broker_request_duration_seconds_count{endpoint="PATCH jobs/:id", code="200"}',
      ),
    ).toBeGreaterThanOrEqual(2);
    for (const [metric, expected] of [
      [METRICS.gpuUtilization, 0.75],
      [METRICS.gpuTemperature, 61],
      [METRICS.gpuPower, 68],
      [METRICS.gpuPowerLimit, 70],
      [METRICS.gpuFan, 0.4],
      [METRICS.gpuThrottled, 0],
    ] as const)
      expect(await value(`${metric.name}{gpu="GPU-1"}`)).toBe(expected);
    expect(await value('sharedcloud_agent_gpu_memory_bytes{state="used"}')).toBe(2 ** 30);
    expect(await value('sharedcloud_agent_gpu_info{index="0", model="NVIDIA T4"}')).toBe(1);
    expect(await value('sum(sharedcloud_agent_gpu_cordoned)')).toBe(0);
    host.addRun({ code: 'function handler() {}', bid: 0.01 });
    await expect.poll(() => value('sharedcloud_agent_runs_skipped{reason="bid-below-ask"}')).toBe(1);
    // What a buyer named is nowhere.
    expect(await prometheus.query('{__name__=~".+", x=~".+"}')).toEqual([]);

    await host.stopAgent();
    await host.startAgent();
    const second = await earn(host);
    await expect.poll(() => value(jobs)).toBe(2);
    expect(await value(`sharedcloud_agent_earnings_confirmed_dollars_total${GPU_OFFER}`)).toBeCloseTo(
      first + second,
      9,
    );
    expect(await value(`resets(${jobs}[10m])`)).toBe(0);
    expect(await value(`resets(sharedcloud_agent_earnings_confirmed_dollars_total${GPU_OFFER}[10m])`)).toBe(
      0,
    );

    for (const { expr } of ROWS.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries))) {
      const points = await prometheus.query(expr.replaceAll('$instance', '.*'));
      // Nothing was taken back, no power was integrated yet, jobs run in no containers, and what is seen once has no rate.
      const mayBeEmpty = /reclaim_duration|energy_joules|image_bytes|rate\(/.test(expr);
      expect({ expr, found: mayBeEmpty || points.length > 0 }).toEqual({ expr, found: true });
    }
  });

  test('has nothing against any metric, in either format, and knows few series', async () => {
    const host = await PageHost.open();
    host.samples.give(aSample(FIGURES));
    await earn(host);
    const answer = await fetch(`${host.origin}/metrics`);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await answer.text();
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, output: '' });
    expect(text).not.toContain('evil');
    expect(text.split('\n').length).toBeLessThan(600);
    const known: ReadonlySet<string> = new Set(Object.values(METRICS).map(({ name }) => name));
    const exposed = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
    expect(exposed.filter((name) => !known.has(name))).toEqual([]);
    expect(host.samples.watchers).toBeLessThanOrEqual(1);
    const accept = 'application/openmetrics-text;version=1.0.0';
    const open = await fetch(`${host.origin}/metrics`, { headers: { accept } });
    expect((await open.text()).endsWith('# EOF\n')).toBe(true);
  });

  test('scrapes with the token of a file, and not without it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'scrape-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const file = join(directory, 'token');
    await writeFile(file, 'the-token-of-a-scraper\n', { mode: 0o600 });
    const host = await PageHost.open({ env: { SHAREDCLOUD_METRICS_TOKEN_FILE: file } });
    const without = scrapeOf(host).replace('job_name: sharedcloud-agent', 'job_name: without');
    const prometheus = await Prometheus.start(
      `${scrapeOf(host, `    authorization: { credentials_file: '${file}' }\n`)}${without}`,
    );
    await expect.poll(() => prometheus.value('up{job="sharedcloud-agent"}')).toBe(1);
    await expect.poll(() => prometheus.value('up{job="without"}')).toBe(0);
  });
});
