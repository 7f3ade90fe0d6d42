import { expect, test } from 'vitest';
import { inSlices } from '../../../src/lib/slices.ts';
import { describeMounts } from '../../support/disk/describe-disks.ts';
import { SmallDisk } from '../../support/disk/disks.ts';
import { anOffer, aRun } from '../../support/domain.ts';
import { ListedRuns } from '../../support/market/listed-runs.ts';
import { MINUTE, Recording, START } from '../../support/market/recording.ts';

const ALL = { from: 0, until: 2 * START };
const at = (minute: number): number => START + minute * MINUTE;

describeMounts(
  'a disk that was full for a poll',
  () => new SmallDisk(),
  () => {
    test('leaves a gap in the coverage, and what follows is known', async () => {
      using disk = new SmallDisk();
      await using recording = await Recording.open(new ListedRuns(), disk.path);
      const offer = anOffer();
      recording.offers = [{ offer, state: 'online', runs: [] }];
      await recording.poll();
      await recording.poll();
      disk.fill();
      await recording.poll(60);
      disk.empty();
      await recording.poll();
      await recording.poll();
      expect(recording.history.coverage(offer.key, ALL)).toMatchObject({
        lastPoll: at(64),
        online: [
          { from: at(1), until: at(2) },
          { from: at(63), until: at(64) },
        ],
      });
    });

    test('leaves each run with its own GPU', async () => {
      using disk = new SmallDisk();
      const broker = new ListedRuns();
      await using recording = await Recording.open(broker, disk.path);
      await recording.poll();
      disk.fill();
      broker.list = [aRun({ uuid: 'a', baseGpu: 'gpu-a' })];
      await recording.poll();
      disk.empty();
      broker.list = [aRun({ uuid: 'b', baseGpu: 'gpu-b' })];
      await recording.poll();
      broker.list = [aRun({ uuid: 'a', baseGpu: 'gpu-a' }), ...broker.list];
      await recording.poll();
      const { runs } = await inSlices(recording.history.observed(ALL, 10));
      expect(new Map(runs.map(({ baseGpu, run }) => [run, baseGpu]))).toEqual(
        new Map([
          ['a', 'gpu-a'],
          ['b', 'gpu-b'],
        ]),
      );
    });
  },
);
