import { expect, test } from 'vitest';
import { clientOf, failure, httpServer, json, never } from '../../support/broker-client/hostile-server.ts';

test.each([[401], [429], [503], [200]])(
  'what to do about a %i is good advice whoever asks, and however often',
  async (status) => {
    await using server = await httpServer((_, res) => json(res, {}, status));
    await using client = clientOf(server.url);
    const { hint } = await failure(client.broker.function('f', never));
    expect(hint).toBeDefined();
    expect(hint).not.toMatch(/tried again|every minute|token file/);
  },
);
