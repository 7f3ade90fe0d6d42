import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/e2e/two-gpus.ts';
import { describeDocker } from '../support/engine/docker.ts';
import { describeSlurm } from '../support/slurm/describe.ts';
import { openRentedCluster } from '../support/slurm/rented-cluster.ts';

/*
 * A real Slurm whose prolog and epilog are the project's, and a real agent that sells what it leaves idle.
 */

const SLURM: unknown = expect.stringContaining('Slurm job');

await describeSlurm('Slurm', () => {
  describeDocker('on nodes that sell what is idle', (engine) => {
    let on: Awaited<ReturnType<typeof openRentedCluster>>;

    beforeAll(async () => {
      on = await openRentedCluster(engine);
    });
    afterAll(() => on?.[Symbol.asyncDispose]());

    const sold = (): Promise<void> => on.sold();

    test('the owner’s job starts on a GPU whose stranger is back on the market, and the epilog sells it again', async () => {
      await sold();
      const job = on.submit('a', '--gres=gpu:1');
      await job.started;
      expect(on.strangers()).toEqual({ running: 1, open: 1 });
      expect(await on.held()).toEqual([SLURM, null]);
      await job.end();
      await sold();
      expect(await on.held()).toEqual([null, null]);
    });

    test('a job gets the GPU that Slurm means, whatever number Slurm gives it', async () => {
      const job = on.submit('second', '--gres=gpu:1');
      await job.started;
      expect(await on.held()).toEqual([null, SLURM]);
      await job.end();
      await sold();
    });

    test('a GPU of two jobs is sold again after the second', async () => {
      const both = on.submit('a', '--gres=gpu:2');
      await both.started;
      expect(on.strangers()).toEqual({ running: 0, open: 2 });
      const second = on.submit('second', '--gres=gpu:1');
      await second.started;
      await both.end();
      await eventually(async () => expect(await on.held()).toEqual([null, SLURM]));
      // One that waits for the same GPU.
      const third = on.submit('second', '--gres=gpu:1');
      await second.end();
      await third.started;
      expect(await on.held()).toEqual([null, SLURM]);
      await third.end();
      await sold();
    });

    test('a GPU that the owner paused stays paused after the job', async () => {
      await on.give('pause', '0', '--note', 'mine');
      const job = on.submit('a', '--gres=gpu:2');
      await job.started;
      await job.end();
      await eventually(async () => expect(await on.held()).toEqual([expect.stringContaining('mine'), null]));
      await on.give('resume', '0');
      await sold();
    });

    test('a prolog that is killed halfway leaves nothing paused', async () => {
      const commands = on.agent.logged({ event: 'owner-command' }).length;
      const before = (await on.cluster.prologs('a')).length;
      await on.cluster.run('sbatch', '--nodelist=a', '--gres=gpu:1', '--output=/dev/null', '--wrap=true');
      await on.agent.untilLogged({ event: 'owner-command' }, commands + 1);
      const prolog = (await on.cluster.prologs('a'))[before] ?? Number.NaN;
      process.kill(-prolog, 'SIGKILL');
      await eventually(async () => expect(await on.held()).toEqual([null, null]));
      // Slurm learns of it after the agent.
      const state = (): Promise<string> => on.cluster.run('sinfo', '--noheader', '--nodes=a', '--format=%T');
      await eventually(async () => expect(await state()).toBe('drained'));
      await on.cluster.run('scancel', '--user=root');
      await on.cluster.run('scontrol', 'update', 'nodename=a', 'state=resume');
      await sold();
    });

    test('a job starts on a node without an agent, and beside one that is stopped', async () => {
      const without = on.submit('b', '--gres=gpu:1');
      await without.started;
      await without.end();
      on.agent.signal('SIGTERM');
      await on.agent.ended;
      const stopped = on.submit('a', '--gres=gpu:1');
      await stopped.started;
      expect(await on.held()).toEqual([SLURM, null]);
      await stopped.end();
      await eventually(async () => expect(await on.held()).toEqual([null, null]));
      await on.startAgent();
      await sold();
    });
  });
});
