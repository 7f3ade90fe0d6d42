import type { PreparedConnection } from '../../http-client/connection.ts';
import type { Route } from '../../http-client/proxy.ts';
import type { EngineFacts } from '../../runtime/docker/engine/facts.ts';
import { type QueryResult, valueOf } from '../query.ts';
import { type CheckResult, fromError, ok, warn } from './check-result.ts';

/** Through which proxy the broker is reached, and which certificate authorities are trusted. */
export function checkConnection(answer: QueryResult<PreparedConnection>): readonly CheckResult[] {
  if ('error' in answer) return [fromError('proxy', answer.error)];
  const { cas, route } = answer.value;
  const proxy = ok('proxy', routeText(route));
  if (cas === undefined) return [proxy];
  const found = cas.sources
    .map(({ count, from }, index) => `${count} ${index === 0 ? '' : 'more '}from ${from}`)
    .join(', ');
  const certificates = 'certificates';
  return [
    proxy,
    cas.problems.length === 0 ? ok(certificates, found) : warn(certificates, found),
    ...cas.problems.map(({ hint, what }) => warn(certificates, what, hint)),
  ];
}

/** Docker pulls images by itself: where the agent needs a proxy, Docker most likely needs one too. */
export function checkDockerProxy(
  connection: QueryResult<PreparedConnection>,
  engine: QueryResult<EngineFacts>,
): readonly CheckResult[] {
  const facts = valueOf(engine);
  if (valueOf(connection)?.route.kind !== 'proxy' || facts === undefined || facts.hasProxy) return [];
  return [
    warn(
      'docker proxy',
      'the broker is reached through a proxy, and Docker, which pulls the images, uses none',
      'if its registries cannot be reached directly, set HTTPS_PROXY for Docker: sudo systemctl edit docker',
    ),
  ];
}

const WHY_DIRECT = {
  unset: 'none',
  loopback: 'not used: the broker is on this machine',
  'no-proxy': 'not used: no-proxy lists the broker',
  'other-scheme': 'not used: only the proxy for the other scheme is set',
} as const satisfies Readonly<Record<Extract<Route, { kind: 'direct' }>['why'], string>>;

function routeText(route: Route): string {
  if (route.kind === 'direct') return WHY_DIRECT[route.why];
  const { authorization, origin, setting } = route.proxy;
  return `${origin} (${setting})${authorization === undefined ? '' : ', with a user and password'}`;
}
