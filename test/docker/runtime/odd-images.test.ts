import { describe, expect, test } from 'vitest';
import { asAgentError, type ErrorCode } from '../../../src/domain/errors.ts';
import { describeDocker, expectNothingLeft, type TestEngine } from '../../support/engine/docker.ts';
import { type OddEntry, type OddImage, oddImage } from '../../support/engine/odd-image.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { TestJob } from '../../support/engine/test-job.ts';

const directory = (path: string): OddEntry => ({ path, kind: 'directory' });
const file = (path: string, content = 'x', mode = 0o644): OddEntry => ({ path, kind: 'file', content, mode });
const link = (path: string, to: string): OddEntry => ({ path, kind: 'link', to });
const many = (count: number, entry: (index: number) => string): readonly string[] =>
  Array.from({ length: count }, (_, index) => entry(index));

/** Images that give a job what it needs all the same: it starts in `/`, and has its own input. */
const RUNS: Readonly<Record<string, OddImage>> = {
  'a working directory in the engine’s open files': { config: { WorkingDir: '/proc/self/fd/7' } },
  'a link to them as its working directory': {
    config: { WorkingDir: '/w' },
    entries: [link('w', '/proc/self/fd/8')],
  },
  'a file as its working directory': { config: { WorkingDir: '/w' }, entries: [file('w')] },
  'a working directory that is not there': { config: { WorkingDir: '/w/x/y' } },
  'a relative working directory': { config: { WorkingDir: '../../x' } },
  'files where the input is mounted': {
    entries: [directory('sharedcloud'), file('sharedcloud/event.json', 'evil')],
  },
  'a dangling link where the input is mounted': { entries: [link('sharedcloud', '/nowhere/x')] },
  'links for network files': {
    entries: [link('etc/resolv.conf', '/proc/self/environ'), link('etc/hosts', 'hosts')],
  },
  'files for system directories': { entries: [file('dev'), file('proc'), file('sys'), file('tmp')] },
  'links for system directories': {
    entries: [link('dev', '/tmp'), link('proc', '/tmp'), link('sys', '/tmp'), link('tmp', '/proc')],
  },
  'a file for all settings of the system': { entries: [file('etc')] },
  'variables that agents set': { config: { Env: ['CODE=evil', 'SHAREDCLOUD_INPUT=evil', 'PATH=/bin'] } },
  'a thousand variables': { config: { Env: ['PATH=/bin', ...many(900, (index) => `V${index}=x`)] } },
  'an unknown user and signal': { config: { User: 'nobody-knows:x', StopSignal: 'x'.repeat(10_000) } },
  'an endless health check and a command of its own for builds': {
    config: { Healthcheck: { Test: ['CMD', 'x'] }, OnBuild: ['RUN evil'], Shell: ['/evil'] },
  },
  'odd volumes': {
    config: { Volumes: { '/a/../b': {}, '/c,d': {}, '/e:f': {}, '/sharedcloud': {}, '/etc': {} } },
  },
  'a hundred layers': { layers: Array.from({ length: 100 }, (_, index) => [file(`f${index}`)]) },
  'a mark that hides the root': { layers: [[file('.wh..wh..opq', '')]] },
};

/** Images whose jobs start and fail. */
const ENDS: Readonly<Record<string, OddImage>> = {
  'no layer': { empty: true },
  'no such program': { config: { Entrypoint: ['/nowhere'] } },
  'a program that is not executable': { config: { Entrypoint: ['/e'] }, entries: [file('e')] },
  'a directory as its program': { config: { Entrypoint: ['/bin'] } },
  'a program without its interpreter': {
    config: { Entrypoint: ['/e'] },
    entries: [file('e', '#!/nowhere\n', 0o755)],
  },
  'a command longer than any': { config: { Cmd: ['/bin/sh', '-c', 'x'.repeat(200_000)] } },
  'a variable longer than any': { config: { Env: ['PATH=/bin', `A=${'x'.repeat(200_000)}`] } },
  'its programs hidden by a layer': { layers: [[file('.wh.bin', '')]] },
};

/** Images of which no container starts, in words that are known or not. */
const NEVER: Readonly<Record<string, OddImage>> = {
  'a file where the input is mounted': { entries: [file('sharedcloud')] },
  'a pipe where the input is mounted': { entries: [{ path: 'sharedcloud', kind: 'pipe' }] },
  'a link to the settings where the input is mounted': { entries: [link('sharedcloud', '/etc')] },
  'a link to the processes where the input is mounted': { entries: [link('sharedcloud', '/proc')] },
  'a link to itself where the input is mounted': { entries: [link('sharedcloud', 'sharedcloud')] },
  'a directory for resolvers': { entries: [directory('etc/resolv.conf')] },
  'a directory for hosts': { entries: [directory('etc/hosts')] },
  'a file where the engine’s init is mounted': { entries: [file('sbin')] },
  'a directory instead of the engine’s init': { entries: [directory('sbin'), directory('sbin/docker-init')] },
  'a link to the processes where the engine’s init is mounted': { entries: [link('sbin', '/proc')] },
  'no command': { config: { Cmd: [], Entrypoint: [] } },
  'users in an endless line': { entries: [file('etc/passwd', 'x'.repeat(1_000_000))] },
  'a variable without a name': { config: { Env: ['PATH=/bin', '=x'] } },
  'a variable with a zero byte': { config: { Env: ['PATH=/bin', 'A=\0b'] } },
  'a volume through a link to the processes': {
    config: { Volumes: { '/v': {} } },
    entries: [link('v', '/proc')],
  },
  'a volume through a link to the root': { config: { Volumes: { '/v': {} } }, entries: [link('v', '/')] },
  'a volume through a link to the engine’s init': {
    config: { Volumes: { '/v': {} } },
    entries: [directory('sbin'), link('v', '/sbin')],
  },
};

/** A start or creation of these codes may be the image's: `StartAttribution` finds out which. */
const MAYBE_IMAGE: readonly ErrorCode[] = ['CONTAINER_UNSTARTABLE', 'RUNTIME_FAILED'];

/** What a job in the image prints and how it ends, or the code of why it does not start. */
async function outcome(engine: TestEngine, odd: OddImage) {
  const at = testRuntime(engine.host);
  await using image = await oddImage(engine, odd);
  try {
    const code = 'pwd; cat /sharedcloud/event.json';
    await using job = await TestJob.create(engine, at, code, { image: image.ref });
    const { exit, stdout } = await job.run();
    return { code: undefined, exit: exit.code, stdout: stdout.toString() };
  } catch (thrown) {
    await expectNothingLeft(engine, at.agentId);
    return { code: asAgentError(thrown).code, exit: undefined, stdout: '' };
  }
}

describeDocker('an odd image', (engine) => {
  describe('runs jobs with', () => {
    test.each(Object.entries(RUNS))('%s', async (_, odd) => {
      expect(await outcome(engine, odd)).toEqual({ code: undefined, exit: 0, stdout: '/\n[1, 2]' });
    });
  });

  describe('ends jobs with', () => {
    test.each(Object.entries(ENDS))('%s', async (_, odd) => {
      const { code, exit } = await outcome(engine, odd);
      expect([code, exit === 0]).toEqual([undefined, false]);
    });
  });

  describe('starts no container with', () => {
    test.each(Object.entries(NEVER))('%s', async (_, odd) => {
      expect(MAYBE_IMAGE).toContain((await outcome(engine, odd)).code);
    });
  });
});
