import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkPage } from '../../../src/cli/check/check-page.ts';
import { inspectPage, type PageInspection } from '../../../src/cli/check/inspect-page.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { close, freePort, listen } from '../../support/faults/listen.ts';
import { TestPage } from '../../support/web-server/test-page.ts';

const LOOPBACK = {
  listen: { host: '127.0.0.1', port: 8470 },
  listenHost: [],
  listenPasswordFile: undefined,
} as const;
const EVERYWHERE = { ...LOOPBACK, listen: { host: '0.0.0.0', port: 8470 } } as const;
const SERVED = { url: 'http://127.0.0.1:8470', why: null, hint: null, isReached: true } as const;
const NOTHING: PageInspection = { agent: undefined, unlistenable: undefined, secrets: [] };

/** `warn with a hint` */
const verdicts = (...given: Parameters<typeof checkPage>) =>
  checkPage(...given).map(({ hint, level }) => (hint === undefined ? level : `${level} with a hint`));

describe('the line about the page', () => {
  test.each([
    ['turned off', { ...LOOPBACK, listen: 'off' } as const, undefined, 'ok'],
    ['served here', LOOPBACK, { ...NOTHING, agent: SERVED }, 'ok'],
    ['of an agent that does not run', LOOPBACK, NOTHING, 'ok'],
    [
      'with a port in use',
      LOOPBACK,
      { ...NOTHING, unlistenable: { why: 'w', hint: 'h' } },
      'warn with a hint',
    ],
    [
      'that the agent cannot serve',
      LOOPBACK,
      { ...NOTHING, agent: { ...SERVED, url: null, why: 'w', hint: 'h' } },
      'warn with a hint',
    ],
    [
      'that the running agent does not serve',
      LOOPBACK,
      { ...NOTHING, agent: { ...SERVED, url: null } },
      'warn with a hint',
    ],
    [
      'behind a firewall',
      EVERYWHERE,
      { ...NOTHING, agent: { ...SERVED, isReached: false } },
      'warn with a hint',
    ],
    ['without a password', EVERYWHERE, { ...NOTHING, agent: SERVED }, 'warn with a hint'],
    ['with a password', { ...EVERYWHERE, listenPasswordFile: '/p' }, { ...NOTHING, agent: SERVED }, 'ok'],
    [
      'with a file that others can read',
      { ...LOOPBACK, listenPasswordFile: '/p' },
      { ...NOTHING, agent: SERVED, secrets: [new AgentError('SECRET_FILE_UNSAFE', 'm', { hint: 'h' })] },
      'fail with a hint',
    ],
  ])('%s', (_name, config, seen, expected) => {
    expect(verdicts(config, seen)).toEqual([expected]);
  });
});

describe('looking for the page', () => {
  const caller = 'check';
  const uid = process.getuid?.() ?? 0;
  const NO_SECRETS = { listenPasswordFile: undefined, metricsTokenFile: undefined };

  async function stateDirectory(): Promise<string> {
    const stateDir = await mkdtemp(join(tmpdir(), 'check-page-'));
    onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
    return stateDir;
  }

  test('finds the page of the running agent, and that it answers', async () => {
    const { port, stateDir } = await TestPage.open();
    const config = { ...NO_SECRETS, stateDir, listen: { host: '127.0.0.1', port } };
    expect(await inspectPage(config, { caller, uid })).toMatchObject({
      agent: { url: `http://127.0.0.1:${port}`, isReached: true },
    });
  });

  test('without an agent finds out whether the address is free', async () => {
    const stateDir = await stateDirectory();
    const port = await freePort();
    const config = { ...NO_SECRETS, stateDir, listen: { host: '127.0.0.1', port } };
    expect(await inspectPage(config, { caller, uid })).toEqual(NOTHING);
    const other = createServer();
    await listen(other, port);
    expect(await inspectPage(config, { caller, uid })).toMatchObject({ agent: undefined, unlistenable: {} });
    await close(other);
  });

  test('reads the files with secrets as the agent will', async () => {
    const stateDir = await stateDirectory();
    const listenPasswordFile = join(stateDir, 'password');
    await writeFile(listenPasswordFile, 'a good password', { mode: 0o644 });
    const config = {
      stateDir,
      listenPasswordFile,
      metricsTokenFile: join(stateDir, 'absent'),
      listen: { host: '127.0.0.1', port: 0 },
    };
    const seen = await inspectPage(config, { caller, uid });
    expect(seen?.secrets.map(({ code }) => code)).toEqual(['SECRET_FILE_UNSAFE', 'SECRET_FILE_UNSAFE']);
  });
});
