import { commandsOf } from '../../src/cli/commands.ts';
import { EXIT } from '../../src/domain/exit-codes.ts';

/** Every command, for documents; none is run. */
export const COMMANDS = commandsOf(() => Promise.resolve(EXIT.OK));
