import { expect, test } from 'vitest';
import { marketSight } from '../../../src/compose-market-history.ts';
import { anOffer, aRun } from '../../support/domain.ts';
import { ListedRuns } from '../../support/market/listed-runs.ts';
import { Recording } from '../../support/market/recording.ts';

const OFFER = anOffer();

/** A recorder that has seen two runs for two hours, one of which the offer could take. */
async function recorded(): Promise<Recording> {
  const broker = new ListedRuns();
  const recording = await Recording.open(broker);
  broker.list = ['fits', 'other'].map((uuid) => aRun({ uuid, functionUuid: uuid, bidPrice: 0.2 }));
  for (let at = 0; at < 60; at += 1) await recording.poll(2);
  const known = {
    image: 'sharedcloud/python36:latest',
    runtime: 'python36',
    requiresGpu: OFFER.kind === 'gpu',
  };
  recording.history.learn(
    [
      { ...known, function: 'fits' },
      { ...known, function: 'other', requiresGpu: !known.requiresGpu },
    ],
    recording.wall,
  );
  return recording;
}

function sightOf(recording: Recording) {
  return marketSight(
    {
      history: recording.history,
      ownJobs: {
        *between() {
          yield 'long';
          return [];
        },
      },
      clock: { now: () => recording.wall },
      knowledge: () => ({ catalogue: new Map(), images: ['sharedcloud/*'] }),
    },
    OFFER,
  );
}

test('a strategy sees the runs that the offer could take', async () => {
  await using recording = await recorded();
  const sight = await sightOf(recording);
  expect(sight?.observed()?.seen).toMatchObject([{ run: 'fits', bid: 0.2 }]);
  expect(sight?.isStale).toBe(false);
});

test('a strategy knows nothing where the market history cannot be read', async () => {
  await using recording = await recorded();
  recording.history.close();
  expect(await sightOf(recording)).toBeUndefined();
});
