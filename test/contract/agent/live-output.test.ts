import { expect, test } from 'vitest';
import { routesOf } from '../../../src/control/routes.ts';
import { follow } from '../../../src/control-api/ask.ts';
import { ENDPOINTS } from '../../../src/control-api/endpoints.ts';
import { serveControl } from '../../../src/control-api/serve.ts';
import { socketsOf } from '../../../src/control-api/sockets.ts';
import { Gate } from '../../support/agent/gate.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { routeParts } from '../../support/control/serve-api.ts';

const TALKING = `function handler([file]) {
  console.log('begun');
  return new Promise((done) => {
    setInterval(() => require('node:fs').existsSync(file) && process.exitCode === undefined && (console.error('over'), (process.exitCode = 0), done(7)), 20);
  });
}`;

test('the output of a job is followed from its beginning to its end, without what its loader says', async () => {
  await using env = await TestEnv.open();
  const gate = new Gate(env.directory);
  await using agent = await env.start({ slots: 1 });
  await using _ = await serveControl(socketsOf(env.directory, undefined), {
    version: '1.2.3',
    routes: routesOf(await routeParts(agent)),
  });
  const run = env.addRun(TALKING, gate.parameters());
  await env.untilEvent('job-started');
  const states: string[] = [];
  const seen = { stdout: '', stderr: '' };
  const rest = `${env.jobOf(run).uuid}?follow=1`;
  const { signal } = new AbortController();
  for await (const piece of follow(env.directory, ENDPOINTS.output, { caller: 'a test', rest }, signal)) {
    seen[piece.stream] += piece.text;
    states.push(piece.state);
    if (seen.stdout.includes('begun')) gate.open();
  }
  expect(seen).toEqual({ stdout: 'begun\n', stderr: 'over\n' });
  expect([states[0], states.at(-1)]).toEqual(['running', 'ended']);
  await env.untilDone(run);
});
