import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedBroker } from '../../../src/embedded/broker/embedded-broker.ts';
import { NODE } from '../engine/docker.ts';

/** Of each test file its own: an agent of another one, whose broker is gone, may try a port that is this one's now. */
export const TOKEN = `token-that-no-output-may-show-${randomUUID()}`;

/** A broker, a state directory and the environment that makes an agent use them. */
export async function openScenario(
  host: string,
  more: Readonly<Record<string, string>> = {},
  { leaseSeconds = 60, token = TOKEN }: { readonly leaseSeconds?: number; readonly token?: string } = {},
) {
  const directory = await mkdtemp(join(tmpdir(), 'sharedcloud-e2e-'));
  const broker = new EmbeddedBroker({ token, leaseSeconds, leaveOutUnwinnable: false });
  const url = await broker.listen();
  const tokenFile = join(directory, 'token');
  await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
  const env = {
    SHAREDCLOUD_BROKER_URL: url,
    SHAREDCLOUD_TOKEN_FILE: tokenFile,
    SHAREDCLOUD_ASK_PRICE: '0.1',
    SHAREDCLOUD_STATE_DIR: join(directory, 'state'),
    SHAREDCLOUD_IMAGES: 'localhost:5000/sharedcloud/*',
    SHAREDCLOUD_MIN_FREE_DISK: '0 B',
    SHAREDCLOUD_POLL_INTERVAL: '200ms',
    // The jobs' network is one for all agents of an engine: only the tests that are about it use it.
    SHAREDCLOUD_JOB_NETWORK: 'none',
    // Agents side by side would want one port.
    SHAREDCLOUD_LISTEN: 'off',
    DOCKER_HOST: host,
    ...more,
  };
  return {
    broker,
    env,
    url,
    directory,
    [Symbol.asyncDispose]: async () => {
      await broker.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Puts a run on the market, of a function in this image; answers its uuid. */
export function addRun(
  broker: EmbeddedBroker,
  image: string,
  code: string,
  parameters: string,
  requiresGpu = false,
): string {
  const runtime = image === NODE ? 'node8' : 'python36';
  const uuid = broker.store.addImage({ registryPath: image, requiresGpu, runtime });
  const fn = broker.store.addFunction({ name: 'sample', code, image: uuid });
  return broker.store.addRun({ function: fn, parameters, bidPrice: 0.5 });
}

export const HELLO_PYTHON = `def handler(event):\n    print('hello', event[0])\n    return event[0]\n`;
export const HELLO_NODE = `async function handler(event) { console.log('hello', event[0]); return { got: event[0] } }`;
