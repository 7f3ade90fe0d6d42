import { Agent, type IncomingMessage, request } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

/*
 * `node bare-calls.ts SOCKET`: reads lines with containers in JSON from stdin, makes the calls of a job to the engine for
 * each, and says `done` after each line.
 */

const [socketPath = ''] = process.argv.slice(2);
const agent = new Agent({ keepAlive: false });

/** Settles with the beginning of the answer. */
function open(method: string, path: string, body?: object): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const json = body === undefined ? undefined : JSON.stringify(body);
    const headers =
      json === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) };
    request({ socketPath, agent, method, path, headers }, resolve).on('error', reject).end(json);
  });
}

const call = async (...what: Parameters<typeof open>): Promise<string> => text(await open(...what));

const LINE = z.array(z.looseObject({ name: z.string() }));
const CREATED = z.object({ Id: z.string() });

/** Beside the next job, as the agent removes them. */
const removals: Promise<unknown>[] = [];

for await (const line of createInterface({ input: process.stdin })) {
  for (const { name, ...body } of LINE.parse(JSON.parse(line))) {
    const { Id: id } = CREATED.parse(JSON.parse(await call('POST', `/containers/create?name=${name}`, body)));
    const inspect = async (): Promise<unknown> => JSON.parse(await call('GET', `/containers/${id}/json`));
    await inspect();
    const output = text(await open('POST', `/containers/${id}/attach?stream=1&stdout=1&stderr=1`));
    await call('POST', `/containers/${id}/start`);
    await inspect();
    await call('POST', `/containers/${id}/wait?condition=not-running`);
    await output;
    await inspect();
    removals.push(call('DELETE', `/containers/${id}?force=1&v=1`));
  }
  await Promise.all(removals.splice(0));
  process.stdout.write('done\n');
}
