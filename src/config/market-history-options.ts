import type { Option } from './option.ts';
import { size } from './size.ts';
import { single, type ValueType } from './value-type.ts';

const SIZES = size('10 MB', '1 TB');

/** A size, or `off` and 0 for none. */
const sizeOrOff: ValueType<number> = single({
  metavar: 'SIZE',
  parse: (text) => (/^(?:off|0(?:\s*B)?)$/i.test(text) ? 0 : SIZES.read([text])),
  show: (bytes) => (bytes === 0 ? 'off' : SIZES.show(bytes)),
});

/** The options of the market history; a part of the table of all options. */
export const MARKET_HISTORY_OPTIONS = {
  marketHistorySize: {
    name: 'market-history-size',
    env: 'SHAREDCLOUD_MARKET_HISTORY_SIZE',
    type: sizeOrOff,
    default: '500 MB',
    help: 'how much disk the market history may use, from 10 MB; the oldest runs become hourly sums. `off`: the market is not recorded, and the file stays as it is',
    group: 'Money',
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;
