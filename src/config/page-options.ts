import { isLoopback } from '../lib/loopback.ts';
import { type ListenAddress, listenAddress, listenName, shownHost } from './listen.ts';
import type { Option } from './option.ts';
import type { Problem } from './problem.ts';
import { path, yesNo } from './text-types.ts';
import { list } from './value-type.ts';

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
  listenHost: {
    name: 'listen-host',
    env: 'SHAREDCLOUD_LISTEN_HOST',
    type: list(listenName),
    default: '',
    unset: 'none',
    help: 'names by which the page may be asked for beside its address, such as that of a proxy or of this host for a scraper',
    group: 'Page',
  },
  listenPasswordFile: {
    name: 'listen-password-file',
    env: 'SHAREDCLOUD_LISTEN_PASSWORD_FILE',
    type: path,
    unset: 'only links of `sharedcloud-agent page` open the page',
    help: 'file with a password that opens the page, which only its owner may read (mode 0600)',
    group: 'Page',
  },
  listenInsecure: {
    name: 'listen-insecure',
    env: 'SHAREDCLOUD_LISTEN_INSECURE',
    type: yesNo,
    default: 'no',
    help: 'listen on another address than loopback without a password, such as behind a firewall or in a container whose port only this host reaches',
    group: 'Page',
  },
  metricsTokenFile: {
    name: 'metrics-token-file',
    env: 'SHAREDCLOUD_METRICS_TOKEN_FILE',
    type: path,
    unset: 'metrics are open on loopback, and closed elsewhere',
    help: 'file with the bearer token that a scraper of the metrics sends, which only its owner may read (mode 0600)',
    group: 'Page',
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;

/** What is wrong with a page that other machines could reach, and that nothing protects. Pure. */
export function exposedPage(values: {
  readonly listen?: unknown;
  readonly listenPasswordFile?: unknown;
  readonly listenInsecure?: unknown;
}): readonly Problem[] {
  const { listen, listenInsecure, listenPasswordFile } = values;
  if (!isAddress(listen) || isLoopback(shownHost(listen.host))) return [];
  if (listenPasswordFile !== undefined || listenInsecure === true) return [];
  return [
    {
      where: '--listen',
      what: `other machines reach ${listenAddress.show(listen)}, and no password is set`,
      hint: 'name a file with one by --listen-password-file, or add --listen-insecure where only you reach that address, or listen on 127.0.0.1 and see docs/page.md for the way from another machine',
    },
  ];
}

function isAddress(value: unknown): value is ListenAddress {
  return typeof value === 'object' && value !== null && 'host' in value && 'port' in value;
}
