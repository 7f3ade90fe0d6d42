import type { PauseRequest } from '../../../src/agent/owner/owner-commands.ts';

/** Who commands in the tests. */
export const ADA = { by: 'ada', from: 'a test' };

/** A pause of all targets until it is taken back. */
export const EVERYTHING: PauseRequest = { names: [], minors: [], lasting: undefined, tag: '' };

/** Takes no notice of SIGTERM once its file is there. */
export const STUBBORN = `function handler([file]) {
  process.on('SIGTERM', () => undefined);
  require('node:fs').writeFileSync(file, '');
  return new Promise(() => setInterval(() => {}, 1000));
}`;
