import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { diskRoom } from '../../../src/lib/free-disk.ts';
import { type House, openHouse } from '../../support/agent/harness.ts';
import { describeDocker, expectNothingLeft, PYTHON } from '../../support/engine/docker.ts';
import { testRuntime } from '../../support/engine/runtime.ts';

const MB = 1_000_000;

/** Writes so many files of so many megabytes, then sleeps for a while: unless somebody ends it, it succeeds. */
const WRITER = `
import time
def handler(event):
    for number in range(event[0]):
        with open('/tmp/%d' % number, 'wb') as file:
            for _ in range(event[1]):
                file.write(bytes(10**6))
    time.sleep(event[2])
    return 'written'
`;

/** The same, in a file that has no name any more: nobody who looks through its files finds it. */
const HIDER = `
import os, time
def handler(event):
    file = open('/tmp/hidden', 'wb')
    os.remove('/tmp/hidden')
    for _ in range(event[0]):
        file.write(bytes(10**6))
        file.flush()
    time.sleep(event[1])
    return 'hidden'
`;

describeDocker('the disk of a host', (engine) => {
  const open = async (house: House, leastFreeBytes: number) => {
    // The engine's directory, asked for here because the agent asks only in its own time.
    const { runtime } = testRuntime(engine.host);
    await runtime.probe(AbortSignal.timeout(20_000));
    const free = diskRoom(runtime.storagePath ?? '')?.bytes ?? 0;
    return house.open({
      slots: 2,
      settings: { diskLimitBytes: 300 * MB, leastFreeBytes, once: true, jobTimeoutMs: 60_000 },
      runtime: (agentId) => testRuntime(engine.host, { agentId, limits: { diskBytes: 300 * MB } }).runtime,
      // As if the disk had 500 MB left, whatever else this machine has.
      diskRoom: (path) => {
        const room = diskRoom(path);
        return room && { ...room, bytes: room.bytes - free + 500 * MB };
      },
    });
  };

  test('ends a job that writes many files', async () => {
    await using house = await openHouse();
    const bad = addPython(house, WRITER, '((6, 100, 20),)');
    const good = addPython(house, WRITER, '((2, 100, 1),)');
    const { agent, close, journal } = await open(house, 0);
    await agent.run();
    await close();
    const [ended] = house.broker.store.jobsOf(bad);
    expect(ended?.status).toBe(JOB_STATUS.FAILED);
    expect(ended?.stderr).toContain('stopped: it wrote more than 300000000 bytes to its disk');
    expect(house.broker.store.jobsOf(good)).toMatchObject([
      { status: JOB_STATUS.SUCCEEDED, result: 'written' },
    ]);
    await expectNothingLeft(engine, journal.agentId);
  });

  test('is not filled by what cannot be seen on a job: that goes back to the market', async () => {
    await using house = await openHouse();
    const good = addPython(house, WRITER, '((1, 1, 15),)');
    const { agent, close, journal } = await open(house, 600 * MB);
    const running = agent.run();
    await vi.waitFor(() => expect(house.events.map(({ kind }) => kind)).toContain('job-started'), 60_000);
    addPython(house, HIDER, '((280, 20),)');
    await vi.waitFor(() => expect(house.events.map(({ kind }) => kind)).toContain('job-releasing'), 60_000);
    const [released] = house.events.filter((event) => event.kind === 'job-releasing');
    expect(released?.why).toBe('this host is running out of disk');
    await vi.waitFor(
      () => expect(house.broker.store.jobsOf(good)).toMatchObject([{ status: JOB_STATUS.SUCCEEDED }]),
      60_000,
    );
    await agent.giveBack();
    await running;
    await close();
    await expectNothingLeft(engine, journal.agentId);
  });
});

function addPython(house: House, code: string, parameters: string): string {
  const image = house.broker.store.addImage({
    registryPath: PYTHON,
    requiresGpu: false,
    runtime: 'python36',
  });
  const fn = house.broker.store.addFunction({ name: 'sample', code, image });
  return house.broker.store.addRun({ function: fn, parameters, bidPrice: 1 });
}
