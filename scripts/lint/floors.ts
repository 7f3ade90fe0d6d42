import { dirname, relative, resolve } from 'node:path';

const ADAPTERS = [
  'broker',
  'config',
  'control-api',
  'embedded',
  'function',
  'gpu',
  'host',
  'journal',
  'market-history',
  'notify',
  'runtime',
  'state-dir',
  'tariff',
];

/** The floors of `src/`, lowest first: a file imports its own folder and what is on lower floors. */
export const FLOORS: readonly (readonly string[])[] = [
  ['limits.ts'],
  ['domain', 'lib', 'python-literal'],
  ['pricing'],
  ['http-client'],
  ADAPTERS,
  ['agent/settings.ts'],
  ['agent/events', 'agent/retry'],
  ['agent/holds', 'agent/notifications'],
  ['agent/admission', 'agent/images', 'agent/jobs', 'agent/offers', 'agent/reports'],
  ['agent/calendar', 'agent/gpu-health', 'agent/network', 'agent/presence', 'agent/reconcile'],
  ['agent/energy'],
  ['agent/pricing'],
  ['agent/market'],
  ['agent/market-history'],
  ['agent/lifecycle', 'agent/owner'],
  ['agent'],
  ['control', 'metrics', 'web'],
  ['web-server'],
  ['compose-images.ts'],
  [
    'compose-agent.ts',
    'compose-broker.ts',
    'compose-docker.ts',
    'compose-electricity.ts',
    'compose-gpu.ts',
    'compose-market-history.ts',
    'compose-notifications.ts',
    'compose-page.ts',
  ],
  ['compose.ts'],
  ['cli', 'daemon'],
  ['main.ts'],
];

/** Packages that one folder wraps for all others. */
const WRAPPED: Readonly<Record<string, string>> = { dockerode: 'runtime/docker/', undici: 'http-client/' };

/** Folders of pure functions: no packages, no Node.js. */
const PURE = ['domain', 'pricing', 'python-literal'];

/**
 * Says why the file at `path` may not import `specifier`; undefined where it may. `path` is relative to `src/`,
 * `specifier` is what the import says.
 */
export function whyForbidden(path: string, specifier: string): string | undefined {
  const from = folderOf(path);
  if (floorOf(from) < 0) return `src/${from} is on no floor: give it one in scripts/lint/floors.ts`;
  if (!specifier.startsWith('.')) return whyPackageForbidden(path, from, specifier);
  const to = folderOf(relative('/', resolve('/', dirname(path), specifier)));
  if (from === to) return undefined;
  if (from.startsWith('agent') && ADAPTERS.includes(to))
    return `${from} sees adapters only through domain/ports/, not ${to}`;
  return floorOf(to) < floorOf(from) ? undefined : `imports point down only: ${to} is not below ${from}`;
}

function whyPackageForbidden(path: string, folder: string, name: string): string | undefined {
  if (PURE.includes(folder)) return `${folder} is pure: no packages, no Node.js`;
  const owner = WRAPPED[name.split('/', 1)[0] ?? ''];
  return owner === undefined || path.startsWith(owner) ? undefined : `${name} belongs to src/${owner}`;
}

/** The part of `src/` that has a floor: what stands right under it, in `agent/` a folder or a file that has its own. */
function folderOf(path: string): string {
  const [top = '', below = '', ...rest] = path.split('/');
  const inAgent = `${top}/${below}`;
  return top === 'agent' && (rest.length > 0 || floorOf(inAgent) >= 0) ? inAgent : top;
}

function floorOf(folder: string): number {
  return FLOORS.findIndex((folders) => folders.includes(folder));
}
