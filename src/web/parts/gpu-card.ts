import type { RunningJob, Target } from '../answers.ts';
import { type Formats } from '../format.ts';
import { type Drawn, html } from '../html.ts';
import { jobPath } from '../routes.ts';
import { useFormats, useLive, useMayControl, useNow } from '../services.ts';
import { targetBadge, targetName, whyUntil } from '../target-words.ts';
import { MINUTE } from '../time-units.ts';
import { Badge } from './badge.ts';
import { Bar, type BarFigure } from './bar.ts';
import { TargetControls } from './target-controls.ts';
import { Foreign } from './text.ts';

/** Above these a GPU gets slower, and breaks sooner. */
const WARM_C = 80;
const HOT_C = 90;
/** A card lists so many jobs; the others are in the view of jobs. */
const MAX_JOBS = 3;

/** A GPU, a slice of one, or the CPU slots: what it does, how it is, and what the owner can do about it. */
export function GpuCard({
  isKiosk = false,
  isTaking,
  target,
}: {
  readonly target: Target;
  /** Whether the agent takes jobs at all. */
  readonly isTaking: boolean;
  /** On a wall there is nothing to press, and no view to go to. */
  readonly isKiosk?: boolean;
}): Drawn {
  const formats = useFormats();
  const mayControl = useMayControl() && !isKiosk;
  const now = useNow();
  const { more, name } = targetName(target);
  const { figures, jobs, kind } = target;
  const id = `target-${target.target}`;
  const idle = idleText(target, isTaking, now, formats);
  return html`<article class="card gpu" aria-labelledby=${id}>
    <header class="gpu-head">
      <h2 id=${id}>${name}</h2>
      <span class="gpu-model muted"><${Foreign} text=${more} /></span>
      <${Badge} ...${targetBadge(target, isTaking, now, formats)} />
    </header>
    <div class="gpu-does">
      ${jobs.slice(0, MAX_JOBS).map((job) => html`<${JobLine} key=${job.job} job=${job} isKiosk=${isKiosk} />`)}
      ${jobs.length > MAX_JOBS && html`<${Place} href=${isKiosk ? undefined : '#/jobs'}>and ${jobs.length - MAX_JOBS} more<//>`}
      ${jobs.length === 0 && html`<p class="gpu-idle" title=${idle}>${idle}</p>`}
    </div>
    ${kind !== 'cpu' && html`<div class="gpu-bars">${barsOf(figures, formats).map((bar) => html`<${Bar} key=${bar.name} ...${bar} />`)}</div>`}
    ${mayControl && html`<${TargetControls} target=${target} name=${name} />`}
  </article>`;
}

function JobLine({ isKiosk, job }: { readonly job: RunningJob; readonly isKiosk: boolean }): Drawn {
  const { duration, money } = useFormats();
  const ageMs = useLive((state) => state.ageMs);
  const { earned, ranMs } = job;
  return html`<p class="gpu-job">
    <${Place} href=${isKiosk ? undefined : jobPath(job.job)}><${Foreign} text=${job.function} /><//>
    ${
      ranMs === null
        ? html`<span class="muted">${job.state}</span>`
        : html`<span class="figure">${duration(ranMs + ageMs)}</span>
            <span class="figure earned">${money(earned + (job.askPrice * ageMs) / MINUTE)}</span>`
    }
  </p>`;
}

/** A link; without an address the same words, which lead nowhere. */
function Place({ children, href }: { readonly href: string | undefined; readonly children?: Drawn }): Drawn {
  return href === undefined
    ? html`<span class="gpu-place">${children}</span>`
    : html`<a class="gpu-place" href=${href}>${children}</a>`;
}

function idleText({ hold, slots }: Target, isTaking: boolean, now: string, formats: Formats): string {
  if (hold !== null) return `No new jobs: ${whyUntil(hold, now, formats)}`;
  if (slots === 0) return 'Not offered.';
  return isTaking ? 'Waits for a job.' : 'No job runs.';
}

/** The figures of a GPU as bars. Pure. */
function barsOf(figures: Target['figures'], formats: Formats): readonly BarFigure[] {
  const { celsius, gib, percent, watts } = formats;
  const { memoryTotalMiB, memoryUsedMiB, powerLimitW, powerW, temperatureC, utilizationPercent } =
    figures ?? {
      memoryTotalMiB: null,
      memoryUsedMiB: null,
      powerLimitW: null,
      powerW: null,
      temperatureC: null,
      utilizationPercent: null,
    };
  const heat = temperatureC ?? 0;
  return [
    {
      name: 'Temp.',
      text: celsius(temperatureC),
      value: temperatureC,
      max: 100,
      tone: heat >= HOT_C ? 'bad' : heat >= WARM_C ? 'warn' : undefined,
    },
    { name: 'Power', text: watts(powerW), value: powerW, max: powerLimitW ?? powerW ?? 0 },
    { name: 'Use', text: percent(utilizationPercent), value: utilizationPercent, max: 100 },
    {
      name: 'Memory',
      text: gib(memoryUsedMiB),
      value: memoryUsedMiB,
      max: memoryTotalMiB ?? memoryUsedMiB ?? 0,
    },
  ];
}
