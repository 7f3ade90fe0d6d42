import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { notificationTargets, wantedNotifications } from '../../compose-notifications.ts';
import type { Config } from '../../config/config.ts';
import { asAgentError } from '../../domain/errors.ts';
import { NOTIFICATION_KINDS } from '../../domain/notification-kinds.ts';
import { OWNER_PATH } from '../../lib/owner-program.ts';
import { readSecret } from '../../notify/secret.ts';
import { type CheckResult, ok, warn } from './check-result.ts';

const CHECK = 'notifications';

/** The targets of notifications, of which nothing is asked; none where there is none. */
export function checkNotifications(config: Config, now: () => number): readonly CheckResult[] {
  const targets = notificationTargets(config, { now });
  if (targets.length === 0) return [];
  const wanted = wantedNotifications(config);
  const what = wanted.length === NOTIFICATION_KINDS.length ? 'all kinds' : wanted.join(', ');
  const found = `${what} to ${targets.map(({ address, name }) => `${name} ${address}`).join(', ')}`;
  const problem =
    problemOfSecret(config.notifyWebhookSecretFile) ??
    problemOfSecret(config.notifyNtfyTokenFile) ??
    problemOfProgram(config.notifyCommand);
  if (problem === undefined) return [ok(CHECK, `${found}; try them: sharedcloud-agent notify test`)];
  return [warn(CHECK, `${found}; ${problem.what}`, problem.hint)];
}

type Unusable = { readonly what: string; readonly hint: string | undefined };

function problemOfSecret(file: string | undefined): Unusable | undefined {
  if (file === undefined) return undefined;
  try {
    readSecret(file);
    return undefined;
  } catch (thrown) {
    const { hint, message } = asAgentError(thrown);
    return { what: message, hint };
  }
}

function problemOfProgram(program: string | undefined): Unusable | undefined {
  if (program === undefined || isExecutable(program)) return undefined;
  return {
    what: `${program} is no program that this user can run`,
    hint: 'write the path of an executable file in notify-command',
  };
}

function isExecutable(program: string): boolean {
  const paths = program.includes('/') ? [program] : OWNER_PATH.split(':').map((one) => join(one, program));
  return paths.some((path) => {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  });
}
