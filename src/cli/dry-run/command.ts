import type { Loaded } from '../../config/config.ts';
import { OPTIONS } from '../../config/options.ts';
import { configInvalid } from '../../config/problem.ts';
import { imageName } from '../../config/text-types.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { unlessAborted } from '../../lib/deadline.ts';
import { SeededRandom } from '../../lib/seeded-random.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch, type ValueFlag } from '../command.ts';
import { Interrupted, type Interruption, listenForInterruption } from '../interruption.ts';
import { LIVE_SEED, runLive } from './live/run.ts';
import { introText, outcomeTable } from './render.ts';
import { runAgent } from './run-agent.ts';
import { openScenario } from './scenario.ts';
import { makeWorkDir } from './work-dir.ts';

const DOCKER: Switch = { name: 'docker', help: 'run the jobs in Docker instead of as local processes' };
const SERVE: Switch = {
  name: 'serve',
  help: 'go on until Ctrl-C, with a lively market, and serve the status page',
};
/** What matters only where the page is served. */
const OF_PAGE = ['listen', 'listenHost', 'listenPasswordFile', 'listenInsecure'] as const;
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
    ...OF_PAGE,
  ],
  switches: [DOCKER, SERVE, JSON_SWITCH],
  values: [IMAGE],
  examples: [
    { line: 'dry-run', does: 'jobs are local processes; needs neither Docker nor a GPU' },
    { line: 'dry-run --docker', does: 'jobs are containers' },
    { line: 'dry-run --serve', does: 'the status page of a simulated host, to try everything' },
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
  refuseUseless(context, loaded);
  await using cleanup = new AsyncDisposableStack();
  const workDir = cleanup.use(await makeWorkDir()).path;
  const announce = (): void => context.stderr.write('interrupted: stopping the jobs of this dry run\n');
  first.addEventListener('abort', announce);
  const scenario = await openScenario(
    context,
    {
      config: loaded.config,
      image: context.has(DOCKER) ? context.valueOf(IMAGE) : undefined,
      live: context.has(SERVE) ? new SeededRandom(LIVE_SEED) : undefined,
    },
    { interruption, cleanup, workDir },
  );
  first.throwIfAborted();
  context.stderr.write(introText(scenario.intro, context.stderr));
  const dryRun = { scenario, loaded, workDir };
  if (scenario.live !== undefined) {
    await runLive(context, { ...dryRun, random: scenario.live }, first);
    return EXIT.OK;
  }
  const rows = await runAgent(context, dryRun, first);
  first.removeEventListener('abort', announce);
  const { stdout } = context;
  stdout.write(
    context.has(JSON_SWITCH) ? `${JSON.stringify({ runs: rows }, null, 2)}\n` : outcomeTable(rows, stdout),
  );
  return rows.every(({ wrong }) => wrong === undefined) ? EXIT.OK : EXIT.FAILED;
}

/** Throws CONFIG_INVALID for a flag that would change nothing. */
function refuseUseless(context: CliContext, { sources }: Loaded): void {
  const problems = [
    ...(context.has(IMAGE) && !context.has(DOCKER) ? [uselessFlag(IMAGE.name, 'without --docker')] : []),
    ...(context.has(SERVE) && context.has(JSON_SWITCH) ? [uselessFlag('json', 'with --serve')] : []),
    ...OF_PAGE.filter((key) => sources[key].kind === 'flag' && !context.has(SERVE)).map((key) =>
      uselessFlag(OPTIONS[key].name, 'without --serve'),
    ),
  ];
  if (problems.length > 0) throw configInvalid(problems);
}

function uselessFlag(name: string, when: string) {
  const hint = when.startsWith('without')
    ? `add ${when.slice('without '.length)}, or leave it out`
    : 'leave it out';
  return { where: `--${name}`, what: `has no effect ${when}`, hint };
}
