import type { Loaded } from '../../config/config.ts';
import { TokenSource, tokenOrigin } from '../../config/token.ts';
import { AgentError, asAgentError } from '../../domain/errors.ts';
import type { CliContext } from '../command.ts';
import { accountOf, requireEncryption } from '../login/broker.ts';
import { INSECURE_HTTP } from '../login/flags.ts';
import { askedToken, isPiped, pipedToken, type Verified } from '../login/obtain-token.ts';
import type { Conversation } from './conversation.ts';

/** The token that the agent will have; `isNew`: it is still to be written. */
export type TokenPlan = {
  readonly token: string;
  readonly account: string | undefined;
  readonly isNew: boolean;
};

/**
 * The token that is there if the broker accepts it, else one that is piped in or asked for. Throws TOKEN_MISSING where there is
 * none and nobody can be asked, as `pipedToken` and `askedToken` do, and Cancelled.
 */
export async function planToken(
  context: CliContext,
  loaded: Loaded,
  { prompts, say }: Conversation,
): Promise<TokenPlan> {
  const { config } = loaded;
  requireEncryption(config, context.has(INSECURE_HTTP));
  if (isPiped(context)) return planned(await pipedToken(context, config));
  try {
    return await presentToken(context, loaded);
  } catch (thrown) {
    const error = asAgentError(thrown);
    if (error.code === 'BROKER_UNAUTHORIZED' || error.code === 'TOKEN_FILE_UNSAFE')
      say(error.message, 'warn');
    else if (error.code !== 'TOKEN_MISSING') throw error;
    if (prompts !== undefined) return planned(await askedToken(context, config, prompts));
    if (error.code !== 'TOKEN_MISSING') throw error;
    throw new AgentError('TOKEN_MISSING', error.message, {
      hint: 'run sharedcloud-agent login first, or pipe the token in: sharedcloud-agent setup --yes --with-token <FILE',
    });
  }
}

/** The token that is there. Throws what keeps it from being used, BROKER_* if the broker did not accept it. */
async function presentToken(context: CliContext, loaded: Loaded): Promise<TokenPlan> {
  const origin = tokenOrigin(loaded);
  const source = new TokenSource(origin, context.uid, (token) => context.redactor.add(token));
  const token = await source.current();
  const { name } = await accountOf(loaded.config, token);
  // The service does not see the environment of this shell.
  return { token, account: name, isNew: origin.kind === 'variable' };
}

function planned({ account, token }: Verified): TokenPlan {
  return { token, account: account.name, isNew: true };
}
