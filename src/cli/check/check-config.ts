import type { Config, Loaded } from '../../config/config.ts';
import { gpuSettings } from '../../config/gpu-settings.ts';
import { OPTION_KEYS } from '../../config/options.ts';
import type { Gpu } from '../../domain/gpu.ts';
import type { QueryResult } from '../query.ts';
import { type CheckResult, fail, ok, troubled, warn } from './check-result.ts';
import type { Token } from './collect.ts';

/** Where the configuration comes from, and a line for each thing in it that its owner should know. */
export function checkConfig({ config, sources, warnings }: Loaded): readonly CheckResult[] {
  const set = OPTION_KEYS.filter((key) => !['default', 'unset'].includes(sources[key].kind));
  const fromFile = set.some((key) => sources[key].kind === 'file') || config.gpus.length > 0;
  const file = fromFile ? `, ${config.configFile} read` : '';
  const found = `${set.length} of ${OPTION_KEYS.length} options set${file}`;
  return [ok('configuration', found), ...warnings.map((warning) => warn('configuration', warning))];
}

/** Whether everything that could be offered has a price. `gpus`: those that were found, none where none could be. */
export function checkPrice(
  config: Pick<Config, 'askPrice' | 'gpus' | 'cpuSlots'>,
  gpus: readonly Gpu[],
): CheckResult {
  const own = config.gpus.flatMap(({ askPrice, model }) =>
    askPrice === undefined ? [] : [`${model} $${askPrice}`],
  );
  const general = config.askPrice;
  if (general !== undefined) return ok('ask price', [`$${general} per job and minute`, ...own].join(', '));
  const hint = 'set --ask-price in US dollars per job and minute, such as 0.05';
  if (own.length === 0) return fail('ask price', 'nothing says what a job must pay', hint);
  const unpriced = [
    ...new Set(gpus.map(({ model }) => model).filter((model) => !hasOwnPrice(config, model))),
    ...(config.cpuSlots > 0 ? ['CPU jobs'] : []),
  ];
  if (unpriced.length === 0) return ok('ask price', own.join(', '));
  return fail('ask price', `nothing says what a job must pay for ${unpriced.join(', ')}`, hint);
}

function hasOwnPrice(config: Pick<Config, 'gpus'>, model: string): boolean {
  return gpuSettings(config.gpus, model)?.askPrice !== undefined;
}

/** Whether there is a token that could be sent; whether the broker takes it is another question. */
export function checkToken(answer: QueryResult<Token>): CheckResult {
  return 'error' in answer ? troubled('token', answer.error) : ok('token', `read from ${answer.value.from}`);
}
