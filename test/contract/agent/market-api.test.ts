import { expect, test } from 'vitest';
import { z } from 'zod';
import { isAccepted } from '../../../src/control/settings-routes.ts';
import { VIEWS } from '../../../src/control-api/views.ts';
import { ADA } from '../../support/agent/owner.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { load } from '../../support/config/load.ts';
import { type ServedApi, serveApi } from '../../support/control/serve-api.ts';

async function get({ headers, url }: ServedApi, path: string) {
  const answer = await fetch(`${url}/api/${path}`, { headers });
  return z.looseObject({}).parse(await answer.json());
}

const CODE = 'function handler() { return 7 }';

test('the market has every run that was seen, the best bids first, and why it is not taken', async () => {
  await using env = await TestEnv.open();
  await using agent = await env.start({ slots: 1 });
  await env.untilEvent('offer-registered');
  await agent.agent.owner.pause({ names: [], minors: [], lasting: undefined, tag: '' }, ADA);
  await using api = await serveApi(env, agent);
  const [low, high] = [0.03, 0.5].map((bidPrice) => env.addRun(CODE, '((),)', { bidPrice }));
  // The answers of two seconds are shared.
  await env.until(async () => {
    const market = VIEWS.market.parse(await get(api, 'market'));
    expect(market.runs.map(({ run }) => run)).toEqual([high, low]);
    expect(market).toMatchObject({
      leftOut: 0,
      runs: [
        { bid: 0.5, verdicts: [{ offer: 'cpu' }] },
        { bid: 0.03, verdicts: [{ offer: 'cpu', reason: 'bid-below-ask' }] },
      ],
    });
    expect(market.at).not.toBeNull();
    expect(market.runs[1]?.verdicts[0]?.what).toMatch(/\$0\.03,.*\$0\.10 per minute$/);
    expect(market.skipped).toContainEqual({ offer: 'cpu', reason: 'bid-below-ask', runs: 1 });
  });
});

test('the market of an agent that has not polled yet is empty', async () => {
  await using env = await TestEnv.open();
  await using agent = await env.open();
  await using api = await serveApi(env, agent);
  expect(await get(api, 'market')).toMatchObject({ at: null, runs: [], leftOut: 0, skipped: [] });
});

test('the configuration has every option with its source, and no secret', async () => {
  await using env = await TestEnv.open();
  await using agent = await env.open();
  const fixed = await load({ env: { SHAREDCLOUD_TOKEN: 'a-secret' }, flags: { askPrice: ['0.3'] } });
  const settings = {
    loaded: () => fixed,
    redact: (text: string) => text,
    engine: () => Promise.reject(new Error('no engine')),
    risks: () => [],
  };
  await using api = await serveApi(env, agent, { settings });
  const text = JSON.stringify(await get(api, 'configuration'));
  expect(text).not.toContain('a-secret');
  const { options } = VIEWS.configuration.parse(JSON.parse(text));
  expect(options.find(({ option }) => option === 'ask-price')).toMatchObject({
    value: '0.3',
    source: '--ask-price',
    reloads: true,
  });
  expect(options.find(({ option }) => option === 'token')).toMatchObject({
    value: null,
    source: 'SHAREDCLOUD_TOKEN',
    secret: true,
  });
  expect(options.find(({ option }) => option === 'poll-interval')).toMatchObject({ source: 'default' });
  const { host, versions } = VIEWS.versions.parse(await get(api, 'versions'));
  expect(versions).toContainEqual({ what: 'sharedcloud-agent', version: '1.2.3' });
  expect(versions).toContainEqual({ what: 'Docker', version: null });
  expect(host.map(({ what }) => what)).toContain('Memory');
});

test.each([
  ['nvidia-container-toolkit', 'warn', true],
  ['nvidia-container-toolkit', 'refuse', false],
  ['docker', 'warn', false],
  ['seccomp', 'warn', true],
] as const)('a risk of %s that is to %s is accepted: %s', (component, severity, expected) => {
  expect(isAccepted({ component, severity, what: '', hint: '' }, ['nvidia-container-toolkit'])).toBe(
    expected,
  );
});
