import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { IMAGE_VIEWS } from '../../../src/control-api/image-views.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { addRun, HELLO_PYTHON, openScenario } from '../../support/e2e/scenario.ts';
import { describeDocker, imageWith, PYTHON, type TestEngine } from '../../support/engine/docker.ts';
import { OwnRegistry, REGISTRY_PASSWORD, REGISTRY_USER } from '../../support/engine/own-registry.ts';
import { withJournal } from '../../support/journal/scratch.ts';

const TEST_IMAGE = `sharedcloud-agent/test-container:1-${arch() === 'x64' ? 'amd64' : arch()}`;
const HOUR_MS = 3_600_000;

describeDocker('the images of a host', (engine) => {
  test('are listed and pinned over restarts, and what the agent pulled is collected, nothing else', async () => {
    await using registry = await OwnRegistry.start({ kind: 'private' });
    const image = await pushNew(engine, registry);
    await using set = await openScenario(engine.host, {
      SHAREDCLOUD_CPU_SLOTS: '1',
      SHAREDCLOUD_IMAGES: 'localhost:*',
      // So that the only removal is the one that its owner asks for.
      SHAREDCLOUD_IMAGE_DISK_HIGH: '100%',
      SHAREDCLOUD_IMAGE_DISK_LOW: '1%',
      SHAREDCLOUD_PREFETCH: 'off',
    });
    const env = { ...set.env, DOCKER_CONFIG: await logins(set.directory, registry.host) };
    const run = async (...argv: string[]): Promise<unknown> => {
      await using command = new AgentProcess(['images', ...argv, '--json'], env);
      const { code, stdout } = await command.ended;
      expect(code).toBe(0);
      return JSON.parse(stdout);
    };
    const listed = async (name: string) =>
      IMAGE_VIEWS.images.parse(await run()).images.find(({ names }) => names.includes(name));

    {
      await using agent = new AgentProcess(['start'], env);
      addRun(set.broker, image, HELLO_PYTHON, '((1,),)');
      await agent.untilLogged({ event: 'report-delivered' });
      const pulled = await listed(image);
      expect(pulled).toMatchObject({ keep: 'too-young' });
      expect([pulled?.pulledAt, pulled?.usedAt]).not.toContain(null);
      expect(await listed(PYTHON)).toMatchObject({ keep: 'owners-image', pulledAt: null, usedAt: null });
      expect(await listed(TEST_IMAGE)).toMatchObject({ keep: 'test-image' });
      expect(await run('pin', image)).toMatchObject({ agentRunning: true, changed: true });
      agent.signal('SIGTERM');
      await agent.ended;
    }
    makeOlder(join(set.directory, 'state', 'journal.db'));

    await using agent = new AgentProcess(['start'], env);
    await agent.untilLogged({ event: 'offer-registered' });
    expect(await listed(image)).toMatchObject({ pinned: true, keep: 'pinned' });
    expect(namesOf(await run('gc'))).toEqual([]);
    expect(await run('unpin', image)).toMatchObject({ agentRunning: true, changed: true, pins: [] });
    expect(namesOf(await run('gc', '--dry-run'))).toEqual([image]);
    expect(await listed(image)).toBeDefined();
    expect(namesOf(await run('gc'))).toEqual([image]);
    expect(await listed(image)).toBeUndefined();
    expect(await listed(PYTHON)).toBeDefined();
    await agent.untilLogged({ event: 'image-evicted', image, reason: 'owner' });
    await agent.untilLogged({ event: 'images-collected', removed: 1 });
    agent.signal('SIGTERM');
    await agent.ended;
    withJournal(
      join(set.directory, 'state'),
      ({ decisions }) =>
        expect(decisions.audit(9).map(({ action }) => action)).toEqual(['image-unpin', 'image-pin']),
      set.url,
    );
  });
});

/** An image that only the registry has; answers its name. */
async function pushNew(engine: TestEngine, registry: OwnRegistry): Promise<string> {
  const name = `kept-${randomUUID()}`;
  await using made = await imageWith(engine, PYTHON, name, [], 'head -c 3000000 /dev/urandom >/own');
  return await registry.push(engine, made.ref, `sharedcloud/${name}`);
}

async function logins(directory: string, host: string): Promise<string> {
  const path = join(directory, 'docker');
  await mkdir(path);
  const auth = Buffer.from(`${REGISTRY_USER}:${REGISTRY_PASSWORD}`).toString('base64');
  await writeFile(join(path, 'config.json'), JSON.stringify({ auths: { [host]: { auth } } }), {
    mode: 0o600,
  });
  return path;
}

/** Pulls of ten minutes ago may be of a job that is not claimed yet. */
function makeOlder(journal: string): void {
  const db = new DatabaseSync(journal);
  db.prepare('UPDATE image_pulls SET pulled_at = pulled_at - ?').run(HOUR_MS);
  db.close();
}

function namesOf(collected: unknown): readonly string[] {
  const names = z.object({ removed: z.array(z.object({ names: z.array(z.string()) })) });
  return names
    .parse(collected)
    .removed.flatMap((removed) => removed.names.filter((name) => !name.includes('@')));
}
