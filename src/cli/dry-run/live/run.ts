import type { Config } from '../../../config/config.ts';
import { ENDPOINTS } from '../../../control-api/endpoints.ts';
import type { SeededRandom } from '../../../lib/seeded-random.ts';
import { askAgent, doesNotAnswer } from '../../ask-agent.ts';
import type { CliContext } from '../../command.ts';
import { type DryRunMarket, MISSING_IMAGE } from '../market.ts';
import { configFor, type DryRun, withAgent } from '../run-agent.ts';
import { pageAddress, pageOptions } from './address.ts';
import { LIVE_GPUS } from './gpus.ts';
import { pastOf } from './history.ts';
import { LiveMarket } from './market.ts';
import { LIVE_ASK, LIVE_JOB_TIMEOUT_MS, LIVE_POWER_PRICE, REFUSED_SAMPLES } from './samples.ts';
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
    ...pageOptions(loaded),
    askPrice: LIVE_ASK,
    slotsPerGpu: 1,
    jobTimeout: LIVE_JOB_TIMEOUT_MS,
    images: isSimulated ? [...images, MISSING_IMAGE] : images,
    listen: page.address ?? 'off',
    runtimeDirectory: undefined,
    ...(isSimulated && { electricityPrice: { otherwise: LIVE_POWER_PRICE, rules: [] } }),
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
    context.stderr.write(await announcement(context, { config, market, note: page.note }));
    await Promise.all([opened.agent.run(), buyers.work(interrupted)]);
  });
}

/** What the visitor can do now. Throws what keeps the agent from answering. */
async function announcement(
  context: CliContext,
  {
    config,
    market,
    note,
  }: { readonly config: Config; readonly market: DryRunMarket; readonly note: string | undefined },
): Promise<string> {
  const lines = note === undefined ? [] : [note];
  if (config.listen !== 'off') {
    const asked = await askAgent(context, config.stateDir, ENDPOINTS.pageLink, { body: {} });
    if (asked.kind !== 'answer') throw doesNotAnswer();
    lines.push('status page, by a link that works once:', `  ${asked.answer.url}`);
  }
  lines.push(
    'for other commands, such as page, status, jobs or pause:',
    `  --state-dir ${config.stateDir}`,
    'the broker:',
    `  curl -H 'Authorization: Token ${market.buyerToken}' ${market.url}/api/v1/jobs/`,
    'Ctrl-C ends it',
  );
  return `${lines.join('\n')}\n`;
}
