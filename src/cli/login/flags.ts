import { single } from '../../config/value-type.ts';
import type { Switch, ValueFlag } from '../command.ts';

export const WITH_TOKEN: Switch = { name: 'with-token', help: 'read the token from standard input' };

export const WITH_PASSWORD: Switch = {
  name: 'with-password',
  help: 'read the password of --username from standard input',
};

export const USERNAME: ValueFlag<string> = {
  name: 'username',
  help: 'the user name at the broker',
  type: single({ metavar: 'NAME', parse: (text) => text }),
  default: '',
};

export const INSECURE_HTTP: Switch = {
  name: 'insecure-http',
  help: 'send the password or token even to a broker without https on another host',
};
