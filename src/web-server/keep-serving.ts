import type { ListenAddress } from '../config/listen.ts';
import { type BackoffShape, backoffMs } from '../lib/backoff.ts';
import { OncePerChange } from '../lib/once-per-change.ts';
import { sleep } from '../lib/sleep.ts';
import { listenProblem, type Unlistenable } from './listen-problem.ts';
import type { PageParts } from './page-parts.ts';
import { type ServedPage, servePage } from './serve-page.ts';

/** After a failure: another program may leave the port, and an interface may come up. */
const RETRY: BackoffShape = { initialMs: 1_000, maxMs: 60_000 };

/** The page as it is served now; `problem`: why it is not. */
export type KeptPage = AsyncDisposable & {
  /** As of the served page; nothing where it is not served. */
  load(): void;
  readonly port: number | undefined;
  readonly problem: Unlistenable | undefined;
};

/**
 * Serves the page, and tries again until it can be, since the agent earns without it as well. Returns after the first try.
 * Never throws.
 */
export async function keepServing(address: ListenAddress, parts: PageParts): Promise<KeptPage> {
  const end = new AbortController();
  const once = new OncePerChange();
  let served: ServedPage | undefined;
  let problem: Unlistenable | undefined;
  let failures = 0;
  const attempt = async (): Promise<boolean> => {
    try {
      served = await servePage(address, parts);
      problem = undefined;
      parts.observe({ kind: 'page-served', host: address.host, port: served.port });
      return true;
    } catch (thrown) {
      failures += 1;
      problem = listenProblem(thrown, address);
      const retryInMs = backoffMs(RETRY, failures);
      if (once.isNew(problem.why)) parts.observe({ kind: 'page-not-served', ...problem, retryInMs });
      return false;
    }
  };
  const again = async (): Promise<void> => {
    while (await sleep(backoffMs(RETRY, failures), end.signal)) if (await attempt()) return;
  };
  const retrying = (await attempt()) ? undefined : again();
  return {
    load: () => served?.load(),
    get port() {
      return served?.port;
    },
    get problem() {
      return problem;
    },
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await retrying;
      await served?.[Symbol.asyncDispose]();
    },
  };
}
