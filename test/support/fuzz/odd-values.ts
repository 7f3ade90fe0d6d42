import type { Dice } from './dice.ts';
import { Lazy, longText, nested, raw } from './lazy-json.ts';

/** Makes a value that no field of the contract should have; some are no JSON. */
export function oddValue(dice: Dice): unknown {
  return dice.oneOf(ODD)(dice);
}

/** As `oddValue`, and always JSON: the rest of the answer stays readable. */
export function oddJson(dice: Dice): unknown {
  return dice.oneOf(ODD_JSON)(dice);
}

type Make = (dice: Dice) => unknown;

const ODD_JSON: readonly [Make, ...Make[]] = [
  () => null,
  () => true,
  () => false,
  () => 0,
  () => -1,
  () => 0.1,
  () => 2 ** 53,
  () => -(2 ** 53),
  () => 1e308,
  () => raw('1e999'),
  () => raw('-1e999'),
  () => raw('-0'),
  () => raw('9'.repeat(5_000)),
  () => '',
  () => ' ',
  () => 'text',
  () => '-1',
  () => 'NaN',
  () => 'Infinity',
  () => '9'.repeat(400),
  () => 'a'.repeat(65),
  () => '../../../../etc/passwd',
  () => '\u0000\u001b[2J\u2028',
  () => '31-02-2026 25:61:61',
  () => '((),'.repeat(10_000),
  () => '('.repeat(100_000),
  () => raw('"\\ud800"'),
  () => raw('"\\u0000"'),
  () => [],
  () => [[]],
  () => ({}),
  () => [null, null],
  () => raw('{"__proto__": {"uuid": "polluted"}, "constructor": 1, "toString": 1}'),
  (dice) => nested(dice.size(100, 100_000)),
  (dice) => nested(dice.size(100, 50_000), ['{"a":', '}']),
  (dice) => longText(dice.size(1_000, 2_000_000), dice.oneOf(['x', '\\u0000', '🂡', '\\n'])),
];

const ODD: readonly [Make, ...Make[]] = [
  ...ODD_JSON,
  () => raw('NaN'),
  () => raw('Infinity'),
  () => raw('undefined'),
  () => raw("'single'"),
  () => raw('"\t\n"'),
  () => raw('01'),
  () => raw(''),
  () => raw('[1,]'),
  () => new Lazy(() => ['"', '\u0000', '"']),
];
