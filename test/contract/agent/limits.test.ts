import { describe, expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { openHouse } from '../../support/agent/harness.ts';

describe('an agent', () => {
  test('ends a job that never does', async () => {
    await using house = await openHouse();
    // Without a deadline it would end by itself, and well.
    const run = house.addRun(
      'exports.handler = () => new Promise((resolve) => setTimeout(resolve, 20_000, "late"));',
      '((),)',
    );
    const opened = await house.open({ settings: { jobTimeoutMs: 1_000 } });
    await opened.agent.run();
    await opened.close();
    const [job] = house.broker.store.jobsOf(run);
    expect(job?.status).toBe(JOB_STATUS.TIMEOUT);
    expect(job?.stderr).toContain('[sharedcloud-agent] stopped: it ran longer than 1 s');
  });

  test('ends a job that floods its output', async () => {
    await using house = await openHouse();
    const code = `const fs = require('fs');
      exports.handler = () => {
        const chunk = Buffer.alloc(1_000_000, 'x');
        for (let count = 0; count < 2_500; count += 1) fs.writeSync(1, chunk);
        return new Promise((resolve) => setTimeout(resolve, 20_000, 'late'));
      };`;
    const run = house.addRun(code, '((),)');
    const opened = await house.open();
    await opened.agent.run();
    await opened.close();
    const [job] = house.broker.store.jobsOf(run);
    expect(job?.status).toBe(JOB_STATUS.FAILED);
    expect(job?.stderr).toContain('stopped: it printed more than 2000000000 bytes in too short a time');
  });
});
