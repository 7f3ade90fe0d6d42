import { configInvalid } from '../../config/problem.ts';
import { imageName } from '../../config/text-types.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { aborted, unlessAborted } from '../../lib/deadline.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch, type ValueFlag } from '../command.ts';
import { Interrupted, type Interruption, listenForInterruption } from '../interruption.ts';
import type { DryRunMarket } from './market.ts';
import { introText, outcomeTable } from './render.ts';
import { runAgent } from './run-agent.ts';
import { openScenario } from './scenario.ts';
import { makeWorkDir } from './work-dir.ts';

const DOCKER: Switch = { name: 'docker', help: 'run the jobs in Docker instead of as local processes' };
const SERVE: Switch = { name: 'serve', help: 'keep the embedded broker running afterwards, until Ctrl-C' };
const IMAGE: ValueFlag<string> = {
  name: 'image',
  help: 'with --docker: the Python image, which must run $CODE as the platform’s images do',
  type: imageName,
  default: 'sharedcloud/python36:latest',
};

/** A whole market on this machine: an embedded broker, sample runs, real jobs, real reports. */
export const dryRun: CliCommand = {
  name: 'dry-run',
  summary: 'try the agent on this machine alone, with an embedded broker and sample runs',
  group: 'Run',
  options: [
    'nvidiaSmi',
    'dockerHost',
    'dockerContext',
    'dockerConfig',
    'dockerTlsVerify',
    'dockerCertPath',
    'gpuMode',
    'jobUser',
    'jobRuntime',
    'logLevel',
    'logFormat',
  ],
  switches: [DOCKER, SERVE, JSON_SWITCH],
  values: [IMAGE],
  examples: [
    { line: 'dry-run', does: 'jobs are local processes; needs neither Docker nor a GPU' },
    { line: 'dry-run --docker', does: 'jobs are containers' },
  ],
  run: async (context) => {
    const interruption = listenForInterruption();
    try {
      return await unlessAborted(runInterruptibly(context, interruption), interruption.second);
    } catch (thrown) {
      if (thrown instanceof Interrupted) return thrown.exit;
      throw thrown;
    } finally {
      interruption.ignore();
    }
  },
};

/** The dry run; removes everything that it made. Throws Interrupted if a signal ends it before its table. */
async function runInterruptibly(context: CliContext, interruption: Interruption): Promise<number> {
  const { first } = interruption;
  const loaded = await context.loadConfig({ ask: false });
  if (context.has(IMAGE) && !context.has(DOCKER))
    throw configInvalid([
      {
        where: `--${IMAGE.name}`,
        what: 'has no effect without --docker',
        hint: 'add --docker, or leave it out',
      },
    ]);
  await using cleanup = new AsyncDisposableStack();
  const workDir = cleanup.use(await makeWorkDir()).path;
  const announce = (): void => context.stderr.write('interrupted: stopping the jobs of this dry run\n');
  first.addEventListener('abort', announce);
  const scenario = await openScenario(
    context,
    { config: loaded.config, image: context.has(DOCKER) ? context.valueOf(IMAGE) : undefined },
    { interruption, cleanup, workDir },
  );
  first.throwIfAborted();
  context.stderr.write(introText(scenario.intro, context.stderr));
  const rows = await runAgent(context, { scenario, loaded, workDir }, first);
  first.removeEventListener('abort', announce);
  const { stdout } = context;
  stdout.write(
    context.has(JSON_SWITCH) ? `${JSON.stringify({ runs: rows }, null, 2)}\n` : outcomeTable(rows, stdout),
  );
  if (context.has(SERVE)) await serve(context, scenario.market, first);
  return rows.every(({ wrong }) => wrong === undefined) ? EXIT.OK : EXIT.FAILED;
}

async function serve(
  { stderr }: CliContext,
  { buyerToken, url }: DryRunMarket,
  interrupted: AbortSignal,
): Promise<void> {
  stderr.write('\nthe embedded broker is running; Ctrl-C ends it. Try:\n');
  stderr.write(`  curl -H 'Authorization: Token ${buyerToken}' ${url}/api/v1/jobs/\n`);
  await aborted(interrupted);
}
