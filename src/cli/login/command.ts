import { DEFAULT_TOKEN_FILE } from '../../config/token.ts';
import { hasToken, requireWritable, tokenFileOf, writeTokenFile } from '../../config/token-file.ts';
import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch } from '../command.ts';
import { cancellable } from '../prompts/cancellable.ts';
import { requireEncryption } from './broker.ts';
import { INSECURE_HTTP, USERNAME, WITH_PASSWORD, WITH_TOKEN } from './flags.ts';
import { askedToken, isPiped, pipedToken } from './obtain-token.ts';
import { loginText } from './render.ts';

const YES: Switch = { name: 'yes', help: 'replace a token that is there without asking' };

/** Writes the token file, with a token that the broker has accepted. */
export const login: CliCommand = {
  name: 'login',
  summary: 'get the broker’s token by user name and password, or take a pasted one, and write the token file',
  group: 'Set up',
  options: ['brokerUrl', 'tokenFile', 'configFile'],
  switches: [WITH_TOKEN, WITH_PASSWORD, INSECURE_HTTP, YES, JSON_SWITCH],
  values: [USERNAME],
  examples: [
    { line: 'login', does: 'asks for user name and password, or for a token; as root, for the service' },
    { line: 'login --with-token', does: 'takes the token from standard input, as in a script' },
    { line: 'login --token-file ~/sharedcloud.token', does: 'without root, for an agent of your own' },
  ],
  run: (context) => cancellable(context, logIn),
};

async function logIn(context: CliContext): Promise<number> {
  const loaded = await context.loadConfig({ ask: false });
  const { config, sources } = loaded;
  const path = tokenFileOf(loaded);
  requireEncryption(config, context.has(INSECURE_HTTP));
  const piped = isPiped(context);
  // All that can go wrong here goes wrong before a password is asked for.
  await requireWritable(path, context.uid);
  const replaces = await hasToken(path);
  const prompts = piped ? undefined : await context.prompts('line');
  if (!piped && prompts === undefined)
    throw new AgentError('TOKEN_MISSING', 'there is no terminal to ask for the token', {
      hint: 'pipe the token in: sharedcloud-agent login --with-token <FILE',
    });
  if (replaces && !(await mayReplace(context, path))) {
    context.stderr.write(`${path} was kept\n`);
    return EXIT.FAILED;
  }
  const { account, token } =
    prompts === undefined ? await pipedToken(context, config) : await askedToken(context, config, prompts);
  await writeTokenFile(path, token);
  const done = {
    account: account.name ?? null,
    broker: config.brokerUrl,
    tokenFile: path,
    replaced: replaces,
  };
  if (context.has(JSON_SWITCH)) context.stdout.write(`${JSON.stringify(done, null, 2)}\n`);
  else context.stdout.write(loginText(done, path === DEFAULT_TOKEN_FILE));
  // It would be used instead of the file.
  if (sources.token.kind === 'env' && sources.tokenFile.kind !== 'flag')
    context.stderr.write(`warning: ${sources.token.name} is set, and is used instead of the file\n`);
  return EXIT.OK;
}

/** Asks before a token is replaced. Throws NOT_CONFIRMED where nobody can be asked. */
async function mayReplace(context: CliContext, path: string): Promise<boolean> {
  if (context.has(YES)) return true;
  const prompts =
    context.has(WITH_TOKEN) || context.has(WITH_PASSWORD) ? undefined : await context.prompts('line');
  if (prompts !== undefined)
    return prompts.confirm({ message: `${path} has a token already. Replace it?`, initial: false });
  throw new AgentError('NOT_CONFIRMED', `${path} has a token already`, {
    hint: 'add --yes to replace it',
  });
}
