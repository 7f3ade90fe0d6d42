import type { ListenAddress } from '../config/listen.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Route, route } from '../control-api/route.ts';
import { AgentError } from '../domain/errors.ts';
import type { KeptPage } from './keep-serving.ts';
import { linkUrls, urlOf } from './page-address.ts';
import type { PageParts } from './page-parts.ts';

/** What the sockets answer about the page; the page itself does not, so that no session makes another one. */
export function pageRoutes(
  address: ListenAddress | 'off',
  page: () => KeptPage | undefined,
  { hosts, observe, sessions }: Pick<PageParts, 'hosts' | 'observe' | 'sessions'>,
): readonly Route[] {
  const where = (): ListenAddress => {
    if (address === 'off')
      throw new AgentError('PAGE_NOT_SERVED', 'the page is turned off', {
        hint: 'start the agent without --listen off (SHAREDCLOUD_LISTEN, listen in its configuration file)',
      });
    const { port, problem } = page() ?? {};
    if (problem !== undefined) throw new AgentError('PAGE_NOT_SERVED', problem.why, { hint: problem.hint });
    if (port === undefined) throw new AgentError('PAGE_NOT_SERVED', 'the page is not served yet');
    return { host: address.host, port };
  };
  return [
    route(ENDPOINTS.page, async () => {
      const { port, problem } = page() ?? {};
      const isServed = address !== 'off' && port !== undefined;
      return {
        url: isServed ? urlOf({ host: address.host, port }, hosts().names) : null,
        why: problem?.why ?? null,
        hint: problem?.hint ?? null,
      };
    }),
    route(ENDPOINTS.pageLink, async ({ body, caller, rights }) => {
      const served = where();
      const given = rights.filter((right) => right === 'read' || !body.readOnly);
      const { expiresAt, token } = sessions.link(given, caller);
      // It is opened within seconds.
      page()?.load();
      return { ...linkUrls(served, hosts().names, token), rights: given, expiresAt };
    }),
    route(ENDPOINTS.pageSignOut, async ({ caller, from }) => {
      sessions.signOutAll();
      observe({ kind: 'page-signed-out', by: caller, from, all: true });
      return {};
    }),
  ];
}
