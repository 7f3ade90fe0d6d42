import { useState } from 'preact/hooks';
import type { Images as Answer } from '../answers.ts';
import { counted, listed } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { absentPins, diskText, imageFacts, imageName, marksText, pinName } from '../image-words.ts';
import { useApi, useFormats, useMayControl, useStatus } from '../services.ts';
import { MINUTE } from '../time-units.ts';
import { useAnswer } from './answer.ts';
import { Bar } from './bar.ts';
import { useCommand } from './command.ts';
import { Facts } from './facts.ts';
import { Failure } from './failure.ts';
import { Foreign } from './text.ts';
import { Trouble } from './trouble.ts';
import { Whole } from './whole.ts';

type Image = Answer['images'][number];

/** So many images are seen at first. */
const FEW = 6;

/** The images on the host, what each is worth and why it stays, and the pins of their owner. */
export function Images(): Drawn {
  const api = useApi();
  const images = useAnswer(() => api.images(), [], MINUTE);
  const { value } = images;
  // Where jobs run in no containers, there is nothing to see.
  if (images.problem === undefined && (value === undefined || isNothing(value))) return null;
  return html`<section aria-labelledby="images-title">
    <h2 id="images-title">Images</h2>
    <${Trouble} answer=${images} />
    ${value !== undefined && html`<${Known} answer=${value} onChange=${images.ask} />`}
  </section>`;
}

function isNothing({ disk, images, pins }: Answer): boolean {
  return disk === null && images.length === 0 && pins.length === 0;
}

function Known({ answer, onChange }: { readonly answer: Answer; readonly onChange: () => void }): Drawn {
  const formats = useFormats();
  const [isWhole, setWhole] = useState(false);
  const { disk, images, pins } = answer;
  const shown = isWhole ? images : images.slice(0, FEW);
  const absent = absentPins(answer);
  return html`<div class="card images-disk">
      ${disk !== null && html`<${Bar} name="Disk" text=${diskText(disk, formats)} value=${disk.usedBytes} max=${disk.totalBytes} tone=${disk.usedBytes > disk.high * disk.totalBytes ? 'warn' : undefined} />`}
      <p class="small muted">${marksText(disk, formats)}</p>
    </div>
    ${images.length === 0 && html`<p class="empty">There are no images yet.</p>`}
    <ul class="asks images">
      ${shown.map((image) => html`<${Row} key=${image.id} image=${image} pins=${pins} onChange=${onChange} />`)}
    </ul>
    ${
      images.length > shown.length &&
      html`<button type="button" class="more" onClick=${() => setWhole(true)}>Show ${counted(images.length - shown.length, 'more image')}</button>`
    }
    ${absent.length > 0 && html`<p class="note">Pinned, and not pulled yet: <${Whole} text=${listed(absent)} /></p>`}`;
}

function Row({
  image,
  onChange,
  pins,
}: {
  readonly image: Image;
  readonly pins: Answer['pins'];
  readonly onChange: () => void;
}): Drawn {
  const formats = useFormats();
  const now = useStatus()?.at ?? new Date().toISOString();
  return html`<li class="card">
    <h3><${Foreign} text=${imageName(image)} /></h3>
    <${Facts} facts=${imageFacts(image, now, formats)} />
    <${Pin} image=${image} name=${pinName(image, pins)} onChange=${onChange} />
  </li>`;
}

function Pin({
  image,
  name,
  onChange,
}: {
  readonly image: Image;
  readonly name: string | undefined;
  readonly onChange: () => void;
}): Drawn {
  const api = useApi();
  const mayControl = useMayControl();
  const { error, give, isBusy } = useCommand();
  // What the agent did not pull stays anyway.
  const hasUse = image.pinned || image.pulledAt !== null;
  if (!mayControl || name === undefined || !hasUse) return null;
  const change = async (): Promise<void> => {
    if (await give(() => (image.pinned ? api.unpinImage(name) : api.pinImage(name)))) onChange();
  };
  const what = image.pinned ? 'Unpin' : 'Pin';
  return html`<button type="button" aria-label=${`${what} ${imageName(image)}`} disabled=${isBusy} onClick=${() => void change()}>${what}</button>
    ${error !== undefined && html`<${Failure} error=${error} />`}`;
}
