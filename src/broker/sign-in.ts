import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import { LIMITS } from '../limits.ts';
import { detailsOf, isPage } from './answer.ts';
import { cutName, money, ON_WIRE, readResource } from './fields.ts';
import type { Fields } from './json-fields.ts';
import { ResourceReader } from './read-resource.ts';
import type { Reply, Transport } from './transport.ts';

/** Who signs in; the password is sent to the broker and to nothing else. */
export type Credentials = { readonly username: string; readonly password: string };

/** The account that a token belongs to, as far as the broker says. */
export type Account = {
  readonly name: string | undefined;
  /** In US dollars. */
  readonly balance: number | undefined;
};

/** Django REST Framework answers 400 to a wrong password and to a locked account; others answer 401 or 403. */
const REFUSED: readonly number[] = [400, 401, 403];

const TOKEN_FIELDS: Fields = {
  token: { keep: LIMITS.host.tokenFile.max, refuse: LIMITS.host.tokenFile.max },
};
const tokenSchema = z.object({ token: z.string().min(1) });

const ACCOUNT_FIELDS: Fields = { username: ON_WIRE.name, balance: ON_WIRE.short };
const accountSchema = z.object({
  username: z.string().transform(cutName).optional().catch(undefined),
  balance: money().optional().catch(undefined),
});

/**
 * Asks the broker for the account's token. The transport's token source is the password, so that no message shows it. Throws
 * BROKER_UNAUTHORIZED for a wrong name or password and for a locked account, with the broker's words, and other BROKER_*.
 */
export async function signIn(
  transport: Transport,
  { password, username }: Credentials,
  signal: AbortSignal,
): Promise<string> {
  const into = new ResourceReader(TOKEN_FIELDS);
  const reply = await transport.send({
    method: 'POST',
    path: '/api/v1/api-token-auth/',
    body: { username, password },
    isAnonymous: true,
    into,
    signal,
  });
  // A page is from a proxy, which knows nothing of accounts.
  if (REFUSED.includes(reply.status) && !isPage(reply.text)) throw wrongCredentials(reply);
  return readResource(tokenSchema, into.json(reply), 'answer to a sign-in').token;
}

/** The account of the transport's token. Throws BROKER_UNAUTHORIZED where the broker does not accept it, and other BROKER_*. */
export async function readAccount(transport: Transport, signal: AbortSignal): Promise<Account> {
  const into = new ResourceReader(ACCOUNT_FIELDS);
  const reply = await transport.send({ method: 'GET', path: '/api/v1/users/account/', into, signal });
  const { balance, username } = readResource(accountSchema, into.json(reply), 'account');
  return { name: username, balance };
}

function wrongCredentials(reply: Reply): AgentError {
  const what = `${reply.call}: the broker does not accept the user name and password${detailsOf(reply)}`;
  return new AgentError('BROKER_UNAUTHORIZED', what, {
    hint: 'check the name and the password by signing in on the broker’s site',
  });
}
