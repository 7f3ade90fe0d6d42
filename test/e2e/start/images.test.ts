import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { AgentProcess } from '../../support/e2e/agent-process.ts';
import { addRun, openScenario } from '../../support/e2e/scenario.ts';
import { describeDocker, PYTHON } from '../../support/engine/docker.ts';
import { HostileRegistry } from '../../support/engine/hostile-registry.ts';
import { OwnRegistry, REGISTRY_PASSWORD, REGISTRY_USER } from '../../support/engine/own-registry.ts';
import { refuse, ScriptedRegistry } from '../../support/engine/scripted-registry.ts';
import { filesIn, leaksOf } from '../../support/secrets/leaks.ts';

/** Returns all that a job can see. */
const SPY = `import glob, os
def handler(event):
    seen = dict(os.environ)
    for path in glob.glob('/sharedcloud/*') + glob.glob('/proc/[0-9]*/cmdline') + glob.glob('/proc/[0-9]*/environ'):
        try:
            seen[path] = open(path, errors='replace').read()
        except (OSError, IOError):
            pass
    return repr(seen)
`;

const LOGIN = Buffer.from(`${REGISTRY_USER}:${REGISTRY_PASSWORD}`).toString('base64');
const OTHER = { os: 'linux', architecture: arch() === 'arm64' ? 'amd64' : 'arm64' };

describeDocker('start', (engine) => {
  test('runs jobs of a private image, and the password is in nothing that anybody can read', async () => {
    await using registry = await OwnRegistry.start({ kind: 'private' });
    await using other = await ScriptedRegistry.start((_, response) => {
      refuse(response, 401, 'UNAUTHORIZED', 'authentication required', {
        'www-authenticate': 'Basic realm="x"',
      });
      return true;
    });
    const image = await registry.push(engine, PYTHON, 'private/python36');
    await using set = await openScenario(engine.host, {
      SHAREDCLOUD_CPU_SLOTS: '1',
      SHAREDCLOUD_IMAGES: 'localhost:*',
      SHAREDCLOUD_LOG_LEVEL: 'debug',
    });
    const logins = join(set.directory, 'docker');
    await mkdir(logins);
    const auths = { [registry.host]: { auth: LOGIN } };
    await writeFile(join(logins, 'config.json'), JSON.stringify({ auths }), { mode: 0o600 });
    const env = { ...set.env, DOCKER_CONFIG: logins };
    const wanted = addRun(set.broker, image, SPY, '((1,),)');
    const missing = addRun(set.broker, `${registry.host}/private/nothing`, SPY, '((1,),)');
    const elsewhere = addRun(set.broker, `${other.host}/private/python36`, SPY, '((1,),)');
    const seen: Record<string, string> = {};
    for (const argv of [
      ['check', '--json'],
      ['market', '--json'],
      ['start', '--once'],
      ['jobs', '--json'],
    ]) {
      await using agent = new AgentProcess(argv, env);
      const { stderr, stdout } = await agent.ended;
      Object.assign(seen, { [`${argv[0]}: stdout`]: stdout, [`${argv[0]}: stderr`]: stderr });
    }
    const [job] = set.broker.store.jobsOf(wanted);
    await engine.docker.getImage(image).remove({ force: true });
    expect(job?.status).toBe(JOB_STATUS.SUCCEEDED);
    for (const run of [missing, elsewhere])
      expect(set.broker.store.jobsOf(run).map(({ status }) => status)).toEqual([JOB_STATUS.CREATED]);
    expect(seen['start: stderr']).toContain('IMAGE_NOT_FOUND');
    expect(seen['start: stderr']).toContain('REGISTRY_DENIED');
    expect(seen['check: stdout']).toContain(registry.host);
    expect(other.seen.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
    const all = { ...seen, ...filesIn(join(set.directory, 'state')), result: job?.result ?? '' };
    expect(leaksOf(REGISTRY_PASSWORD, all)).toEqual([]);
    expect(leaksOf(LOGIN, all)).toEqual([]);
  });

  test('cancels a pull that no run needs any more where another image waits', async () => {
    await using slow = await HostileRegistry.start('slow');
    await using fast = await HostileRegistry.start('honest');
    await using set = await openScenario(engine.host, {
      SHAREDCLOUD_CPU_SLOTS: '1',
      SHAREDCLOUD_IMAGES: 'localhost:*',
      SHAREDCLOUD_MAX_PULLS: '1',
    });
    const [never, wanted] = [slow, fast].map(({ host }) => `${host}/sharedcloud-test/${randomUUID()}:latest`);
    if (never === undefined || wanted === undefined) throw new Error('no images');
    await using agent = new AgentProcess(['start'], set.env);
    const gone = addRun(set.broker, never, SPY, '((1,),)');
    await expect.poll(() => slow.openLayers).toBe(1);
    const later = addRun(set.broker, wanted, SPY, '((1,),)');

    set.broker.store.deleteRun(gone);
    await agent.untilLogged({ event: 'image-pull-cancelled', image: never });
    await agent.untilLogged({ event: 'image-ready', image: wanted });
    await expect.poll(() => slow.openLayers).toBe(0);
    await expect.poll(() => set.broker.store.jobsOf(later)[0]?.status).toBe(JOB_STATUS.FAILED);
    await engine.docker.getImage(wanted).remove({ force: true });
  });

  test('claims no job of an image for another platform, and market says why', async () => {
    await using registry = await ScriptedRegistry.start();
    const image = registry.index('team/python36', [OTHER]);
    await using set = await openScenario(engine.host, {
      SHAREDCLOUD_CPU_SLOTS: '1',
      SHAREDCLOUD_IMAGES: 'localhost:*',
    });
    const run = addRun(set.broker, image, SPY, '((1,), (2,))');
    await using market = new AgentProcess(['market', '--json'], set.env);
    const shown = await market.ended;
    await using agent = new AgentProcess(['start', '--once'], set.env);
    const { stderr } = await agent.ended;
    expect(shown.stdout).toContain('"image-wrong-platform"');
    expect(stderr).toContain('"code":"IMAGE_PLATFORM"');
    expect(stderr).toContain('"reason":"image-wrong-platform"');
    expect(stderr).not.toContain('job-claimed');
    const statuses = set.broker.store.jobsOf(run).map(({ status }) => status);
    expect(statuses).toEqual([JOB_STATUS.CREATED, JOB_STATUS.CREATED]);
  });
});
