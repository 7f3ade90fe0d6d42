import { expect, test } from 'vitest';
import { clientOf, failure, httpServer, json, never } from '../../support/broker-client/hostile-server.ts';

test.each([[401], [429], [503], [200]])(
  'what to do about a %i is good advice whoever asks, and however often',
  async (status) => {
    await using server = await httpServer((_, res) => json(res, {}, status));
    await using client = clientOf(server.url);
    const { mend } = await failure(client.broker.function('f', never));
    expect(mend).toBeDefined();
    expect(mend).not.toMatch(/tried again|every minute|token file/);
  },
);
