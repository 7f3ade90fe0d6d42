import { describe } from '../../config/describe.ts';
import { OPTION_KEYS } from '../../config/options.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { type CliCommand, JSON_SWITCH } from '../command.ts';
import { runChecks } from './checks.ts';
import { collect } from './collect.ts';
import { checkJson, checkText, isReady } from './render.ts';

/** Runs all checks side by side, reports all their results at once, and changes nothing. */
export const check: CliCommand = {
  name: 'check',
  summary: 'check everything that jobs need, and say how to fix what is missing',
  group: 'Set up',
  options: OPTION_KEYS,
  switches: [JSON_SWITCH],
  values: [],
  examples: [
    { line: 'check', does: 'with the configuration of the service' },
    { line: 'check --ask-price 0.05 --json', does: 'as JSON; ready is true where no check failed' },
  ],
  run: async (context) => {
    // A missing price is a result, not a reason to stop.
    const loaded = await context.loadConfig({ ask: false, ownWarnings: true });
    const results = runChecks(loaded, await collect(context, loaded));
    const checked = { results, configuration: describe(loaded) };
    context.stdout.write(context.has(JSON_SWITCH) ? checkJson(checked) : checkText(checked, context.stdout));
    return isReady(results) ? EXIT.OK : EXIT.FAILED;
  },
};
