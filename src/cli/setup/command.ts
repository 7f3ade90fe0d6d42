import type { Loaded } from '../../config/config.ts';
import { maySet } from '../../config/option.ts';
import { OPTION_KEYS, OPTIONS } from '../../config/options.ts';
import { DEFAULT_TOKEN_FILE } from '../../config/token.ts';
import { requireWritable, tokenFileOf, writeTokenFile } from '../../config/token-file.ts';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { whyUnwritable } from '../../lib/replace-file.ts';
import { type CliCommand, type CliContext, JSON_SWITCH } from '../command.ts';
import { readConfigText } from '../config-text.ts';
import { INSECURE_HTTP, USERNAME, WITH_PASSWORD, WITH_TOKEN } from '../login/flags.ts';
import { cancellable } from '../prompts/cancellable.ts';
import { bringNetworkUp, hasService, startService, writeConfig } from './apply.ts';
import { changesOfFlags, type FilePlan, planFile } from './changes.ts';
import { type Conversation, conversation } from './conversation.ts';
import { type Explored, explore, planOf } from './explore.ts';
import { AVAILABLE_DAYS, AVAILABLE_HOURS, NO_NETWORK, NO_SERVICE, PRINT, SKIP_CHECK, YES } from './flags.ts';
import { askPrices } from './price-questions.ts';
import { Questions } from './questions.ts';
import { fileText, gpusText, type SetUp, setUpText, wrongText } from './render.ts';
import { planToken, type TokenPlan } from './token.ts';

/** From an installed package to an agent that earns: asks, writes the files, starts the service. */
export const setup: CliCommand = {
  name: 'setup',
  summary: 'ask what an owner decides, write the token and configuration files, and start the service',
  group: 'Set up',
  options: OPTION_KEYS,
  switches: [
    YES,
    PRINT,
    SKIP_CHECK,
    NO_NETWORK,
    NO_SERVICE,
    WITH_TOKEN,
    WITH_PASSWORD,
    INSECURE_HTTP,
    JSON_SWITCH,
  ],
  values: [USERNAME, AVAILABLE_HOURS, AVAILABLE_DAYS],
  examples: [
    { line: 'setup', does: 'asks everything; as root, for the service' },
    {
      line: 'setup --yes --with-token --ask-price 0.05',
      does: 'from a script, with the token on standard input',
    },
    { line: 'setup --print', does: 'asks, and shows what would be written' },
  ],
  run: (context) => cancellable(context, setUp),
};

/** Everything that was decided; nothing is written before this is complete. */
type Plan = {
  readonly token: TokenPlan;
  readonly tokenFile: string;
  readonly file: FilePlan;
  readonly failedChecks: readonly string[];
  readonly network: boolean;
  readonly service: boolean;
};

async function setUp(context: CliContext): Promise<number> {
  const loaded = await context.loadConfig({ ask: false, writesFile: true });
  const talk = conversation(context, await promptsOf(context));
  const plan = await planAll(context, loaded, talk);
  if (plan === undefined) return EXIT.FAILED;
  if (context.has(PRINT)) {
    context.stdout.write(plan.file.after);
    return EXIT.OK;
  }
  const done = await apply(context, plan, talk);
  context.stdout.write(context.has(JSON_SWITCH) ? `${JSON.stringify(done, null, 2)}\n` : setUpText(done));
  return done.service === 'failed' ? EXIT.FAILED : EXIT.OK;
}

/** Undefined: nothing is to be asked. Throws CONFIG_INVALID where nobody can be. */
async function promptsOf(context: CliContext) {
  if (context.has(YES)) return undefined;
  const prompts = await context.prompts('dialogue');
  if (prompts === undefined)
    throw new AgentError('CONFIG_INVALID', 'there is no terminal to ask on', {
      hint: 'add --yes, and answer by flags: sharedcloud-agent setup --help lists them',
    });
  prompts.say(
    'Set up this host to rent out its GPUs. Enter takes what is proposed, Ctrl-C ends without a change.',
  );
  return prompts;
}

