import { expect, test } from 'vitest';
import { bodyOnly } from '../../../../../src/runtime/docker/engine/body-only.ts';
import { callEngine, ENGINE_DEADLINES } from '../../../../../src/runtime/docker/engine/call.ts';
import { connectEngine, parseDockerHost } from '../../../../../src/runtime/docker/engine/connection.ts';
import { DockerJobsNetwork } from '../../../../../src/runtime/docker/network/jobs-network.ts';
import { httpServer, json } from '../../../../support/faults/server.ts';

test('options go to the engine in the body only, but for what belongs into the URL', async () => {
  await using server = await httpServer((_, response) => json(response, { Id: 'abc' }));
  const client: { createContainer(options: object): Promise<unknown> } = connectEngine(
    parseDockerHost(server.dockerHost),
  );
  const body = { Image: 'x', Env: ['CODE=1'], HostConfig: { Memory: 1 } };
  await callEngine({ action: 'create', ms: 5_000 }, (signal) =>
    client.createContainer(bodyOnly(body, { name: 'n' }, signal)),
  );
  const [seen] = server.seen;
  expect(seen?.url).toBe('/containers/create?name=n');
  expect(JSON.parse(seen?.body ?? '')).toEqual(body);
});

test('the jobs’ network is created from the body', async () => {
  await using server = await httpServer(({ method }, response) =>
    method === 'GET' ? response.writeHead(404).end() : json(response, { Id: 'abc' }),
  );
  const network = new DockerJobsNetwork(connectEngine(parseDockerHost(server.dockerHost)), ENGINE_DEADLINES);
  // Since there is never such a network.
  await expect(network.ensure()).rejects.toMatchObject({ code: 'NETWORK_NOT_READY' });
  const created = server.seen.filter(({ method }) => method === 'POST');
  expect(created.map(({ url }) => url.replace(/\?$/, ''))).toEqual(['/networks/create']);
  expect(JSON.parse(created[0]?.body ?? '')).toMatchObject({ Name: 'sharedcloud-jobs' });
});
