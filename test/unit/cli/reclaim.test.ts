import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { z } from 'zod';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { route } from '../../../src/control-api/route.ts';
import { serveControl } from '../../../src/control-api/serve.ts';
import { CONTROL_SOCKET, socketsOf } from '../../../src/control-api/sockets.ts';
import { runLine } from '../../support/cli/run.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reclaim-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const JOB = { job: 'a-job', function: 'train', target: 'cpu', ranMs: 60_000, unpaid: 0.1, endsBy: 3_600_000 };

type Confirmed = z.infer<typeof ENDPOINTS.reclaim.request>['confirmed'];

/** An agent that says which jobs run. */
async function serveRunning(seen: Confirmed[], jobs: (typeof JOB)[] = []): Promise<AsyncDisposable> {
  const nothing = { changed: true, targets: [], jobs: [], gpus: [], left: [], problem: null, tookMs: 1 };
  return serveControl(socketsOf(directory, undefined), {
    routes: [
      route(ENDPOINTS.preview, async () => ({ jobs })),
      route(ENDPOINTS.reclaim, async ({ body }) => {
        seen.push(body.confirmed);
        return nothing;
      }),
    ],
    version: '1.2.3',
  });
}

test.each([['reclaim'], ['pause', '--now']])('%s may stop jobs only with --yes', async (...command) => {
  const seen: Confirmed[] = [];
  await using _ = await serveRunning(seen);
  const given = [...command, '--state-dir', directory];
  expect(await runLine(given)).toMatchObject({ exit: 0 });
  expect(await runLine([...given, '--yes'])).toMatchObject({ exit: 0 });
  expect(seen).toEqual([false, true]);
});

test('only the jobs of the question are agreed to', async () => {
  const seen: Confirmed[] = [];
  await using _ = await serveRunning(seen, [JOB, { ...JOB, job: 'another' }]);
  const given = ['reclaim', '--state-dir', directory];
  for (const said of [false, true]) await runLine(given, {}, undefined, { confirm: async () => said });
  expect(seen).toEqual([['a-job', 'another']]);
});

test('an agent that answers no question is commanded nothing', async () => {
  let asked = 0;
  const server = createServer((socket) => {
    asked += 1;
    socket.on('error', () => undefined).end('nonsense');
  });
  server.listen(join(directory, CONTROL_SOCKET));
  await once(server, 'listening');
  const { exit, stderr } = await runLine(['reclaim', '--state-dir', directory]);
  expect(exit).toBe(1);
  expect(stderr).toContain('AGENT_OUT_OF_REACH');
  expect(asked).toBe(1);
  server.close();
});
