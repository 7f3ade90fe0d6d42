import type { Account } from '../../broker/sign-in.ts';
import type { Config } from '../../config/config.ts';
import { parseToken } from '../../config/token.ts';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import { LIMITS } from '../../limits.ts';
import type { CliContext } from '../command.ts';
import type { Prompts } from '../prompts/prompts.ts';
import { accountOf, tokenOf } from './broker.ts';
import { USERNAME, WITH_PASSWORD, WITH_TOKEN } from './flags.ts';

/** A token that the broker accepts, and its account. */
export type Verified = { readonly token: string; readonly account: Account };

/** How often a person may mistype, as at any login. */
const ATTEMPTS = 3;

/** Whether the token or password comes from standard input. Throws CONFIG_INVALID for flags that contradict each other. */
export function isPiped(context: CliContext): boolean {
  const [token, password] = [context.has(WITH_TOKEN), context.has(WITH_PASSWORD)];
  const username = context.valueOf(USERNAME);
  const hint = 'run sharedcloud-agent login --help';
  if (token && (password || username !== ''))
    throw new AgentError('CONFIG_INVALID', '--with-token needs neither --username nor --with-password', {
      hint,
    });
  if (password && username === '')
    throw new AgentError('CONFIG_INVALID', '--with-password needs --username', { hint });
  return token || password;
}

/** Gets the token from what is piped in, and has it verified. Throws BROKER_*, TOKEN_MISSING and CONFIG_INVALID. */
export async function pipedToken(context: CliContext, config: Config): Promise<Verified> {
  const text = await inputOf(context);
  if (text === undefined)
    throw new AgentError('CONFIG_INVALID', 'standard input has too much for a token or password', {
      hint: 'pipe in nothing else',
    });
  if (context.has(WITH_TOKEN)) return verified(context, config, parseToken(text, 'standard input'));
  const password = text.replace(/\r?\n$/, '');
  if (password === '')
    throw new AgentError('CONFIG_INVALID', 'standard input has no password', {
      hint: 'pipe in the password',
    });
  return signedIn(context, config, { username: context.valueOf(USERNAME), password });
}

/** A terminal would show what is typed or pasted, so there it is asked for. */
async function inputOf(context: CliContext): Promise<string | undefined> {
  const prompts = await context.prompts('line');
  if (prompts === undefined) return context.readInput(LIMITS.host.tokenFile.max);
  return prompts.secret({ message: context.has(WITH_TOKEN) ? 'Token' : 'Password' });
}

/** Asks on the terminal, again where the broker refuses. Throws Cancelled, and BROKER_* where asking again would not help. */
export async function askedToken(context: CliContext, config: Config, prompts: Prompts): Promise<Verified> {
  const given = context.valueOf(USERNAME);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const username =
        given || (await prompts.text({ message: 'User name at the broker (empty: paste a token)' }));
      if (username === '') {
        const pasted = await prompts.secret({ message: 'Token' });
        return await verified(context, config, parseToken(pasted, 'what was typed'));
      }
      const password = await prompts.secret({
        message: 'Password',
        validate: (text) => (text === '' ? 'a password is needed' : undefined),
      });
      return await signedIn(context, config, { username, password });
    } catch (thrown) {
      if (!isMistyped(thrown) || attempt === ATTEMPTS) throw thrown;
      prompts.say(asAgentError(thrown).message, 'error');
    }
  }
}

/** The broker has refused it, or it cannot be a token. */
function isMistyped(thrown: unknown): boolean {
  return (
    thrown instanceof AgentError &&
    ['BROKER_UNAUTHORIZED', 'TOKEN_MISSING', 'CONFIG_INVALID'].includes(thrown.code)
  );
}

async function signedIn(
  context: CliContext,
  config: Config,
  credentials: { readonly username: string; readonly password: string },
): Promise<Verified> {
  context.redactor.add(credentials.password);
  const token = await tokenOf(config, credentials);
  return verified(context, config, parseToken(token, 'the broker’s answer'));
}

async function verified(context: CliContext, config: Config, token: string): Promise<Verified> {
  context.redactor.add(token);
  return { token, account: await accountOf(config, token) };
}
