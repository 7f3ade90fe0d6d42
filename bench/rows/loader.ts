import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobFolders } from '../../src/function/job-files.ts';
import { type Interpreter, nodes, pythons } from '../../test/support/function/interpreters.ts';
import { figureOf } from '../measure/spread.ts';
import type { Figure, Row } from '../row.ts';

const LANGUAGES = [
  {
    runtime: 'python36',
    flag: '-c',
    empty: 'pass',
    code: 'def handler(event):\n    return event[0]\n',
    interpreters: pythons,
    maxMs: 4,
  },
  {
    runtime: 'node8',
    flag: '-e',
    empty: '0',
    code: 'function handler(event) { return event[0] }\n',
    interpreters: nodes,
    maxMs: 3,
  },
] as const;

/** What the loader adds to each job: a job that returns at once, beside an interpreter that does nothing. */
export const loader: Row = {
  name: 'loader',
  measure: async ({ quick, say }) => {
    const figures: Figure[] = [];
    for (const language of LANGUAGES)
      for (const interpreter of language.interpreters()) {
        say(interpreter.name);
        figures.push(await measure(language, interpreter, quick ? 5 : 51));
      }
    return figures;
  },
};

async function measure(
  { code, empty, flag, maxMs, runtime }: (typeof LANGUAGES)[number],
  { name, path }: Interpreter,
  samples: number,
): Promise<Figure> {
  const root = await mkdtemp(join(tmpdir(), 'sharedcloud-bench-'));
  try {
    const fn = { uuid: 'f', name: 'f', runtime, imageUuid: 'i', registryPath: 'sharedcloud/x' };
    const { env, inputDir } = await new JobFolders(root).layOut('job', {
      fn,
      code,
      args: '((1, "two", None),)',
    });
    const timed = (program: string): number => {
      const began = performance.now();
      const options = { env: { LC_ALL: 'C', ...env, SHAREDCLOUD_INPUT: inputDir }, cwd: root };
      const { status } = spawnSync(path, [flag, program], options);
      if (status !== 0) throw new Error(`${name} ended with ${status}`);
      return performance.now() - began;
    };
    const nothing: number[] = [];
    const added: number[] = [];
    // In turn, so that both meet the same machine.
    for (let sample = 0; sample < samples; sample += 1) {
      const before = timed(empty);
      nothing.push(before);
      added.push(timed(env['CODE'] ?? '') - before);
    }
    const what = `${name}: what the loader adds`;
    return figureOf({ what, unit: 'ms', targets: [{ of: 'median', atMost: maxMs }] }, added, {
      what: `${flag} ${empty}`,
      samples: nothing,
    });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
