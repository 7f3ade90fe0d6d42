import { z } from 'zod';
import { testRuntime } from '../engine/runtime.ts';
import { TestJob } from '../engine/test-job.ts';
import type { TestHost } from './host.ts';

/** What a job tries: `tcp 192.168.77.2 8080`, or udp, whose datagram may get an answer. */
export type Attempt = `${'tcp' | 'udp'} ${string} ${number}`;

/** The image of this project's Node.js, by the name that tests give it. */
export const NODE_IMAGE = 'sharedcloud/node24:latest';
export const NODE_COMMAND = ['/bin/bash', '-c', 'node -e "$CODE"'];

const SEEN = z.record(z.string(), z.string());

/** How long a closed address is listened to, in milliseconds; `contacts` of the host tell what arrived all the same. */
export const SILENT_MS = 1_000;
/** Where an answer must come, a busy machine may take this long. */
export const ANSWER_MS = 20_000;

/** The program that makes all the attempts at once and prints, as JSON, what came of each. */
export function attackCode(attempts: readonly Attempt[], silentMs = SILENT_MS): string {
  return `
const net = require('net'), dgram = require('dgram');
const tcp = (host, port) => new Promise((resolve) => {
  const socket = net.connect({ host, port });
  socket.on('connect', () => resolve('open'));
  socket.on('error', (error) => resolve(error.code));
  setTimeout(() => resolve('silent'), ${silentMs});
});
const udp = (host, port) => new Promise((resolve) => {
  const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', () => resolve('answered'));
  socket.on('error', (error) => resolve(error.code));
  socket.bind(0, () => {
    socket.setBroadcast(true);
    socket.send('who is there', port, host, (error) => error && resolve(error.code));
    setTimeout(() => resolve('silent'), ${silentMs});
  });
});
const tries = { tcp, udp };
const attempts = ${JSON.stringify(attempts)};
Promise.all(attempts.map(async (attempt) => {
  const [how, host, port] = attempt.split(' ');
  return [attempt, await tries[how](host, Number(port))];
})).then((seen) => {
  console.log(JSON.stringify(Object.fromEntries(seen)));
  process.exit(0);
});`;
}

/** Lets a job on the isolated network make the attempts; answers what it saw of each. */
export async function attack(
  host: TestHost,
  attempts: readonly Attempt[],
  silentMs = SILENT_MS,
): Promise<Readonly<Record<string, string>>> {
  return readSeen(await run(host, attackCode(attempts, silentMs)));
}

/** The same for attempts that must all be answered: it ends with the last answer. */
export function reach(
  host: TestHost,
  attempts: readonly Attempt[],
): Promise<Readonly<Record<string, string>>> {
  return attack(host, attempts, ANSWER_MS);
}

/** Runs this JavaScript as a job on the isolated network; answers what it printed. */
export async function run(host: TestHost, code: string, dns: readonly string[] = []): Promise<string> {
  await using job = await startJob(host, code, dns);
  return (await job.output()).stdout.toString();
}

/** What the attack's program printed. */
export function readSeen(printed: string): Readonly<Record<string, string>> {
  return SEEN.parse(JSON.parse(printed));
}

/** Every attempt with this outcome. */
export function all(attempts: readonly Attempt[], outcome: string): Readonly<Record<string, string>> {
  return Object.fromEntries(attempts.map((attempt) => [attempt, outcome]));
}

/** Starts a job on the isolated network that runs this JavaScript. */
export async function startJob(host: TestHost, code: string, dns: readonly string[] = []): Promise<TestJob> {
  const at = testRuntime(host.dockerHost, { limits: { dns } });
  const engine = { host: host.dockerHost, docker: host.docker, standInDir: undefined };
  const job = await TestJob.create(engine, at, code, { image: NODE_IMAGE, network: 'isolated' });
  await at.runtime.start(job.id);
  return job;
}

/** The multicast group to which servers belong. */
export const GROUP = '239.1.2.3';

/** A program that answers TCP and UDP on a port, and says `ready`. */
export function serverCode(port: number): string {
  return `
const answers = require('dgram').createSocket('udp4');
answers.on('message', (words, from) => {
  console.log('heard ' + words);
  answers.send('hello', from.port, from.address);
});
answers.bind(${port}, () => {
  try {
    answers.addMembership('${GROUP}');
  } catch (error) {
    console.log(error.code);
  }
  require('net').createServer((socket) => socket.end('hello')).listen(${port}, '0.0.0.0', () => console.log('ready'));
});`;
}

/** A job that answers on a port, once it does, and where. */
export async function startServer(
  host: TestHost,
  port: number,
): Promise<AsyncDisposable & { readonly address: string; readonly pid: number; printed(): string }> {
  const job = await startJob(host, serverCode(port));
  const ready = Promise.withResolvers<void>();
  const enough = new AbortController();
  const at = host.docker.getContainer(job.id);
  const log = await at.logs({ follow: true, stdout: true, abortSignal: enough.signal });
  let printed = '';
  log.on('data', (bytes: Buffer) => {
    printed += bytes.toString();
    ready.resolve();
  });
  log.on('error', () => undefined);
  await ready.promise;
  const { NetworkSettings, State } = await at.inspect();
  const address = Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '';
  return {
    address,
    pid: State.Pid,
    printed: () => printed,
    [Symbol.asyncDispose]: async () => {
      enough.abort();
      await job[Symbol.asyncDispose]();
    },
  };
}

/** A program that sends a datagram to so many ports of a host, one each, and says `sent`. */
export function dialCode(host: string, ports: number): string {
  return `
const socket = require('dgram').createSocket('udp4');
let left = ${ports};
const next = () => (left === 0 ? (console.log('sent'), process.exit(0)) : socket.send('x', 1000 + left--, '${host}', next));
socket.bind(0, next);`;
}
