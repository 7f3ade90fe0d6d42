import type { z } from 'zod';
import { pinImage, unpinImage } from '../../agent/images/image-pins.ts';
import { ENDPOINTS } from '../../control-api/endpoints.ts';
import type { IMAGE_VIEWS } from '../../control-api/image-views.ts';
import { askAgent } from '../ask-agent.ts';
import type { CliContext } from '../command.ts';
import { changeByAgentOrJournal, WITHOUT_AGENT } from '../owner/agent-or-journal.ts';

export type Pinned = z.output<typeof IMAGE_VIEWS.pinned> & { readonly agentRunning: boolean };

/** Pins an image, or no longer. Throws IMAGE_NAME_INVALID, IMAGE_PINS_FULL, and as `changeByAgentOrJournal` does. */
export function changePin(
  context: CliContext,
  stateDir: string,
  action: 'pin' | 'unpin',
  image: string,
): Promise<Pinned> {
  const endpoint = action === 'pin' ? ENDPOINTS.imagePin : ENDPOINTS.imageUnpin;
  return changeByAgentOrJournal(
    context,
    stateDir,
    () => askAgent(context, stateDir, endpoint, { body: { image } }),
    ({ images }) => {
      const change = action === 'pin' ? pinImage : unpinImage;
      const giver = { by: context.caller, from: WITHOUT_AGENT, at: context.clock.now() };
      const { changed } = change(images, image, giver);
      return { changed, pins: images.pins() };
    },
  );
}
