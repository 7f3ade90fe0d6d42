import { expect, test } from 'vitest';
import { endpointName } from '../../../src/broker/endpoint-name.ts';
import { BrokerMetrics } from '../../../src/metrics/broker-metrics.ts';
import { expose } from '../../../src/metrics/exposition.ts';

const UUID = '531d8edc-35c1-476b-b375-c44f3ddb9c69';

test.each([
  ['GET', '/api/v1/runs', 'GET runs'],
  ['GET', `/api/v1/runs/${UUID}`, 'GET runs/:id'],
  ['PATCH', `/api/v1/jobs/${UUID}/`, 'PATCH jobs/:id'],
  ['PATCH', `/api/v1/instances/${UUID}/start/`, 'PATCH instances/:id/start'],
  ['GET', '/api/v1/users/account/', 'GET users/account'],
  ['GET', `/behind/a/prefix/api/v1/gpus/`, 'GET gpus'],
  ['GET', '/api/v1/runs/a/b/c/d/e', 'GET runs/:id/:id'],
  ['GET', '/api/v1/something-new/', 'GET other'],
  ['GET', '/elsewhere', 'GET other'],
  ['GET', '/api/v1/', 'GET other'],
])('%s %s is the endpoint %s', (method, path, endpoint) => {
  expect(endpointName(method, path)).toBe(endpoint);
});

test('a broker with endless pages and statuses makes few series', () => {
  const metrics = new BrokerMetrics();
  for (let n = 0; n < 5_000; n += 1)
    metrics.observe({ method: 'GET', path: `/api/v1/runs/${n}/x${n}/y${n}`, status: n, tookMs: 1 });
  const text = expose(metrics.values, 'text');
  expect(text.match(/_count\{/g)?.length).toBeLessThan(35);
  expect(text).not.toContain('x4999');
});

test('the broker is up while it answers without an error of its own', () => {
  const metrics = new BrokerMetrics();
  const isUp = (): string | undefined => /broker_up (\d)/.exec(expose(metrics.values, 'text'))?.[1];
  const call = { method: 'GET', path: '/api/v1/runs', tookMs: 1 } as const;
  expect(isUp()).toBeUndefined();
  for (const [status, up] of [
    [200, '1'],
    [undefined, '0'],
    [304, '1'],
    [503, '0'],
    [401, '1'],
  ] as const) {
    metrics.observe({ ...call, status });
    expect(isUp()).toBe(up);
  }
  expect(expose(metrics.values, 'text')).toContain('code="error"');
});
