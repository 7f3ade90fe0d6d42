import type { Config, Loaded } from '../../config/config.ts';
import { gpuSettings } from '../../config/gpu-settings.ts';
import { OPTION_KEYS } from '../../config/options.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { readablePrice } from '../../lib/readable.ts';
import { MIN_SECRET_LENGTH } from '../../lib/redactor.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, fail, fromError, ok, warn } from './check-result.ts';
import type { Token } from './collect.ts';

/** Where the configuration comes from, and its warnings. */
export function checkConfig({ config, sources, warnings }: Loaded): readonly CheckResult[] {
  const set = OPTION_KEYS.filter((key) => !['default', 'unset'].includes(sources[key].kind));
  const fromFile = set.some((key) => sources[key].kind === 'file') || config.gpus.length > 0;
  const file = fromFile ? `, file ${config.configFile}` : '';
  const found = `${set.length} of ${OPTION_KEYS.length} options set${file}`;
  return [ok('configuration', found), ...warnings.map((warning) => warn('configuration', warning))];
}

/** Whether everything that could be offered has a price. `gpus` is empty if none could be read. */
export function checkPrice(
  config: Pick<Config, 'askPrice' | 'gpus' | 'cpuSlots'>,
  gpus: readonly Gpu[],
): CheckResult {
  const own = config.gpus.flatMap(({ askPrice, model }) =>
    askPrice === undefined ? [] : [`${model} ${readablePrice(askPrice)}`],
  );
  const general = config.askPrice;
  if (general !== undefined)
    return ok('ask price', [`${readablePrice(general)} per job and minute`, ...own].join(', '));
  const hint = 'set --ask-price in US dollars per job and minute, such as 0.05';
  if (own.length === 0) return fail('ask price', 'no price is set', hint);
  const unpriced = [
    ...new Set(gpus.map(({ model }) => model).filter((model) => !hasOwnPrice(config, model))),
    ...(config.cpuSlots > 0 ? ['CPU jobs'] : []),
  ];
  if (unpriced.length === 0) return ok('ask price', own.join(', '));
  return fail('ask price', `no price is set for ${unpriced.join(', ')}`, hint);
}

function hasOwnPrice(config: Pick<Config, 'gpus'>, model: string): boolean {
  return gpuSettings(config.gpus, model)?.askPrice !== undefined;
}

/** Whether there is a usable token; whether the broker accepts it is `checkBroker`'s result. */
export function checkToken(answer: QueryResult<Token>): CheckResult {
  if ('error' in answer) return fromError('token', answer.error);
  const { from, secret } = answer.value;
  if (secret.length >= MIN_SECRET_LENGTH) return ok('token', `from ${from}`);
  return warn(
    'token',
    `from ${from}; it is too short to be redacted in the log and in output`,
    'put the broker’s token into it: one that it issues has far more than four characters',
  );
}
