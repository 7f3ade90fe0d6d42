import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { earnings } from '../../../src/cli/earnings/command.ts';
import { type TestEnv, TOKEN } from '../agent/test-env.ts';
import { type Ran, runLine } from './run.ts';

const FOUND = z.looseObject({
  agrees: z.boolean(),
  jobs: z.number(),
  hereMicroDollars: z.number(),
  brokerMicroDollars: z.number(),
  differences: z.array(z.looseObject({ job: z.string(), kind: z.string(), microDollars: z.number() })),
  account: z.looseObject({ unexplainedMicroDollars: z.number() }),
});

/** Runs `earnings reconcile` with the files of an environment, or with others. */
export async function runReconcile(
  env: Pick<TestEnv, 'directory' | 'url'>,
  flags: readonly string[] = [],
  { stateDir = 'state', token = TOKEN } = {},
): Promise<Ran> {
  const tokenFile = join(env.directory, 'token');
  await writeFile(tokenFile, token, { mode: 0o600 });
  return runLine(
    ['earnings', 'reconcile', '--state-dir', join(env.directory, stateDir), ...flags],
    { SHAREDCLOUD_BROKER_URL: env.url, SHAREDCLOUD_TOKEN_FILE: tokenFile },
    [earnings],
  );
}

/** What `earnings reconcile --json` finds. Throws where it finds nothing because of an error. */
export async function reconcile(env: Pick<TestEnv, 'directory' | 'url'>) {
  const { exit, stdout, stderr } = await runReconcile(env, ['--json']);
  if (stderr !== '') throw new Error(stderr);
  return { exit, found: FOUND.parse(JSON.parse(stdout)) };
}
