import { unlink } from 'node:fs/promises';
import { hasToken, requireWritable, tokenFileOf } from '../../config/token-file.ts';
import { AgentError } from '../../domain/errors.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { type CliCommand, JSON_SWITCH } from '../command.ts';

/** Removes the token file; the broker's API cannot revoke a token. */
export const logout: CliCommand = {
  name: 'logout',
  summary: 'remove the token file; the token stays valid at the broker, and a running agent keeps using it',
  group: 'Set up',
  options: ['tokenFile', 'configFile'],
  switches: [JSON_SWITCH],
  values: [],
  examples: [
    { line: 'logout', does: 'as root, for the service' },
    { line: 'logout --token-file ~/sharedcloud.token', does: 'for an agent of your own' },
  ],
  run: async (context) => {
    const path = tokenFileOf(await context.loadConfig({ ask: false }));
    await requireWritable(path, context.uid);
    const removed = await hasToken(path);
    if (removed) await remove(path);
    if (context.has(JSON_SWITCH))
      context.stdout.write(`${JSON.stringify({ tokenFile: path, removed }, null, 2)}\n`);
    else if (!removed) context.stdout.write(`there is no token in ${path}\n`);
    else
      context.stdout.write(
        `removed ${path}\nthe token stays valid: replace it on the broker’s site if somebody else may have it\n` +
          'a running agent uses it until it is stopped: sudo sharedcloud-agent drain\n',
      );
    return EXIT.OK;
  },
};

async function remove(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('TOKEN_FILE_UNSAFE', `${path} cannot be removed: ${why}`, {
      hint: 'run the command with sudo',
      cause,
    });
  }
}
