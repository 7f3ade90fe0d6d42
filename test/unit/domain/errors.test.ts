import { expect, test } from 'vitest';
import { AgentError, asAgentError } from '../../../src/domain/errors.ts';
import { LIMITS } from '../../../src/limits.ts';

test('message and hint of an error are cut, however it was thrown', () => {
  const path = `/${'directory/'.repeat(500_000)}`;
  const errors = [
    new AgentError('RUNTIME_FAILED', `could not start ${path}`, { hint: path }),
    asAgentError(new Error(path)),
    asAgentError(path),
  ];
  for (const { hint = '', message } of errors) {
    expect(message.length).toBeLessThanOrEqual(LIMITS.log.error.max + 1);
    expect(hint.length).toBeLessThanOrEqual(LIMITS.log.error.max + 1);
  }
});
