import { expect, test } from 'vitest';
import { asAgentError } from '../../../../src/domain/errors.ts';
import { refuseOtherBrokers } from '../../../../src/embedded/runtime/embedded-only.ts';

function outcome(broker: string, embedded: string): string {
  try {
    refuseOtherBrokers(broker, embedded);
    return 'accepted';
  } catch (cause) {
    return asAgentError(cause).code;
  }
}

test.each([
  ['http://127.0.0.1:4000', 'http://127.0.0.1:4000', 'accepted'],
  ['http://127.0.0.1:4000/', 'http://127.0.0.1:4000/api/v1', 'accepted'],
  ['http://[::1]:4000', 'http://[::1]:4000', 'accepted'],
  ['http://localhost:4000', 'http://localhost:4000', 'accepted'],
  ['http://127.0.0.1:4001', 'http://127.0.0.1:4000', 'CONFIG_INVALID'],
  ['https://sharedcloud.io', 'http://127.0.0.1:4000', 'CONFIG_INVALID'],
  ['https://sharedcloud.io', 'https://sharedcloud.io', 'CONFIG_INVALID'],
  ['http://192.168.1.2:4000', 'http://192.168.1.2:4000', 'CONFIG_INVALID'],
  ['http://127.0.0.1.example.com:4000', 'http://127.0.0.1.example.com:4000', 'CONFIG_INVALID'],
  ['http://127.0.0.1@example.com', 'http://127.0.0.1@example.com', 'CONFIG_INVALID'],
])('the broker %s with the embedded broker %s: %s', (broker, embedded, expected) => {
  expect(outcome(broker, embedded)).toBe(expected);
});
