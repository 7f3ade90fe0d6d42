import { listenAddress } from './listen.ts';
import type { Option } from './option.ts';

/** The options of the status page; a part of the table of all options. */
export const PAGE_OPTIONS = {
  listen: {
    name: 'listen',
    env: 'SHAREDCLOUD_LISTEN',
    type: listenAddress,
    default: '127.0.0.1:8470',
    help: 'where the status page, its API and the metrics are served; `off`: nowhere',
    group: 'Page',
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;
