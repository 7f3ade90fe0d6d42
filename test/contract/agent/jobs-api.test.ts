import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { RecentEvents } from '../../../src/agent/events/recent-events.ts';
import { ask } from '../../../src/control-api/ask.ts';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { socketsOf } from '../../../src/control-api/sockets.ts';
import { VIEWS } from '../../../src/control-api/views.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { type ServedApi, serveApi } from '../../support/control/serve-api.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';

async function get({ headers, url }: ServedApi, path: string) {
  const answer = await fetch(`${url}/api/${path}`, { headers });
  return { status: answer.status, body: z.looseObject({}).parse(await answer.json()) };
}

async function listed(api: ServedApi, query = '') {
  const { jobs, next } = VIEWS.jobs.parse((await get(api, `jobs${query}`)).body);
  return { jobs: jobs.map(({ job }) => job), next };
}

test('jobs are listed in pages, filtered and shown, while they run and after', async () => {
  await using env = await TestEnv.open();
  const gate = new Gate(env.directory);
  await using agent = await env.start({ slots: 1 });
  await using api = await serveApi(env, agent);
  const first = env.addRun('function handler() { return 7 }', '((),)');
  await env.untilDone(first);
  await env.untilEvent('report-delivered');
  const running = env.addRun(GATED, gate.parameters());
  await env.until(async () => expect((await listed(api, '?state=running')).jobs).toHaveLength(1));
  const [ran, runs] = [env.jobOf(first).uuid, env.jobOf(running).uuid];
  expect(await listed(api)).toEqual({ jobs: [runs, ran], next: null });
  const page = await listed(api, '?limit=1');
  expect(page.jobs).toEqual([runs]);
  expect(await listed(api, `?limit=1&before=${page.next}`)).toEqual({ jobs: [ran], next: null });
  expect(await listed(api, '?outcome=succeeded&gpu=cpu&state=reported&state=finished')).toMatchObject({
    jobs: [ran],
  });
  expect(await listed(api, '?gpu=GPU-1')).toMatchObject({ jobs: [] });
  expect(await listed(api, '?text=SAMPLE')).toMatchObject({ jobs: [runs, ran] });
  expect(await listed(api, '?text=sam%25')).toMatchObject({ jobs: [] });

  const shown = VIEWS.job.parse((await get(api, `jobs/${ran.slice(0, 13)}`)).body);
  expect(shown).toMatchObject({ job: ran, outcome: 'succeeded', sizes: { result: 1 }, note: null });
  expect(shown.history.map(({ state }) => state)).toEqual([
    'claiming',
    'claimed',
    'starting',
    'running',
    'finished',
    'reported',
  ]);
  const asked = await ask(env.directory, ENDPOINTS.job, { caller: 'a test', rest: runs }, 5_000);
  expect(asked).toMatchObject({ answer: { job: runs, state: 'running', earned: null } });
  gate.open();
  await env.untilDone(running);
});

test.each([
  ['jobs/none', 404, 'JOB_UNKNOWN'],
  ['jobs/%25', 404, 'JOB_UNKNOWN'],
  ['jobs?limit=501', 400, 'CONTROL_INVALID'],
  ['jobs?limit=0', 400, 'CONTROL_INVALID'],
  ['jobs?before=-1', 400, 'CONTROL_INVALID'],
  ['jobs?state=done', 400, 'CONTROL_INVALID'],
  ['jobs?outcome=won', 400, 'CONTROL_INVALID'],
  [`jobs?text=${'x'.repeat(201)}`, 400, 'CONTROL_INVALID'],
])('%s is answered with %i', async (path, status, code) => {
  await using env = await TestEnv.open();
  await using agent = await env.open();
  await using api = await serveApi(env, agent);
  expect(await get(api, path)).toMatchObject({ status, body: { error: { code } } });
});

test.skipIf(process.getuid?.() !== 0)(
  'a user who may not read the state directory asks the agent, and sees the same',
  async () => {
    await using env = await TestEnv.open();
    await using agent = await env.start({ slots: 1 });
    await using _ = await serveApi(env, agent);
    const [run, other] = [1, 2].map((n) => env.addRun(`function handler() { return ${n} }`, '((),)'));
    for (const one of [run, other]) await env.untilDone(one ?? '');
    await env.until(() => expect(agent.journal.uuidsIn('reported')).toHaveLength(2));
    // As if the socket were that of the service, and the user in its group.
    const [socket] = socketsOf(env.directory, undefined);
    chmodSync(join(env.directory, socket?.name ?? ''), 0o666);
    chmodSync(env.directory, 0o711);
    const shown = async (through: readonly string[], stateDir: string, ...words: readonly string[]) => {
      const argv = [...words, '--json', '--state-dir', stateDir];
      await using command = new AgentProcess(argv, {}, 'src/main.ts', through);
      const { code, stdout } = await command.ended;
      const parsed: unknown = code === 0 ? JSON.parse(stdout) : undefined;
      return { code, parsed };
    };
    const asNobody = ['setpriv', '--reuid', '65534', '--clear-groups'];
    const asRoot: readonly string[] = [];
    const own = join(env.directory, 'state');
    for (const words of [
      ['jobs'],
      ['jobs', '--open'],
      ['jobs', '--limit', '1'],
      ['jobs', 'show', env.jobOf(run ?? '').uuid],
      ['earnings', '--by', 'gpu'],
    ])
      expect(await shown(asNobody, env.directory, ...words)).toEqual(await shown(asRoot, own, ...words));
    expect(await shown(asNobody, env.directory, 'jobs', 'show', 'none')).toMatchObject({ code: 1 });
    for (const command of ['jobs', 'earnings'])
      expect(await shown(asNobody, own, command)).toMatchObject({ code: 1 });
  },
  60_000,
);

test('an EventSource that was cut off goes on behind the last event that it got', async () => {
  await using env = await TestEnv.open();
  await using agent = await env.open();
  const recent = new RecentEvents({ clock: systemClock, redact: (line) => line });
  await using api = await serveApi(env, agent, { recent });
  const { last } = recent;
  for (const adopted of [1, 2, 3]) recent.observe({ kind: 'recovery-completed', adopted });
  const gone = new AbortController();
  const headers = { ...api.headers, 'last-event-id': `${last + 1}` };
  const { body } = await fetch(`${api.url}/api/live`, { headers, signal: gone.signal });
  let text = '';
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (text.includes('"kind":"status"')) break;
  }
  gone.abort();
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id) - last);
  expect(ids).toEqual([2, 3, 3]);
});
