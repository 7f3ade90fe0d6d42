import type { Config } from '../../config/config.ts';
import { shownHost } from '../../config/listen.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { urlOf } from '../../web-server/page-address.ts';
import { type CheckResult, fail, ok, warn } from './check-result.ts';
import type { PageInspection } from './inspect-page.ts';

const CHECK = 'status page';

type PageConfig = Pick<Config, 'listen' | 'listenHost' | 'listenPasswordFile'>;

/** Where the status page is, and who reaches it. Only a file that cannot be used keeps the agent from starting. Pure. */
export function checkPage(config: PageConfig, seen: PageInspection | undefined): readonly CheckResult[] {
  const { listen } = config;
  if (seen === undefined || listen === 'off') return [ok(CHECK, 'turned off by --listen off')];
  const { agent, secrets, unlistenable } = seen;
  const unusable = secrets.map(({ hint, message }) => fail(CHECK, message, hint));
  if (unusable.length > 0) return unusable;
  if (unlistenable !== undefined) return [warn(CHECK, unlistenable.why, unlistenable.hint)];
  if (agent === undefined) return [reach(config, `${urlOf(listen, config.listenHost)} once the agent runs`)];
  if (agent.why !== null) return [warn(CHECK, agent.why, agent.hint ?? undefined)];
  if (agent.url === null)
    return [warn(CHECK, 'the running agent was started with --listen off', 'restart it')];
  if (!agent.isReached)
    return [
      warn(
        CHECK,
        `${agent.url} is not reached from here`,
        'see whether that name leads to this host, and whether its firewall lets the port through',
      ),
    ];
  return [reach(config, agent.url)];
}

function reach({ listen, listenPasswordFile }: PageConfig, where: string): CheckResult {
  if (listen === 'off' || isLoopback(shownHost(listen.host)))
    return ok(CHECK, `${where}, for this machine; open it with: sharedcloud-agent page`);
  const found = `${where}, also for other machines, without encryption`;
  if (listenPasswordFile !== undefined) return ok(CHECK, `${found}, by password`);
  return warn(
    CHECK,
    `${found} and without a password`,
    'make sure that only you reach it, or set --listen-password-file; see docs/page.md',
  );
}
