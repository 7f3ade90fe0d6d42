import { readDays, readHours } from '../../config/schedule/window-types.ts';
import { single } from '../../config/value-type.ts';
import type { Switch, ValueFlag } from '../command.ts';

export const YES: Switch = {
  name: 'yes',
  help: 'ask nothing: flags, then what is set already, then the proposals are the answers',
};

export const PRINT: Switch = {
  name: 'print',
  help: 'show what would be written, and write and start nothing',
};

export const SKIP_CHECK: Switch = { name: 'skip-check', help: 'do not check the host' };

export const NO_NETWORK: Switch = { name: 'no-network', help: 'do not create the job network' };

export const NO_SERVICE: Switch = { name: 'no-service', help: 'do not enable and start the service' };

export const AVAILABLE_HOURS: ValueFlag<string> = {
  name: 'available-hours',
  help: 'the hours in which jobs are taken, such as 22:00-07:00',
  type: single({
    metavar: 'HOURS',
    parse: (text) => {
      if (text !== '') readHours([text]);
      return text;
    },
  }),
  default: '',
};

export const AVAILABLE_DAYS: ValueFlag<string> = {
  name: 'available-days',
  help: 'the days on which jobs are taken, such as weekdays or sat,sun',
  type: single({
    metavar: 'DAYS',
    parse: (text) => {
      if (text !== '') readDays([text]);
      return text;
    },
  }),
  default: '',
};