/** Asks everything. Undefined: the owner does not want it written. */
async function planAll(context: CliContext, loaded: Loaded, talk: Conversation): Promise<Plan | undefined> {
  const { prompts, say } = talk;
  const { configFile } = loaded.config;
  const tokenFile = tokenFileOf(loaded);
  // All that can go wrong here goes wrong before the first question.
  if (!context.has(PRINT)) {
    await requireConfigWritable(configFile, context.uid);
    await requireWritable(tokenFile, context.uid);
  }
  const before = await readConfigText(configFile, context.uid);
  const token = await planToken(context, loaded, talk);
  if (token.account !== undefined) say(`the broker knows this token: account ${token.account}`, 'ok');
  if (!context.has(SKIP_CHECK)) say('checking this host, its GPUs and the market ...');
  const explored = await explore(context, loaded, { token: token.token, check: !context.has(SKIP_CHECK) });
  const failedChecks = explored.wrong.filter(({ level }) => level === 'fail').map(({ check }) => check);
  if (!(await isHostAccepted(explored, talk))) return undefined;
  const questions = new Questions(loaded, explored, talk);
  const changes = [...changesOfFlags(loaded)];
  const cpu = await questions.cpuSlots();
  changes.push(...cpu);
  if (explored.gpus.length > 0) say(gpusText(explored.gpus, planOf(loaded.config, explored)));
  changes.push(...(await questions.entries()));
  const slots = cpu.find(({ path }) => path[0] === OPTIONS.cpuSlots.name)?.value;
  const offered = typeof slots === 'number' ? withCpuSlots(loaded, slots) : loaded;
  changes.push(...(await askPrices(context, offered, explored, talk)));
  changes.push(...(await questions.options()));
  const tables = await questions.schedule(context);
  const file = await planFile(configFile, before, { changes, tables });
  const isRoot = context.uid === 0 && !context.has(PRINT);
  const network = isRoot && !context.has(NO_NETWORK) && loaded.config.jobNetwork === 'isolated';
  const ofService = configFile === OPTIONS.configFile.default && tokenFile === DEFAULT_TOKEN_FILE;
  const service = isRoot && ofService && !context.has(NO_SERVICE) && (await hasService());
  const ask = (message: string): Promise<boolean> =>
    prompts === undefined ? Promise.resolve(true) : prompts.confirm({ message, initial: true });
  const plan = {
    token,
    tokenFile,
    file,
    failedChecks,
    network: network && (await ask('Create the job network, from which jobs reach only the internet?')),
    service: service && (await ask('Enable the service and start it?')),
  };
  if (context.has(PRINT)) return plan;
  const fromShell = OPTION_KEYS.filter(
    (key) => loaded.sources[key].kind === 'env' && maySet(OPTIONS[key], 'file'),
  );
  if (fromShell.length > 0) {
    const names = fromShell.map((key) => loaded.sources[key].name).join(', ');
    say(`set in this shell, and neither written nor seen by the service: ${names}`, 'warn');
  }
  if (file.before === file.after) say(`${configFile} stays as it is`);
  else
    talk.note(file.before === undefined ? `${configFile}, new` : `Changes of ${configFile}`, fileText(file));
  if (await ask(service || network ? 'Write this, and start?' : 'Write this?')) return plan;
  say('nothing was written');
  return undefined;
}

async function isHostAccepted({ wrong }: Explored, { note, prompts, say }: Conversation): Promise<boolean> {
  if (wrong.length === 0) return true;
  note('What the checks of this host found', wrongText(wrong));
  if (prompts === undefined || wrong.every(({ level }) => level !== 'fail')) return true;
  if (await prompts.confirm({ message: 'Go on all the same? It can be fixed later.', initial: true }))
    return true;
  say('nothing was written');
  return false;
}

/** In this order: a token alone does no harm, and the service needs both files. */
async function apply(context: CliContext, plan: Plan, { say }: Conversation): Promise<SetUp> {
  const { file, token, tokenFile } = plan;
  if (token.isNew) await writeTokenFile(tokenFile, token.token);
  const isChanged = file.before !== file.after;
  const backup = isChanged ? await writeConfig(file, new Date(context.clock.now()), context.uid) : undefined;
  let network: SetUp['network'] = 'skipped';
  if (plan.network) {
    say('creating the job network ...');
    try {
      await bringNetworkUp(context, await context.loadConfig({ ask: false, ownWarnings: true }));
      network = 'up';
    } catch (thrown) {
      const { hint, message } = asAgentError(thrown);
      say(
        `jobs have no network until this works: ${message}${hint === undefined ? '' : `\nhint: ${hint}`}`,
        'warn',
      );
      network = 'failed';
    }
  }
  let service: SetUp['service'] = 'skipped';
  if (plan.service) {
    say('starting the service ...');
    const problem = await startService();
    service = problem === undefined ? 'running' : 'failed';
    if (problem !== undefined) say(`${problem}\nhint: journalctl -u sharedcloud-agent -n 20`, 'error');
  }
  return {
    account: token.account ?? null,
    tokenFile,
    token: token.isNew ? 'written' : 'kept',
    configFile: file.path,
    config: isChanged ? 'written' : 'unchanged',
    backup: backup ?? null,
    failedChecks: plan.failedChecks,
    network,
    service,
  };
}

async function requireConfigWritable(path: string, uid: number): Promise<void> {
  const found = await whyUnwritable(path, uid);
  if (found === undefined) return;
  throw new AgentError('CONFIG_INVALID', `the configuration file ${path} ${found.why}`, {
    hint:
      found.hint ??
      'run sudo sharedcloud-agent setup, or name files of your own with --config, --token-file and --state-dir',
  });
}

function withCpuSlots({ config, sources, warnings }: Loaded, cpuSlots: number): Loaded {
  return { config: { ...config, cpuSlots }, sources, warnings };
}
