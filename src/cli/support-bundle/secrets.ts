import { readFileSync, statSync } from 'node:fs';
import type { Loaded } from '../../config/config.ts';
import { OPTION_KEYS, optionOf } from '../../config/options.ts';
import { tokenOrigin } from '../../config/token.ts';
import type { Redactor } from '../../lib/redactor.ts';
import { LIMITS } from '../../limits.ts';

/** A secret that is a short word would spoil every text. */
const MIN_LENGTH = 6;

/** Makes the redactor know what the files with secrets contain, as far as this user may read them. */
export function learnSecrets(loaded: Loaded, redactor: Pick<Redactor, 'add'>): void {
  const origin = tokenOrigin(loaded);
  const files = OPTION_KEYS.filter((key) =>
    /-(?:secret|token|password)-file$|^token-file$/.test(optionOf(key).name),
  )
    .map((key): unknown => loaded.config[key])
    .filter((value) => typeof value === 'string');
  const found = [...files, ...(origin.kind === 'variable' ? [] : [origin.path])].map(contentOf);
  const secrets = [...found, origin.kind === 'variable' ? origin.token : ''];
  for (const text of secrets)
    for (const secret of [text.trim(), ...text.split('\n').map((line) => line.trim())])
      if (secret.length >= MIN_LENGTH) redactor.add(secret);
}

function contentOf(file: string): string {
  try {
    const found = statSync(file);
    return found.isFile() && found.size <= LIMITS.host.tokenFile.max ? readFileSync(file, 'utf8') : '';
  } catch {
    // What this user cannot read, none of the parts can contain but by the agent, which redacts it itself.
    return '';
  }
}
