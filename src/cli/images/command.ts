import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { EXIT } from '../../domain/exit-codes.ts';
import { readJournal } from '../../journal/open-journal.ts';
import { askAgent, askRunningAgent, doesNotAnswer } from '../ask-agent.ts';
import { type CliCommand, type CliContext, JSON_SWITCH, type Switch } from '../command.ts';
import { changePin } from './pins.ts';
import { collectedText, imagesJson, imagesText, pinnedText, type ShownImages } from './render.ts';

/** Docker takes seconds to remove an image of gigabytes. */
const COLLECT_MS = 600_000;
const NOT_RUNNING = { hint: 'start it: which images are needed is known to the running agent only' };
const DRY_RUN: Switch = { name: 'dry-run', help: 'only say what would be removed', action: 'gc' };

/** The images of the engine: what each is worth, which ones stay, and the removal of the others. */
export const images: CliCommand = {
  name: 'images',
  summary: 'show what each image on this host is worth and why it stays; pin some, remove others',
  group: 'Look',
  actions: [
    { name: 'pin', help: 'keep an image from eviction, also after restarts', argument: 'IMAGE' },
    { name: 'unpin', help: 'let it be evicted again', argument: 'IMAGE' },
    {
      name: 'gc',
      help: 'remove the agent’s own images that are worth least, until the disk is at --image-disk-low',
    },
  ],
  actionOptional: true,
  options: ['stateDir', 'configFile'],
  switches: [JSON_SWITCH, DRY_RUN],
  values: [],
  examples: [
    { line: 'images', does: 'all images of the engine, the most valuable first' },
    { line: 'images pin sharedcloud/python36', does: 'keeps it, whether or not it is here yet' },
    { line: 'images gc --dry-run', does: 'what would be removed, and why the others stay' },
  ],
  run: async (context) => {
    const { stateDir } = (await context.loadConfig({ ask: false })).config;
    const { action, argument, stdout } = context;
    const isJson = context.has(JSON_SWITCH);
    if (action === 'pin' || action === 'unpin')
      stdout.write(pinnedText(await changePin(context, stateDir, action, argument), isJson));
    else if (action === 'gc') {
      const body = { dryRun: context.has(DRY_RUN) };
      const collected = await askRunningAgent(
        context,
        stateDir,
        ENDPOINTS.imageCollect,
        { body },
        NOT_RUNNING,
        COLLECT_MS,
      );
      stdout.write(collectedText(collected, isJson, stdout));
    } else {
      const shown = await readImages(context, stateDir);
      stdout.write(isJson ? imagesJson(shown) : imagesText(shown, context.clock.now(), stdout));
    }
    return EXIT.OK;
  },
};

/** Of the running agent, which knows the images; else the pins of the journal. Throws what either throws. */
async function readImages(context: CliContext, stateDir: string): Promise<ShownImages> {
  const asked = await askAgent(context, stateDir, ENDPOINTS.images, {});
  if (asked.kind === 'answer') return { listed: asked.answer, isRunning: true };
  if (asked.kind === 'silent') throw doesNotAnswer();
  const journal = readJournal(stateDir);
  try {
    const pins = journal?.images.pins() ?? [];
    return { listed: { disk: null, images: [], pins }, isRunning: false };
  } finally {
    journal?.close();
  }
}
