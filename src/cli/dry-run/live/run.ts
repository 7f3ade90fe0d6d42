import type { OpenAgent } from '../../../compose.ts';
import { type ListenAddress, listenAddress } from '../../../config/listen.ts';
import type { SeededRandom } from '../../../lib/seeded-random.ts';
import type { CliContext } from '../../command.ts';
import { MISSING_IMAGE } from '../market.ts';
import { configFor, type DryRun, withAgent } from '../run-agent.ts';
import { pageAddress } from './address.ts';
import { LIVE_GPUS } from './gpus.ts';
import { pastOf } from './history.ts';
import { LiveMarket } from './market.ts';
import { LIVE_ASK, LIVE_JOB_TIMEOUT_MS, REFUSED_SAMPLES } from './samples.ts';
import { writeHistory } from './write-history.ts';

/** Every dry run has the same buyers and the same past. */
export const LIVE_SEED = 15;

/** Runs an agent on a lively market, and serves its page, until it is interrupted. */
export async function runLive(
  context: CliContext,
  dryRun: DryRun & { readonly random: SeededRandom },
  interrupted: AbortSignal,
): Promise<void> {
  const { loaded, random, scenario } = dryRun;
  const { image, images, language, market } = scenario;
  const isSimulated = image === undefined;
  const page = await pageAddress(loaded);
  const config = configFor(dryRun, {
    askPrice: LIVE_ASK,
    jobTimeout: LIVE_JOB_TIMEOUT_MS,
    images: isSimulated ? [...images, MISSING_IMAGE] : images,
    listen: page.address ?? 'off',
    runtimeDirectory: undefined,
    slotsPerGpu: 1,
    // What happens is on the page, and would scroll its address away.
    logLevel: loaded.sources.logLevel.kind === 'default' ? 'error' : loaded.config.logLevel,
  });
  const [anyImage = ''] = images;
  if (isSimulated) {
    const past = { gpus: LIVE_GPUS, image: anyImage, askPrice: LIVE_ASK, now: context.clock.now(), random };
    writeHistory(config.stateDir, market.url, pastOf(past));
  }
  const refused = REFUSED_SAMPLES.filter(({ image: kind }) => isSimulated || kind !== 'missing');
  const buyers = new LiveMarket(market, language, refused, random);
  await withAgent(context, { dryRun, config, once: false }, interrupted, async (opened) => {
    await opened.answer(context.version, () => 'dry run');
    announce(context, opened, dryRun, page);
    await Promise.all([opened.agent.run(), buyers.work(interrupted)]);
  });
}

function announce(
  { stderr }: CliContext,
  _opened: OpenAgent,
  { scenario: { market } }: DryRun,
  { address, note }: { readonly address: ListenAddress | undefined; readonly note: string | undefined },
): void {
  if (note !== undefined) stderr.write(`${note}\n`);
  if (address !== undefined) stderr.write(`status page: http://${listenAddress.show(address)}/\n`);
  stderr.write(
    `broker:      curl -H 'Authorization: Token ${market.buyerToken}' ${market.url}/api/v1/jobs/\n`,
  );
  stderr.write('Ctrl-C ends it\n');
}
